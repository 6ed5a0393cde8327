"""What the servers are asked to record: a course, learners' tokens, and requests made ready as bytes beforehand."""

import http.client
import itertools
import json
import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

COURSE = "benchmark"
MODULES = 6
STEPS_A_MODULE = 20
KINDS = ("lesson", "exercise", "quiz", "exercise", "assignment")
# One event in so many is the completion of a lesson; the others are attempts with a score.
COMPLETIONS = 8
ATTEMPTS_MAX = 3


def manifest() -> dict[str, Any]:
    """A course of 120 steps without graders or gates, so that whatever is sent is recorded."""
    modules = [_module(number) for number in range(MODULES)]
    return {"id": COURSE, "title": "Benchmark", "certificate": False, "modules": modules}


def _module(number: int) -> dict[str, Any]:
    steps = [_step(number, i) for i in range(STEPS_A_MODULE)]
    return {"id": f"module-{number}", "title": f"Module {number}", "requires": [], "steps": steps}


def _step(module: int, number: int) -> dict[str, Any]:
    name = f"step-{module}-{number}"
    return {"id": name, "kind": KINDS[number % len(KINDS)], "title": name, "topics": [f"topic-{number % 8}"]}


def step_ids() -> list[str]:
    """The course's steps, in order."""
    return [step["id"] for module in manifest()["modules"] for step in module["steps"]]


def guest_tokens(port: int, count: int) -> list[str]:
    """The tokens of so many new guests, made over HTTP."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        return [_guest_token(connection) for _ in range(count)]
    finally:
        connection.close()


def _guest_token(connection: http.client.HTTPConnection) -> str:
    connection.request("POST", "/api/v1/auth/guest")
    response = connection.getresponse()
    body = response.read()
    if response.status != 201:
        raise RuntimeError(f"POST /api/v1/auth/guest gave {response.status}: {body[:300]!r}")
    token: str = json.loads(body)["token"]
    return token


def prepare(port: int, tokens: Sequence[str], batch: int, count: int) -> list[bytes]:
    """So many whole HTTP requests of `batch` new events each, in turn for every learner."""
    steps = step_ids()
    walks = [walk(steps) for _ in tokens]
    at = datetime.now(UTC)
    learners = itertools.cycle(range(len(tokens)))
    return [
        _request(port, tokens[i], [new_event(next(walks[i]), at) for _ in range(batch)])
        for i in itertools.islice(learners, count)
    ]


def walk(steps: Sequence[str]) -> Iterator[str]:
    """A learner's way through a course: from anywhere, step by step, one to three events on each, and again."""
    start = random.randrange(len(steps))
    for step in itertools.cycle((*steps[start:], *steps[:start])):
        yield from itertools.repeat(step, random.randint(1, ATTEMPTS_MAX))


def new_event(step: str, at: datetime) -> str:
    """An event as JSON; those of one request lie within a minute, on microseconds of their own."""
    event_id = uuid.UUID(int=random.getrandbits(128), version=4)
    moment = at - timedelta(microseconds=random.randrange(60_000_000))
    kind = "completed" if not random.randrange(COMPLETIONS) else "attempted"
    return (
        f'{{"id":"{event_id}","type":"{kind}","course":"{COURSE}","step":"{step}",'
        f'"occurred_at":"{moment:%Y-%m-%dT%H:%M:%S.%fZ}","score":{random.randint(30, 100) / 100}}}'
    )


def _request(port: int, token: str, events: Sequence[str]) -> bytes:
    body = f'{{"events":[{",".join(events)}]}}'
    head = (
        f"POST /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode("ascii")


if __name__ == "__main__":
    print(json.dumps(manifest()))
