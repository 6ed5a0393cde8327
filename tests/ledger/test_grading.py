"""Answers graded before they are handed in: never in the transaction, and always by the version that records them."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from headway.domain.events import Event
from headway.graders.registry import GraderFailed
from headway.graders.verdict import ResponseInvalid, Verdict
from headway.ledger import bulk, grading, record
from headway.ledger.grading import TooMuchToGrade, grade_answers, grade_by, is_answer
from headway.ledger.submission import Receipt, Submission
from tests.domain.manifests import course, module, step
from tests.ledger.world import GRADER, HOUR, NOON, World, event, statuses


def answer(number: int, response: Any = "b", **fields: Any) -> Event:
    """An answer to the step that is graded."""
    return event(number, of="graded", response=response, **fields)


def graded(world: World, *events: Event) -> Submission:
    """A submission as the server makes it, of a learner of its own."""
    verdicts = grade_answers(world.database, world.catalog, events)
    return Submission(world.learner(), events, NOON + HOUR, verdicts=verdicts)


def recorded(world: World, one: Submission) -> Receipt:
    (receipt,) = world.submit(one)
    assert isinstance(receipt, Receipt), receipt
    return receipt


@pytest.fixture
def ungraded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that asks a grader fails the test."""

    def fail(config: Mapping[str, Any], response: Any) -> Verdict:
        raise AssertionError(f"graded in the transaction: {config['type']}, {response!r}")

    monkeypatch.setattr(record, "grade", fail)


@pytest.mark.usefixtures("ungraded")
def test_what_was_graded_before_is_not_graded_in_the_transaction(world: World) -> None:
    sent = graded(world, answer(1), answer(2, "a"), answer(3, "z"), event(4, score=0.5, response="b"))
    receipt = recorded(world, sent)
    assert statuses(receipt) == ["recorded", "recorded", "invalid", "recorded"]
    assert [(one.score, one.passed, one.version) for one in receipt.results[:2]] == [
        (1_000_000, True, 1),
        (0, False, 1),
    ]


def test_a_version_published_in_between_grades_again(world: World) -> None:
    one = answer(1)
    sent = graded(world, one)
    world.publish(course(module("first", step("graded", grader=GRADER | {"answer": "a", "when_wrong": "No."}))))
    (result,) = recorded(world, sent).results
    assert (result.status, result.score, result.passed, result.version) == ("recorded", 0, False, 2)
    repeated = recorded(world, sent._replace(received_at=NOON + 2 * HOUR)).results[0]
    assert (repeated.status, repeated.score, repeated.version) == ("duplicate", 0, 2)
    by = {n: grade_by(world.database, world.catalog, one, ("python", n, "graded")) for n in (1, 2)}
    assert by == {1: Verdict(1_000_000, ""), 2: Verdict(0, "No.")}
    world.assert_clean()


def test_a_verdict_is_on_its_own_answer_alone(world: World) -> None:
    verdicts = grade_answers(world.database, world.catalog, [answer(1)])
    one = Submission(world.learner(), (answer(2, "a"),), NOON + HOUR, verdicts=verdicts)
    assert recorded(world, one).results[0].score == 0


def test_what_no_grader_judges_is_not_asked_about(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [event(1, score=0.5, response="b"), event(2, "completed", response="b"), event(3), event(4, "opened")]
    assert not any(map(is_answer, others))
    elsewhere = [event(5, response="b"), event(6, of="none", response="b"), event(7, course="none", response="b")]
    assert grade_answers(world.database, world.catalog, elsewhere) == {}
    monkeypatch.setattr(world.database, "read", None)
    assert grade_answers(world.database, world.catalog, others) == {}


def test_a_grader_that_fails_is_told_as_what_became_of_its_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(config: Mapping[str, Any], response: Any) -> Verdict:
        if response == "b":
            raise GraderFailed("broken")
        raise ResponseInvalid("not one of them")

    monkeypatch.setattr(grading, "grade", fail)
    found = grade_answers(world.database, world.catalog, [answer(1), answer(2, "z")])
    assert [type(one) for one in found.values()] == [GraderFailed, ResponseInvalid]


def test_what_a_request_may_cost_is_bounded_and_the_first_answer_is_always_graded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(time, "thread_time", lambda: next(clock))
    answers = [answer(n, "a" if n % 2 else "b", hints=n) for n in range(1, 9)]
    with pytest.raises(TooMuchToGrade, match=r"response.*send fewer events") as refused:
        grade_answers(world.database, world.catalog, answers, 3)
    assert refused.value.field == "response"
    assert len(grade_answers(world.database, world.catalog, answers, 60)) == 8
    assert len(grade_answers(world.database, world.catalog, answers[:1], 0)) == 1


@pytest.mark.usefixtures("ungraded")
def test_many_at_once_are_graded_outside_of_their_transactions(world: World) -> None:
    ada = world.learner()
    sent = [Submission(ada, (answer(n),), NOON + HOUR) for n in range(1, 6)]
    receipts = list(bulk.record_all(world.database, world.catalog, sent, size=2))
    assert [statuses(one) for one in receipts if isinstance(one, Receipt)] == [["recorded"]] * 5
