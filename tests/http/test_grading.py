"""Grading: it holds up nobody else, feedback is of the verdict that counts, and a grader's fault refuses nothing."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from importlib.metadata import EntryPoint
from threading import Event as Signal
from threading import Semaphore
from typing import Any

import pytest

from headway.graders import choice, registry
from headway.graders.registry import GraderFailed, GraderMissing
from headway.graders.verdict import Verdict
from headway.http import grading, services
from headway.http.services import GRADING_AT_ONCE
from headway.ledger import record
from headway.ledger.grading import grade_answers
from headway.store.schema import learner, ledger
from tests.http.server import COURSE, Site, serving
from tests.http.test_events import counted, event, send
from tests.http.test_steps import QUIZ, taken

PATIENCE_S = 10
Grade = Callable[[Mapping[str, Any], object], Verdict]


def answer(response: Any = "a", **fields: Any) -> dict[str, Any]:
    return event("quiz", response=response, **fields)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the grader is asked, each time."""
    seen: list[object] = []
    grade: Grade = choice.grade

    def note(config: Mapping[str, Any], response: object) -> Verdict:
        seen.append(response)
        return grade(config, response)

    monkeypatch.setattr(choice, "grade", note)
    return seen


def failing(error: Exception) -> Grade:
    """A grader that only fails."""

    def fail(config: Mapping[str, Any], response: object) -> Verdict:
        raise error

    return fail


def republish(site: Site, **grader: Any) -> None:
    """Put another version of the course in force, with another grader of the quiz."""
    manifest = deepcopy(COURSE)
    manifest["modules"][0]["steps"][2]["grader"] |= grader
    site.publish(manifest)


def test_nobody_waits_for_another_ones_grader(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, end = Signal(), Signal()
    grade: Grade = choice.grade

    def take_long(config: Mapping[str, Any], response: object) -> Verdict:
        begun.set()
        assert end.wait(PATIENCE_S * 2)
        return grade(config, response)

    monkeypatch.setattr(choice, "grade", take_long)
    slow, quick = site.guest(), site.guest()
    with ThreadPoolExecutor(1) as pool:
        try:
            waiting = pool.submit(send, slow, answer())
            assert begun.wait(PATIENCE_S)
            quick.timeout = PATIENCE_S
            assert send(quick, event(score=1))["results"][0]["status"] == "recorded"
            assert quick.get("/progress/courses/python-basics").is_success
            assert not waiting.done()
        finally:
            end.set()
        assert waiting.result()["results"][0]["status"] == "recorded"


def test_an_answer_is_graded_once(site: Site, asked: list[object]) -> None:
    taken(site.guest().post(QUIZ, json={"answer": "b"}))
    assert asked == ["b"]
    send(site.guest(), answer(), answer("b"), event(score=1, response="b"), event(score=0.4))
    assert asked == ["b", "a", "b"]


def test_feedback_is_of_the_verdict_that_was_recorded(site: Site) -> None:
    client, sent = site.guest(), {"id": str(uuid.uuid4()), "answer": "a"}
    first = taken(client.post(QUIZ, json=sent))
    republish(site, answer="b", when_wrong="It starts at 0.")
    again = taken(client.post(QUIZ, json=sent))
    assert (again["result"]["status"], again["attempt"]) == ("duplicate", first["attempt"])
    assert first["attempt"] == {"score": 1, "passed": True, "feedback": "Right: it starts at 0."}
    other = taken(client.post(QUIZ, json={"answer": "a"}))
    assert other["attempt"] == {"score": 0, "passed": False, "feedback": "It starts at 0."}


def test_a_version_published_while_an_answer_is_graded_judges_it(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish_meanwhile(*given: Any) -> Any:
        found = grade_answers(*given)
        republish(sqlite_site, answer="b", when_wrong="It starts at 0.")
        return found

    monkeypatch.setattr(grading, "grade_answers", publish_meanwhile)
    reply = taken(sqlite_site.guest().post(QUIZ, json={"answer": "a"}))
    assert reply["attempt"] == {"score": 0, "passed": False, "feedback": "It starts at 0."}


@pytest.mark.parametrize("fault", [GraderFailed("it broke"), GraderMissing("it is not installed")])
def test_a_fault_of_a_grader_is_the_servers_and_refuses_nothing(
    site: Site, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, sent = site.guest(), [event(score=1), answer(), event("for-1", type="completed")]
    with monkeypatch.context() as broken:
        broken.setattr(choice, "grade", failing(fault))
        reply = client.post("/events", json={"events": sent})
        single = client.post(QUIZ, json={"answer": "a"})
    for one in (reply, single):
        assert (one.status_code, one.headers["retry-after"]) == (503, "60")
        assert one.json()["type"].startswith("/problems/grader-")
    assert sent[1]["id"] in reply.json()["detail"]
    assert counted(site, ledger) == 0
    assert [one["status"] for one in send(client, *sent)["results"]] == ["recorded"] * 3


def test_a_nobody_who_meets_one_becomes_no_guest(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "grade", failing(GraderFailed("it broke")))
    reply = sqlite_site.client().post("/events", json={"events": [answer()]})
    assert (reply.status_code, "set-cookie" in reply.headers) == (503, False)
    assert counted(sqlite_site, learner) == 0


class Patient:
    """A plugin that waits until it is told to end."""

    def __init__(self) -> None:
        self.begun, self.end = Semaphore(0), Signal()

    def check(self, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        return []

    def grade(self, config: Mapping[str, Any], response: object) -> Verdict:
        self.begun.release()
        assert self.end.wait(PATIENCE_S * 3)
        return Verdict(1_000_000)

    def public(self, config: Mapping[str, Any]) -> dict[str, Any]:
        return {}


patient = Patient()


@pytest.fixture
def _plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    points = [EntryPoint("patient", f"{__name__}:patient", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    registry._plugins.cache_clear()
    patient.begun, patient.end = Semaphore(0), Signal()
    yield
    registry._plugins.cache_clear()
    registry._loaded.cache_clear()


def by_plugin(**grader: Any) -> dict[str, Any]:
    """The course with a step that the plugin grades."""
    manifest = deepcopy(COURSE)
    slow = {"id": "slow", "kind": "quiz", "title": "Slow", "prompt": "?", "grader": {"type": "patient", **grader}}
    manifest["modules"][0]["steps"].append(slow)
    return manifest


@pytest.mark.usefixtures("_plugin")
def test_no_plugin_is_asked_by_whoever_records(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_site.publish(by_plugin())
    client, sent = sqlite_site.guest(), [event(score=1), event("slow", response="x")]

    def publish_meanwhile(*given: Any) -> Any:
        found = grade_answers(*given)
        sqlite_site.publish(by_plugin(edition=2))
        return found

    patient.end.set()
    with monkeypatch.context() as broken:
        broken.setattr(grading, "grade_answers", publish_meanwhile)
        broken.setattr(record, "grade", failing(AssertionError("a plugin is asked in a transaction")))
        reply = client.post("/events", json={"events": sent})
    assert (reply.status_code, reply.json()["type"]) == (503, "/problems/busy")
    assert "retry-after" in reply.headers
    assert [one["status"] for one in send(client, *sent)["results"]] == ["duplicate", "recorded"]


@pytest.mark.usefixtures("_plugin")
def test_plugins_that_hang_hold_up_no_built_in_grader(sqlite_site: Site) -> None:
    sqlite_site.publish(by_plugin())
    guests = [sqlite_site.guest() for _ in range(GRADING_AT_ONCE + 1)]
    with ThreadPoolExecutor(len(guests)) as pool:
        try:
            hanging = [pool.submit(send, one, event("slow", response="x")) for one in guests]
            assert all(patient.begun.acquire(timeout=PATIENCE_S) for _ in range(GRADING_AT_ONCE))
            quick = sqlite_site.guest()
            quick.timeout = PATIENCE_S
            assert send(quick, answer())["results"][0]["status"] == "recorded"
            assert not any(one.done() for one in hanging)
        finally:
            patient.end.set()
        assert [one.result()["results"][0]["status"] for one in hanging] == ["recorded"] * len(guests)


@pytest.mark.usefixtures("_plugin")
def test_whoever_comes_while_too_many_wait_for_plugins_is_sent_away(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "PLUGINS_ASKED_MAX", 0)
    sent = event("slow", response="x")
    with serving(sqlite_url) as site, ThreadPoolExecutor(GRADING_AT_ONCE) as pool:
        site.publish(by_plugin())
        late, guests = site.guest(), [site.guest() for _ in range(GRADING_AT_ONCE)]
        try:
            hanging = [pool.submit(send, one, event("slow", response="x")) for one in guests]
            assert all(patient.begun.acquire(timeout=PATIENCE_S) for _ in guests)
            reply = late.post("/events", json={"events": [sent]}, timeout=PATIENCE_S)
            assert (reply.status_code, reply.json()["type"]) == (503, "/problems/busy")
        finally:
            patient.end.set()
        assert [one.result()["results"][0]["status"] for one in hanging] == ["recorded"] * len(guests)
        assert send(late, sent)["results"][0]["status"] == "recorded"


def test_a_grader_that_fails_only_in_the_transaction_refuses_nothing_either(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, sent = sqlite_site.guest(), [event(score=1), answer()]
    with monkeypatch.context() as broken:
        broken.setattr(grading, "grade_answers", lambda *_: {})
        broken.setattr(record, "grade", failing(GraderFailed("it broke")))
        reply = client.post("/events", json={"events": sent})
    assert (reply.status_code, reply.json()["type"]) == (503, "/problems/grader-failed")
    assert [one["status"] for one in send(client, *sent)["results"]] == ["duplicate", "recorded"]


def test_more_than_can_be_graded_at_once_is_413_and_goes_through_in_parts(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grading, "GRADING_S_MAX", -1)
    client, sent = sqlite_site.guest(), [answer(), answer("b"), event(score=1)]
    reply = client.post("/events", json={"events": sent})
    assert (reply.status_code, reply.json()["type"]) == (413, "/problems/too-large")
    assert "response" in reply.json()["detail"]
    assert counted(sqlite_site, ledger) == 0
    assert [send(client, one)["results"][0]["status"] for one in sent] == ["recorded"] * 3
