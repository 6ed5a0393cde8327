"""A learner's way from the first page to a second device, as the learner and the operator see it."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from tests.journeys.conftest import new_browser
from tests.torture.proof import assert_audit_is_clean
from tests.torture.server import Server

ACCOUNT = {"email": "ada@example.org", "password": "a long enough secret"}
LESSON = "/courses/python-basics/steps/welcome/completion"
QUIZ = "/courses/python-basics/steps/ranges/attempts"
PROGRESS = "/progress/courses/python-basics"


def event(step: str, ago: timedelta, **fields: Any) -> dict[str, Any]:
    at = (datetime.now(UTC) - ago).isoformat()
    return {"id": str(uuid.uuid4()), "course": "python-basics", "step": step, "occurred_at": at, **fields}


def body(reply: httpx2.Response, status: int = 200) -> Any:
    assert reply.status_code == status, reply.text
    return reply.json() if reply.content else None


def test_a_learner_begins_as_a_guest_is_graded_and_registers(server: Server, browser: httpx2.Client) -> None:
    # Nobody reads as empty, in the full shape.
    assert body(browser.get("/auth/me")) == {"kind": "nobody", "learner": None}
    assert body(browser.get("/progress"))["attempts"] == 0
    assert body(browser.get(PROGRESS))["status"] == "open"

    # The first write makes a guest, whom the cookie remembers.
    first = body(browser.post(LESSON))
    assert first["result"]["status"] == "recorded"
    assert [one["type"] for one in first["changes"]] == ["step_completed", "streak_extended"]
    guest = body(browser.get("/auth/me"))
    assert guest["kind"] == "guest"

    # The server grades: a wrong answer, then the right one.
    wrong = body(browser.post(QUIZ, json={"answer": "b"}))
    assert (wrong["attempt"]["score"], wrong["attempt"]["passed"], wrong["progress"]["completed"]) == (0, False, False)
    right = body(browser.post(QUIZ, json={"answer": "a"}))
    assert (right["attempt"]["score"], right["attempt"]["passed"], right["progress"]["attempts"]) == (1, True, 2)
    assert {"type", "step"} <= right["changes"][0].keys()

    # Registering turns the guest into the account: the same learner, and nothing is lost.
    registered = body(browser.post("/auth/register", json=ACCOUNT), 201)
    assert (registered["learner"]["id"], registered["learner"]["kind"]) == (guest["learner"]["id"], "account")
    assert "headway_guest" not in browser.cookies

    assert body(browser.get("/progress"))["attempts"] == 2
    assert assert_audit_is_clean(server.database)["events"] == 5


def everything_agrees(browser: httpx2.Client) -> dict[str, Any]:
    """All that the learner can look at tells of the same three steps; gives the overview."""
    overview: dict[str, Any] = body(browser.get("/progress"))
    assert (overview["steps_completed"], overview["exercises_completed"], overview["attempts"]) == (3, 2, 2)
    assert (overview["streak"]["current"], overview["duration_s"]) == (2, 90)
    assert body(browser.get("/progress/streak"))["longest"] == 2
    days = body(browser.get("/progress/history", params={"days": 30}))["days"]
    assert sum(one["attempts"] for one in days) == days[-1]["cumulative"]["attempts"] == 2
    entries = body(browser.get("/progress/events"))["items"]
    assert [(one["type"], one["step"]) for one in entries] == [
        ("attempted", "fizz"),
        ("enrolled", None),
        ("module_unlocked", None),
        ("module_completed", None),
        ("attempted", "ranges"),
        ("completed", "welcome"),
    ]
    return overview


def test_an_account_enrolls_sends_what_it_did_offline_and_goes_on_elsewhere(
    server: Server, browser: httpx2.Client
) -> None:
    learner = body(browser.post("/auth/register", json=ACCOUNT), 201)["learner"]
    body(browser.post(LESSON))
    body(browser.post(QUIZ, json={"answer": "a"}))

    # Enrolling counts once.
    assert browser.post("/courses/python-basics/enrollment").status_code == 201
    assert browser.post("/courses/python-basics/enrollment").status_code == 200
    course = body(browser.get(PROGRESS))
    assert (course["enrolled"], course["percent"], course["status"]) == (True, 50, "in_progress")
    assert [one["status"] for one in course["modules"]] == ["completed", "open"]

    # What was done offline yesterday comes late, and twice; one of it is of no course.
    late = event("fizz", timedelta(days=1), type="attempted", score=85, duration_s=90)
    lost = event("nowhere", timedelta(days=1), type="completed")
    sent = body(browser.post("/events", json={"events": [late, lost, late]}))
    assert [one["status"] for one in sent["results"]] == ["recorded", "refused", "duplicate"]
    assert sent["results"][1]["problem"]["type"] == "/problems/unknown-step"
    assert [one["best_score"] for one in sent["steps"]] == [0.85]
    assert "streak_extended" in {one["type"] for one in sent["changes"]}

    overview = everything_agrees(browser)

    # Signed out, this browser knows nothing; signed in, another knows everything.
    assert browser.post("/auth/logout").status_code == 204
    assert body(browser.get("/auth/me"))["kind"] == "nobody"
    assert body(browser.get("/progress"))["attempts"] == 0
    with new_browser(server) as elsewhere:
        assert elsewhere.post("/auth/login", json={**ACCOUNT, "password": "a wrong secret"}).status_code == 401
        assert body(elsewhere.post("/auth/login", json=ACCOUNT))["learner"] == learner
        assert body(elsewhere.get("/progress")) == overview
        assert elsewhere.delete("/courses/python-basics/enrollment").status_code == 204
        assert body(elsewhere.get(PROGRESS))["enrolled"] is False
        assert body(elsewhere.get("/progress"))["steps_completed"] == 3

    assert assert_audit_is_clean(server.database)["events"] == 7


def test_a_terminal_records_with_a_token_as_the_readme_shows(server: Server, browser: httpx2.Client) -> None:
    token = body(browser.post("/auth/guest"), 201)["token"]
    with new_browser(server) as terminal:
        terminal.headers["Authorization"] = f"Bearer {token}"
        one = event("welcome", timedelta(), type="completed")
        assert body(terminal.post("/events", json={"events": [one]}))["results"][0]["status"] == "recorded"
        assert body(terminal.post("/events", json={"events": [one]}))["results"][0]["status"] == "duplicate"
        changed = body(terminal.post("/events", json={"events": [{**one, "score": 0.5}]}))["results"][0]
        assert (changed["status"], changed["problem"]["type"]) == ("refused", "/problems/id-reused")
        assert body(terminal.get("/progress"))["steps_completed"] == 1
        assert not terminal.cookies
    assert body(browser.get("/auth/me"))["kind"] == "nobody"
