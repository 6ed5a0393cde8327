"""Answer keys never leave the server: no reply holds a word of them, or tells one from another."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from headway.graders.registry import BUILT_IN
from tests.http.server import Site
from tests.http.test_events import event

OPTIONS = {"a": "Option one", "b": "Option two", "c": "Option three"}
COMMENT = "K3Y comment"
# For each grader two configurations that differ by nothing but the key, an answer that is equally wrong by both,
# and one that does not fit. What of a key is no option is marked.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], Any, Any]] = {
    "choice": ({"options": OPTIONS, "answer": "a"}, {"options": OPTIONS, "answer": "b"}, "c", "d"),
    "multiple": ({"options": OPTIONS, "answers": ["a"]}, {"options": OPTIONS, "answers": ["b"]}, ["c"], ["d"]),
    "text": ({"answers": ["K3Y one"]}, {"answers": ["K3Y two", "k3y three"]}, "wrong", 7),
    "regex": ({"pattern": "K3Y+one"}, {"pattern": "K3Y*two", "match": "search"}, "wrong", ["wrong"]),
    "number": (
        {"answer": 73125073125, "tolerance": 73125073},
        {"answer": -9073125073, "tolerance_percent": 0.0073125073},
        1,
        "1,5",
    ),
    "order": (
        {"items": OPTIONS, "answer": ["a", "b", "c"]},
        {"items": OPTIONS, "answer": ["b", "c", "a"]},
        list("cab"),
        [],
    ),
    "manual": ({"guide": "K3Y one"}, {"guide": "K3Y two"}, "a wrong text", ""),
}
KEYS = re.compile(rb"k3y|73125073|\"answers?\":|when_right|feedback\":\\s*\\{|tolerance|pattern", re.IGNORECASE)
COURSE, STEP = "/courses/keys", "/courses/keys/steps/asked"


def manifest(kind: str, config: dict[str, Any], right: Any) -> dict[str, Any]:
    """A course of one graded step. It has a comment on each response but the one that the tests send."""
    feedback = {"feedback": {right: COMMENT}} if kind in ("choice", "text") else {}
    comments = {} if kind == "manual" else {"when_right": COMMENT, **feedback}
    step = {
        "id": "asked",
        "kind": "quiz",
        "title": "Asked",
        "prompt": "?",
        "grader": {"type": kind, **config, **comments},
    }
    return {"id": "keys", "title": "Keys", "modules": [{"id": "m", "title": "M", "steps": [step]}]}


def replies(client: httpx2.Client, wrong: Any, unfit: Any) -> Iterator[httpx2.Response]:
    """Every reply that a learner can get about the step, without knowing the answer."""
    client.headers["authorization"] = f"Bearer {client.post('/auth/guest').json()['token']}"
    yield client.get("/courses")
    yield client.get(COURSE)
    for answer in (wrong, unfit, None, {"a": 1}):
        yield client.post(f"{STEP}/attempts", json={"answer": answer})
    yield client.post(f"{STEP}/attempts", json={"answer": wrong, "score": 1})
    yield client.post(f"{STEP}/completion", json={"answer": wrong})
    yield client.post(f"{STEP}/completion")
    sent = {"course": "keys", "step": "asked"}
    yield client.post("/events", json={"events": [event(**sent, response=one) for one in (wrong, unfit)]})
    yield client.post("/events", json={"events": [event(**sent, score=1)]})
    for path in ("", "/courses/keys", "/courses/keys/modules/m", "/streak", "/history", "/events"):
        yield client.get(f"/progress{path}")
    yield client.put(COURSE, json={})


def verdict(reply: httpx2.Response) -> Any:
    """What a reply says of the answer that it was sent."""
    said = reply.json()
    return reply.status_code, said.get("attempt"), said.get("detail")


def test_every_built_in_grader_is_among_them() -> None:
    assert CASES.keys() == BUILT_IN.keys()


@pytest.mark.parametrize("kind", CASES)
def test_no_reply_tells_one_key_from_another_or_holds_a_word_of_it(sqlite_site: Site, kind: str) -> None:
    one, other, wrong, unfit = CASES[kind]
    seen: list[list[httpx2.Response]] = []
    for config in (one, other):
        sqlite_site.publish(manifest(kind, config, config.get("answer") or "K3Y two"))
        seen.append(list(replies(sqlite_site.client(), wrong, unfit)))
    for first, second in zip(*seen, strict=True):
        assert not KEYS.search(first.content + second.content)
        assert not KEYS.search(repr(sorted(first.headers.items())).encode())
        assert verdict(first) == verdict(second)
    assert [some[2].json()["attempt"]["score"] for some in seen] == [None if kind == "manual" else 0] * 2
    outlines = [some[1].json() for some in seen]
    assert [outline.pop("version") for outline in outlines] == [1, 2]
    # As text: the order of what there is to choose from could tell the answer as well.
    assert json.dumps(outlines[0]) == json.dumps(outlines[1])


@pytest.mark.parametrize("kind", CASES)
def test_the_marks_are_found_where_they_are(kind: str) -> None:
    one, other, _, _ = CASES[kind]
    for config in (one, other):
        assert KEYS.search(json.dumps(manifest(kind, config, "K3Y two")).encode())
