"""The stream: what a learner is told comes once and in order, over whichever server, however often it breaks off."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, NamedTuple

import httpx2
import pytest
import sqlalchemy as sa

from headway.domain.streaks import STANDARD
from headway.http import stream as streaming
from headway.ledger.reminding import remind
from headway.store.schema import ledger, session
from tests.http.server import COURSE, PASSWORD, Site, serving
from tests.http.test_events import event

CERTIFIED = COURSE | {"certificate": True}
# Sixty steps, and as many modules; a streak, and the course.
EVERYTHING = 2 * 60 + 2


class Heard(NamedTuple):
    """An event of the stream."""

    id: str
    type: str
    data: Any


def heard(reply: httpx2.Response) -> Iterator[Heard]:
    """The events of a stream, as a browser would take them: comments and ids alone are no events."""
    found: dict[str, str] = {}
    for line in reply.iter_lines():
        if not line:
            if "data" in found:
                yield Heard(found.get("id", ""), found.get("event", "message"), json.loads(found["data"]))
            found = {name: value for name, value in found.items() if name == "id"}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            found[name] = value


@contextmanager
def listening(client: httpx2.Client, last: str | None = None, **asked: Any) -> Iterator[Iterator[Heard]]:
    headers = {} if last is None else {"last-event-id": last}
    with client.stream("GET", "/stream", headers=headers, params=asked) as reply:
        assert reply.status_code == 200, reply.read()
        assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield heard(reply)


def what(found: list[Heard]) -> list[str]:
    return [one.data["type"] for one in found]


def there_is(client: httpx2.Client, last: str | None = None) -> list[Heard]:
    """What lies behind an event."""
    with listening(client, last, seconds=0) as events:
        return list(events)


def complete(client: httpx2.Client, *steps: str) -> None:
    sent = [event(step=one, type="completed") for one in steps if one != "quiz"]
    sent += [event(step=one, response="a") for one in steps if one == "quiz"]
    assert client.post("/events", json={"events": sent}).status_code == 200


def beginning(client: httpx2.Client) -> str:
    """The id of the place in front of all."""
    learner_id = client.get("/auth/me").json()["learner"]["id"]
    return f"{learner_id[:8]}-0-0"


def test_what_is_recorded_is_heard_at_once_and_again_from_any_event_on(site: Site) -> None:
    site.publish(CERTIFIED)
    ada = site.person("ada@example.org")
    with listening(ada) as events:
        complete(ada, "for-1")
        first = next(events)
        complete(ada, "fizz", "quiz")
        rest = [next(events) for _ in range(5)]
    assert what([first, *rest]) == [
        *("step_completed", "streak_extended", "step_completed", "step_completed"),
        *("module_completed", "course_completed"),
    ]
    assert rest[-1].data["change"]["course"] == COURSE["id"]
    everything = there_is(ada, beginning(ada))
    assert [first, *rest] == everything[:6]
    assert what(everything[6:]) == ["certificate_issued"]
    for n, one in enumerate(everything):
        assert there_is(ada, one.id) == everything[n + 1 :]
    # A notification has the id that it has in the list.
    listed = {one["id"]: one["change"] for one in ada.get("/notifications").json()["items"]}
    assert listed == {one.data["id"]: one.data["change"] for one in everything[4:]}
    # From now on is not again; neither is an id that another learner was told, or nobody.
    bob = site.person("bob@example.org")
    complete(bob, "for-1")
    assert there_is(ada) == there_is(bob, everything[0].id) == there_is(bob, "x") == there_is(bob, "a-b-c") == []


MANY = {
    "id": "many",
    "title": "Many",
    "modules": [
        {"id": f"m{n}", "title": "M", "requires": [], "steps": [{"id": f"s{n}", "kind": "exercise", "title": "S"}]}
        for n in range(60)
    ],
}


def record_some(client: httpx2.Client, steps: range, chance: Random) -> None:
    for n in steps:
        sent = {"events": [event(step=f"s{n}", type="completed", course="many")]}
        assert client.post("/events", json=sent).status_code == 200
        time.sleep(chance.random() / 50)


def hear_all(clients: list[httpx2.Client], last: str, chance: Random) -> list[Heard]:
    """Listen to whichever server, for some events each."""
    found: list[Heard] = []
    while len(found) < EVERYTHING:
        with listening(chance.choice(clients), last, seconds=20) as events:
            for _ in range(min(chance.randint(1, 12), EVERYTHING - len(found))):
                found.append(next(events))
                last = found[-1].id
    return found


def test_nothing_is_lost_doubled_or_out_of_order_over_two_servers(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "LOOK_UNCALLED_S", 0.1)
    chance = Random(1)
    with serving(database_url) as one, serving(database_url) as other:
        one.publish(MANY)
        token = one.client().post("/auth/guest").json()["token"]
        clients = [site.client(token) for site in (one, other)]
        work = [(site.client(token), range(n, 60, 2), Random(n)) for n, site in enumerate((one, other))]
        writers = [threading.Thread(target=record_some, args=some) for some in work]
        for writer in writers:
            writer.start()
        found = hear_all(clients, beginning(clients[0]), chance)
        for writer in writers:
            writer.join()
        assert there_is(clients[0], found[-1].id) == []
        with one.database.read() as connection:
            rows = connection.execute(sa.select(ledger.c.seq, ledger.c.changes).order_by(ledger.c.seq)).all()
    told = [(seq, change) for seq, changes in rows for change in json.loads(changes or "[]")]
    assert [(int(one.id.split("-")[1]), one.data["change"]) for one in found] == told
    assert len({one.data["id"] for one in found}) == len(found)


def test_what_another_process_tells_is_heard(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By PostgreSQL's call where there is one; on SQLite by looking."""
    sqlite = database_url.startswith("sqlite")
    monkeypatch.setattr(streaming, "LOOK_UNCALLED_S", 0.1)
    monkeypatch.setattr(streaming, "LOOK_S", 600.0)
    with serving(database_url) as one, serving(database_url) as other:
        one.publish()
        token = one.client().post("/auth/guest").json()["token"]
        with listening(one.client(token)) as events:
            time.sleep(0 if sqlite else 0.3)  # until it listens: what is told before is found when it begins to
            complete(other.client(token), "for-1")
            assert what([next(events), next(events)]) == ["step_completed", "streak_extended"]


def test_what_no_entry_tells_is_heard_behind_the_entry_before_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_S", "LOOK_UNCALLED_S"):
        monkeypatch.setattr(streaming, name, 0.05)
    ada = site.person("ada@example.org")
    complete(ada, "for-1")
    (moment,) = {one.data["at"] for one in there_is(ada, beginning(ada))}
    tonight = int(time.time()) // 86_400 * 86_400_000_000 + (24 + 19) * 3_600_000_000
    before = there_is(ada, beginning(ada))
    with listening(ada) as events:
        remind(site.database, STANDARD, now=tonight - 1)
        assert remind(site.database, STANDARD, now=tonight) == 1
        reminder = next(events)
    assert reminder.data["change"] == {"type": "streak_at_risk", "current": 1, "day": reminder.data["change"]["day"]}
    assert there_is(ada, before[-1].id) == [reminder]
    assert moment


def test_a_stream_ends_with_its_session(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_S", "LOOK_UNCALLED_S"):
        monkeypatch.setattr(streaming, name, 0.05)
    ada, guest = site.person("ada@example.org"), site.client()
    with listening(ada) as events:
        assert ada.post("/auth/logout").status_code == 204
        assert list(events) == []
    complete(guest, "for-1")
    with listening(guest) as events:
        signed_in = guest.post("/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
        assert signed_in.json()["merged"]["steps"] == 1
        assert list(events) == []
    assert ada.get("/stream").status_code == 401


def test_a_server_that_stops_ends_its_streams(database_url: str) -> None:
    with serving(database_url) as site:
        token = site.client().post("/auth/guest").json()["token"]
        client = httpx2.Client(base_url=f"{site.url}/api/v1", headers={"authorization": f"Bearer {token}"}, timeout=30)
        begun = threading.Event()
        ended: list[list[Heard]] = []

        def listen() -> None:
            with listening(client) as events:
                begun.set()
                ended.append(list(events))

        thread = threading.Thread(target=listen)
        thread.start()
        assert begun.wait(20)
    thread.join(20)
    client.close()
    assert ended == [[]]


def test_a_server_that_stops_ends_a_stream_behind_which_others_wait(sqlite_url: str) -> None:
    """They were sent before it ended, over its connection; each is answered, and the server ends as it should."""
    with serving(sqlite_url) as site:
        token = site.client().post("/auth/guest").json()["token"].encode()
        connection = socket.create_connection(("127.0.0.1", site.port), timeout=20)
        stream = b"GET /api/v1/stream HTTP/1.1\r\nhost: h\r\nauthorization: Bearer %s\r\n\r\n" % token
        other = b"GET /health/live HTTP/1.1\r\nhost: h\r\n\r\n"
        connection.sendall(other + stream + other)
        answer = b""
        while b"text/event-stream" not in answer:
            answer += connection.recv(65_536)
    with connection:
        while part := connection.recv(65_536):
            answer += part
    assert answer.count(b"HTTP/1.1 200 ") == 3
    assert answer.endswith(b'{"status":"live"}')


def test_streams_are_bounded(database_url: str) -> None:
    with serving(database_url, streams_max=9) as site:
        ada, bob, eve = site.guest(), site.guest(), site.guest()
        open_ones = [ada.stream("GET", "/stream") for _ in range(8)]
        for one in open_ones:
            assert one.__enter__().status_code == 200
        assert (ada.get("/stream").status_code, ada.get("/stream").headers["retry-after"]) == (503, "60")
        with listening(bob):
            assert eve.get("/stream").status_code == 503
        for one in open_ones:
            one.__exit__(None, None, None)
        until = time.monotonic() + 20
        while eve.get("/stream?seconds=0").status_code == 503:
            assert time.monotonic() < until
            time.sleep(0.02)


def test_who_was_away_for_long_begins_anew(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headway.views.told.ENTRIES_BEHIND_MAX", 2)
    ada = site.guest()
    complete(ada, "for-1", "fizz", "quiz")
    (only,) = there_is(ada, beginning(ada))
    assert (only.type, only.data) == ("reset", {})
    assert there_is(ada, only.id) == []


def test_the_head_of_a_stream_is_no_stream(sqlite_site: Site) -> None:
    reply = sqlite_site.guest().head("/stream")
    assert (reply.status_code, reply.content) == (200, b"")
    assert sqlite_site.guest().get("/stream?seconds=-1").status_code == 422
    with sqlite_site.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(session)).scalar_one() == 2
