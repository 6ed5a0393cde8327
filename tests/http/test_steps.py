"""The calls for a single event: a completion, and an attempt that the server grades."""

import uuid
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from headway.store.schema import ledger
from tests.http.server import COURSE, Site
from tests.http.test_events import counted

LESSON = "/courses/python-basics/steps/for-1/completion"
FIZZ = "/courses/python-basics/steps/fizz/completion"
QUIZ = "/courses/python-basics/steps/quiz/attempts"


def taken(reply: httpx2.Response) -> Any:
    """The body of a reply that the event was taken with."""
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_a_completion_needs_no_body(site: Site) -> None:
    client = site.client()
    reply = taken(client.post(LESSON))
    assert reply["result"]["status"] == "recorded"
    assert str(uuid.UUID(reply["result"]["id"])) == reply["result"]["id"]
    assert (reply["progress"]["status"], reply["progress"]["attempts"]) == ("completed", 0)
    assert [one["type"] for one in reply["changes"]] == ["step_completed", "streak_extended"]
    assert client.get("/auth/me").json()["kind"] == "guest"


def test_a_completion_with_an_id_is_sent_again_without_harm(site: Site) -> None:
    client, sent = site.guest(), {"id": str(uuid.uuid4()), "score": 92, "duration_s": 30, "hints": 1}
    first, again = taken(client.post(FIZZ, json=sent)), taken(client.post(FIZZ, json=sent))
    assert (first["result"]["status"], again["result"]["status"]) == ("recorded", "duplicate")
    assert first["progress"] == again["progress"]
    assert (first["progress"]["best_score"], first["progress"]["duration_s"]) == (0.92, 30)
    other = client.post(FIZZ, json=sent | {"score": 93})
    assert (other.status_code, other.json()["type"]) == (409, "/problems/id-reused")
    assert counted(site, ledger) == 1


def test_a_completion_of_earlier_keeps_its_time(site: Site) -> None:
    at = "2026-02-03T04:05:06.789000Z"
    reply = taken(site.guest().post(LESSON, json={"occurred_at": at}))
    assert reply["progress"]["completed_at"] == at


def test_a_clock_that_is_ahead_is_corrected_here_as_well(sqlite_site: Site) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    flagged = taken(sqlite_site.guest().post(LESSON, json={"occurred_at": ahead}))
    assert flagged["result"]["flags"] == ["clock-ahead"]
    corrected = taken(sqlite_site.guest().post(LESSON, json={"occurred_at": ahead, "sent_at": ahead}))
    assert corrected["result"]["flags"] == ["clock-corrected"]


def test_the_server_grades_an_answer(site: Site) -> None:
    client = site.client()
    wrong = taken(client.post(QUIZ, json={"answer": "b"}))
    assert wrong["attempt"] == {"score": 0, "passed": False, "feedback": ""}
    right = taken(client.post(QUIZ, json={"answer": "a", "duration_s": 3, "hints": 0}))
    assert right["attempt"] == {"score": 1, "passed": True, "feedback": "Right: it starts at 0."}
    assert (right["progress"]["attempts"], right["progress"]["completed"]) == (2, True)
    assert (right["progress"]["first_score"], right["progress"]["latest_score"]) == (0, 1)
    assert [one["type"] for one in right["changes"]] == ["step_completed"]


def test_an_attempt_sent_again_is_judged_as_it_was(site: Site) -> None:
    client, sent = site.guest(), {"id": str(uuid.uuid4()), "answer": "a"}
    first, again = taken(client.post(QUIZ, json=sent)), taken(client.post(QUIZ, json=sent))
    assert again["attempt"] == first["attempt"]
    assert (again["result"]["status"], again["progress"]["attempts"], again["changes"]) == ("duplicate", 1, [])


def test_what_is_sent_again_after_its_step_was_renamed_counts_once(site: Site) -> None:
    client = site.guest()
    sent = [(FIZZ, {"id": str(uuid.uuid4())}), (QUIZ, {"id": str(uuid.uuid4()), "answer": "a"})]
    first = [taken(client.post(path, json=body)) for path, body in sent]
    manifest = deepcopy(COURSE)
    for number in (1, 2):
        changed = manifest["modules"][0]["steps"][number]
        changed |= {"id": changed["id"] + "-new", "renamed_from": [changed["id"]]}
    site.publish(manifest)
    for name in ("{}", "{}-new"):
        for (path, body), before in zip(sent, first, strict=True):
            course, _, call = path.rpartition("/")
            again = taken(client.post(f"{name.format(course)}/{call}", json=body))
            assert again["result"] == before["result"] | {"status": "duplicate"}
            assert (again["progress"]["step"], again["changes"]) == (before["progress"]["step"] + "-new", [])
    other = client.post(FIZZ.replace("fizz", "for-1"), json=sent[0][1])
    assert (other.status_code, other.json()["type"]) == (409, "/problems/id-reused")
    changed = client.post(FIZZ.replace("fizz", "fizz-new"), json=sent[0][1] | {"hints": 1})
    assert (changed.status_code, changed.json()["type"]) == (409, "/problems/id-reused")
    with site.database.read() as connection:
        held = connection.execute(sa.select(ledger.c.type)).scalars().all()
    assert sorted(held) == ["attempted", "completed", "course_completed", "module_completed"]


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("/courses/none/steps/fizz/completion", {}, 404, "unknown-course"),
    ("/courses/python-basics/steps/none/completion", {}, 404, "unknown-step"),
    ("/courses/%01/steps/fizz/completion", {}, 404, "unknown-course"),
    (f"/courses/python-basics/steps/{'x' * 201}/completion", {}, 404, "unknown-step"),
    ("/courses/python-basics/steps/quiz/completion", {}, 409, "graded-step"),
    ("/courses/none/steps/quiz/attempts", {"answer": "a"}, 404, "unknown-course"),
    ("/courses/python-basics/steps/none/attempts", {"answer": "a"}, 404, "unknown-step"),
    ("/courses/python-basics/steps/fizz/attempts", {"answer": "a"}, 409, "no-grader"),
]


@pytest.mark.parametrize(("path", "sent", "status", "code"), REFUSED)
def test_a_refused_event_has_the_status_of_its_refusal(
    site: Site, path: str, sent: dict[str, Any], status: int, code: str
) -> None:
    reply = site.client().post(path, json=sent)
    assert (reply.status_code, reply.json()["type"]) == (status, f"/problems/{code}")
    assert "set-cookie" not in reply.headers
    assert counted(site, ledger) == 0


UNFIT: list[tuple[str, Any, str]] = [
    (LESSON, [], ""),
    (LESSON, {"id": "7"}, "id"),
    (LESSON, {"type": "attempted"}, "type"),
    (LESSON, {"course": "other"}, "course"),
    (LESSON, {"answer": "a"}, "answer"),
    (LESSON, {"hints": -1}, "hints"),
    (LESSON, {"score": "good"}, "score"),
    (LESSON, {"occurred_at": "today"}, "occurred_at"),
    (LESSON, {"sent_at": "now"}, "sent_at"),
    (LESSON, {"response": "a\0"}, "response"),
    (QUIZ, {}, "answer"),
    (QUIZ, {"answer": None}, "answer"),
    (QUIZ, {"answer": "z"}, "answer"),
    (QUIZ, {"answer": ["a"]}, "answer"),
    (QUIZ, {"answer": "a\0"}, "answer"),
    (QUIZ, {"answer": "x" * 70_000}, "answer"),
    (QUIZ, {"answer": "a", "score": 1}, "score"),
    (QUIZ, {"answer": "a", "response": "a"}, "response"),
]


@pytest.mark.parametrize(("path", "sent", "field"), UNFIT)
def test_a_body_that_does_not_fit_names_its_field(sqlite_site: Site, path: str, sent: Any, field: str) -> None:
    reply = sqlite_site.client().post(path, json=sent)
    assert (reply.status_code, [one["field"] for one in reply.json()["errors"]]) == (422, [field])
    assert counted(sqlite_site, ledger) == 0
