"""What talks to the server: one connection kept alive, one learner, and replies as they came."""

import http.client
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from headway.ledger.publish import publish as publish_manifest
from headway.store.database import Database
from headway.store.migrate import migrate
from tests.torture.server import Command

PATIENCE_S = 30.0
# A server closes a connection that is idle for some seconds; what is sent at that moment is lost.
IDLE_MAX_S = 1.0
Event = dict[str, Any]


class Lost(Exception):
    """There was no answer: what became of the request is not known."""


class Reply(NamedTuple):
    """An answer: its status, its JSON, its headers (names in lower case)."""

    status: int
    body: Any
    headers: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.status} {json.dumps(self.body)[:1000]}"


class Client:
    """A connection to the server, opened when first needed, and who is asking by it."""

    def __init__(self, port: int, token: str | None = None) -> None:
        self.token = token
        self.cookie: str | None = None
        self._used_at = 0.0
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)

    def send(self, method: str, path: str, body: object = None, *, below: str = "/api/v1", **headers: str) -> Reply:
        """One request below the API's base path; Lost where no answer came."""
        sent = None if body is None else json.dumps(body).encode()
        said = {"Content-Type": "application/json"} if sent is not None else {}
        if self.token:
            said["Authorization"] = f"Bearer {self.token}"
        if self.cookie:
            said["Cookie"] = self.cookie
        if time.monotonic() - self._used_at > IDLE_MAX_S:
            self._connection.close()
        try:
            self._connection.request(method, f"{below}{path}", sent, said | headers)
            response = self._connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Lost(f"{method} {path}: {error!r}") from error
        self._used_at = time.monotonic()
        answered = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, json.loads(data) if data else None, answered)

    def get(self, path: str) -> Any:
        """The JSON of a reading that must succeed."""
        reply = self.send("GET", path)
        assert reply.status == 200, f"GET {path}: {reply}"
        return reply.body

    def record(self, events: Sequence[Event]) -> Reply:
        """Send events in one request."""
        return self.send("POST", "/events", {"events": list(events)})

    def wait_until_queued(self, count: int) -> None:
        """Wait until so many events wait to be written."""
        until = time.monotonic() + PATIENCE_S
        while (waiting := self.send("GET", "/health/ready", below="").body["waiting_events"]) != count:
            assert time.monotonic() < until, f"{waiting} events are waiting, not {count}"
            time.sleep(0.01)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()

    def __del__(self) -> None:
        self.close()


class Guest(NamedTuple):
    """A learner with no account, and the token that speaks for it."""

    id: str
    token: str


def new_guest(port: int) -> Guest:
    """A guest as a terminal makes one."""
    client = Client(port)
    reply = client.send("POST", "/auth/guest")
    client.close()
    assert reply.status == 201, str(reply)
    return Guest(reply.body["learner"]["id"], reply.body["token"])


def new_account(port: int) -> Client:
    """A client that is signed in to an account of its own, as a browser is."""
    client = Client(port)
    address = f"{uuid.uuid4().hex}@example.org"
    reply = client.send("POST", "/auth/register", {"email": address, "password": "correct horse battery"})
    assert reply.status == 201, str(reply)
    client.cookie = reply.headers["set-cookie"].partition(";")[0]
    return client


COURSE = "endurance"
STEPS = tuple(f"step-{number}" for number in range(8))
LEFT_OPEN = "left-open"


def manifest(*more_steps: str, course: str = COURSE) -> dict[str, Any]:
    """A course of quizzes without graders, so that a client's own score counts."""
    steps = [
        {"id": one, "kind": "quiz", "title": one, "topics": [f"topic-{number % 3}"]}
        for number, one in enumerate((*STEPS, LEFT_OPEN, *more_steps))
    ]
    return {"id": course, "title": "Endurance", "modules": [{"id": "all", "title": "All", "steps": steps}]}


def prepare(database: str) -> None:
    """Make the tables and publish the course, without the second that a command takes."""
    opened = Database(database)
    migrate(opened)
    publish_manifest(opened, manifest(), now=time.time_ns() // 1000)
    opened.close()


def publish(database: str, *more_steps: str, course: str = COURSE) -> None:
    """Publish the course by the operator's command."""
    done = Command(
        "course", "publish", "-", "--database", database, given=json.dumps(manifest(*more_steps, course=course))
    )
    assert done.code == 0, str(done)


def attempt(rng: Random, step: str | None = None, *, course: str = COURSE) -> Event:
    """An attempt with an id of its own, at some time in the last weeks."""
    day, second = rng.randrange(1, 28), rng.randrange(86_400)
    at = f"2026-02-{day:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    return {
        "id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "type": "attempted",
        "course": course,
        "step": step or rng.choice(STEPS),
        "occurred_at": at,
        "score": rng.randrange(101) / 100,
        "duration_s": rng.randrange(60),
    }
