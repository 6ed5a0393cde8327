"""The SDK against the contract's examples: it sends what the contract takes, reads what it gives, and loses nothing."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import jsonschema_rs
import pytest

from tests.house.tree import ROOT
from tests.npm import tool
from tests.web.conftest import sources

BASE = "/api/v1"
DOCUMENT = json.loads((ROOT / "contract/openapi.json").read_text())
JSON = "application/json"
NAMED = re.compile(r"\{\w+\}")
# What is set aside in a list, and what is kept and sent again. Whatever else there is: nothing is lost.
REFUSED = {"unknown-course", "unknown-step", "graded-step", "no-grader", "id-reused", "invalid", "too-large"}
WAITING = {"locked", "unauthorized", "rate-limited", "busy", "unavailable", "grader-failed"}


class Called(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str
    body: Any


class Operation(NamedTuple):
    """An operation with examples: what it takes, and what it gives."""

    method: str
    path: str
    takes: Any
    sent: Any
    status: int
    given: Any


def operations() -> dict[str, Operation]:
    """The operations that have an example of their reply, or reply nothing, by their ids."""
    found = {}
    for path, methods in DOCUMENT["paths"].items():
        for method, one in methods.items():
            sent = one.get("requestBody", {}).get("content", {}).get(JSON, {})
            status, reply = min(one["responses"].items())
            given = reply.get("content", {}).get(JSON, {}).get("example")
            if path.startswith(BASE) and (given is not None or status == "204"):
                at = NAMED.sub("a-name", path.removeprefix(BASE))
                found[one["operationId"]] = Operation(
                    method.upper(), at, sent.get("schema"), sent.get("example"), int(status), given
                )
    return found


def problems() -> dict[str, dict[str, Any]]:
    """The contract's problems, by their codes."""
    responses = DOCUMENT["components"]["responses"].values()
    examples = [one["content"]["application/problem+json"]["examples"] for one in responses]
    return {code: example["value"] for some in examples for code, example in some.items()}


OPERATIONS, PROBLEMS = operations(), problems()
EVENT = OPERATIONS["record_events"].sent["events"][0]


def about(given: Any, events: Sequence[Mapping[str, Any]]) -> Any:
    """An example's reply, about these events: those of others are no answer."""
    if not events:
        return given
    return {**given, "results": [{**given["results"][0], "id": one["id"]} for one in events]}


class Examples(BaseHTTPRequestHandler):
    """Answers as the contract's examples do; a course that is named as a problem refuses with it."""

    protocol_version = "HTTP/1.1"
    asked: list[Called]

    def answer(self) -> None:
        """One request and its reply."""
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        path = self.path.partition("?")[0].removeprefix(BASE)
        self.asked.append(Called(self.command, path, body))
        self._reply(*self._of(path, body))

    def __getattr__(self, name: str) -> Any:
        """Every method is answered in one way."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def _of(self, path: str, body: Any) -> tuple[int, Any]:
        if found := next((one for one in OPERATIONS.values() if (one.method, one.path) == (self.command, path)), None):
            events = body["events"] if path == "/events" else []
            if len(events) == 1 and events[0]["course"] in PROBLEMS:
                return self._refused(events[0])
            return found.status, about(found.given, events)
        course = path.split("/")[2]
        if course in PROBLEMS:
            return PROBLEMS[course]["status"], PROBLEMS[course]
        given = OPERATIONS["attempt_step"].given
        return 200, {**given, "result": {**given["result"], "id": body["id"]}}

    def _refused(self, event: Mapping[str, Any]) -> tuple[int, Any]:
        problem = PROBLEMS[event["course"]]
        if problem["status"] in (401, 413, 429):
            return problem["status"], problem
        return 200, {
            "results": [{"id": event["id"], "status": "refused", "problem": problem}],
            "steps": [],
            "changes": [],
        }

    def _reply(self, status: int, said: Any) -> None:
        body = b"" if said is None else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", JSON if status < 400 else "application/problem+json")
        self.send_header("content-length", str(len(body)))
        self.send_header("x-request-id", "1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is said of it."""


@contextmanager
def examples() -> Iterator[tuple[str, list[Called]]]:
    """A server that answers with the examples: its address, and what it was asked."""
    asked: list[Called] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Asked", (Examples,), {"asked": asked}))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


class Replayed(NamedTuple):
    """What the SDK told of its replies, and all that it asked."""

    told: dict[str, Any]
    asked: list[Called]


def called(one: Operation) -> dict[str, Any]:
    """How an operation is called: with its example, where it takes one."""
    return {"method": one.method, "path": one.path} | ({} if one.sent is None else {"body": one.sent})


@pytest.fixture(scope="module")
def replayed(pages: None, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    """Everything that the SDK asks, replayed once."""
    built = tmp_path_factory.mktemp("sdk")
    variables = {
        **os.environ,
        "HEADWAY_REPLAY": str(built),
        "PATH": f"{Path(tool('node')).parent}:{os.environ['PATH']}",
    }
    command = [tool("npm"), "run", "replay", "--workspace", "app"]
    subprocess.run(command, cwd=sources(), env=variables, check=True, timeout=100)
    with examples() as (url, asked):
        job = {
            "url": url,
            "calls": [called(one) for one in OPERATIONS.values()],
            "registration": OPERATIONS["register"].sent,
            "signIn": OPERATIONS["login"].sent,
            "kept": [EVENT],
            "answer": {
                "course": EVENT["course"],
                "step": "quiz",
                "response": OPERATIONS["attempt_step"].sent["answer"],
            },
            "refusing": list(PROBLEMS),
        }
        run = subprocess.run(
            [tool("node"), built / "replay.mjs"],
            input=json.dumps(job),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    return Replayed(json.loads(run.stdout), asked)


def test_every_reply_of_the_contract_is_read_as_it_is(replayed: Replayed) -> None:
    assert len(OPERATIONS) > 50
    for one, read in zip(OPERATIONS.values(), replayed.told["called"], strict=True):
        assert read == one.given, one.path
    assert replayed.told["registered"] == OPERATIONS["register"].given
    assert replayed.told["signedIn"] == OPERATIONS["login"].given


def test_what_is_sent_is_what_the_contract_takes(replayed: Replayed) -> None:
    own = replayed.asked[len(OPERATIONS) :]
    takes = {one.path: one.takes for one in OPERATIONS.values() if one.method == "POST"}
    attempts = NAMED.sub("a-name", "/courses/{course}/steps/{step}/attempts")
    asked = [one for one in own if one.method == "POST" and one.body is not None]
    assert {"/auth/register", "/auth/login", "/events"} < {one.path for one in asked}
    for one in asked:
        schema = takes[attempts if one.path.endswith("/attempts") else one.path]
        jsonschema_rs.validate({**schema, "components": DOCUMENT["components"]}, one.body)
    # What was kept arrives as it was made, and once.
    events = [event for one in asked if one.path == "/events" for event in one.body["events"]]
    assert [event for event in events if event["id"] == EVENT["id"]] == [EVENT]
    assert replayed.told["left"] == []
    example = OPERATIONS["attempt_step"].given
    assert replayed.told["answered"]["verdict"] == example["attempt"]
    assert replayed.told["answered"]["step"] == example["progress"]
    for name in ("attempted", "completed"):
        assert replayed.told[name]["changes"] == OPERATIONS["record_events"].given["changes"], name


def test_no_problem_of_the_contract_loses_what_was_done(replayed: Replayed) -> None:
    ends = replayed.told["refused"]
    assert ends.keys() == PROBLEMS.keys() >= REFUSED | WAITING
    for code, found in ends.items():
        for kind, waiting, aside in found:
            assert (kind, waiting, aside) in (("waiting", 1, 0), ("refused", 0, 1)), code
    assert {code for code in REFUSED if {one[0] for one in ends[code]} != {"refused"}} == set()
    assert {code for code in WAITING if {one[0] for one in ends[code]} != {"waiting"}} == set()


def test_what_another_window_sent_among_others_is_told_of_its_own_step(replayed: Replayed) -> None:
    assert replayed.told["sentByAnother"] == "own"


def test_what_is_answered_after_somebody_left_is_not_kept(replayed: Replayed) -> None:
    assert replayed.told["readAfterLeaving"] == []


def test_a_step_is_completed_when_it_was_and_not_when_it_was_tried(replayed: Replayed) -> None:
    assert replayed.told["completedUnsent"] == "2026-03-02T10:00:00Z"
