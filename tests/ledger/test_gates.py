"""Gates where events are recorded: what is refused, what opens, what is granted once and stays."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.engine import Connection
from structlog.testing import capture_logs

from headway.domain.events import fact_event
from headway.domain.facts import OVERRIDDEN
from headway.domain.times import format_time
from headway.ledger.commit import commit
from headway.ledger.record import record
from headway.ledger.submission import Receipt, Submission
from tests.ledger.facts import begin_anew, grade, override
from tests.ledger.gates import ALL_GRANTS, GATES, WAY, Held, certificates, gated, grants, names, through
from tests.ledger.test_identities import newcomer
from tests.ledger.world import HOUR, NOON, World, event, numbered, seconds, statuses

LATE = NOON + 5 * HOUR


@pytest.fixture
def gates(world: World) -> World:
    """A world with a course of three modules, each opened by the one before."""
    world.publish(GATES)
    return world


def told(receipt: Receipt) -> list[tuple[str, str]]:
    """The changes of a receipt by type, and of which module or step."""
    return [(one["type"], str(one.get("module", one.get("step", "")))) for one in receipt.changes]


def at(offset_s: float) -> dict[str, Any]:
    return {"occurred_at": format_time(NOON + seconds(offset_s))}


def test_a_locked_step_refuses_with_the_reason_and_nothing_is_recorded(gates: World) -> None:
    ada = gates.learner()
    receipt = gates.send(ada, gated(1, of="exam", score=1), gated(2, of="fizz", kind="opened"))
    assert statuses(receipt) == ["locked", "locked"]
    problems = [one.problem for one in receipt.results if one.problem]
    assert [one.code for one in problems] == ["locked", "locked"]
    assert [one.field for one in problems] == ["step", "step"]
    assert "'A module' is locked until you complete" in problems[0].detail
    assert (receipt.steps, receipt.changes, gates.entries(ada)) == ([], [], [])
    assert (gates.count("step_sum"), gates.count("course_run"), gates.count("granted")) == (0, 0, 0)
    gates.assert_clean()


def test_a_newcomer_whose_only_event_is_locked_does_not_come_into_being(gates: World) -> None:
    guest = newcomer()
    sent = Submission(guest.learner["id"], (gated(1, of="exam", score=1),), NOON + HOUR, newcomer=guest)
    (answer,) = gates.submit(sent)
    assert isinstance(answer, Receipt)
    assert statuses(answer) == ["locked"]
    assert (gates.count("learner"), gates.count("session"), gates.count("ledger")) == (0, 0, 0)


def test_what_was_done_offline_in_one_request_opens_its_own_way_in_order_of_time(gates: World) -> None:
    ada = gates.learner()
    names_of = [(name, n) for name in ("basics", "loops", "end") for n in range(len(WAY[name]))]
    way = [gated(n, **{**WAY[name][i], **at(n)}) for n, (name, i) in enumerate(names_of)]
    receipt = gates.send(ada, *reversed(way))
    assert statuses(receipt) == ["recorded"] * 5
    assert [one for one in told(receipt) if one[0] != "streak_extended"] == [
        ("step_completed", "read"),
        ("step_completed", "ask"),
        ("module_completed", "basics"),
        ("module_unlocked", "loops"),
        ("step_completed", "fizz"),
        ("step_completed", "pick"),
        ("module_completed", "loops"),
        ("module_unlocked", "end"),
        ("step_completed", "exam"),
        ("module_completed", "end"),
        ("course_completed", ""),
        ("certificate_issued", ""),
    ]
    assert names(grants(gates, ada)) == ALL_GRANTS
    gates.assert_clean()


def test_out_of_order_what_is_locked_is_refused_and_the_rest_is_not(gates: World) -> None:
    ada = gates.learner()
    early = gated(9, of="exam", score=1, **at(-60))
    receipt = gates.send(ada, *through("basics"), early, *through("loops", start=20))
    assert statuses(receipt) == ["recorded", "recorded", "locked", "recorded", "recorded"]
    # It was made while it was locked, and is judged by what is open when it arrives.
    again = gates.send(ada, early)
    assert statuses(again) == ["recorded"]
    assert gates.entries(ada)[-4].at == NOON - seconds(60)
    gates.assert_clean()


def test_what_was_made_while_locked_is_taken_once_another_device_opened_it(gates: World) -> None:
    ada = gates.learner()
    offline = [gated(50, of="fizz", score=0.9, **at(60)), gated(51, of="pick", response="b", **at(120))]
    assert statuses(gates.send(ada, *offline)) == ["locked", "locked"]
    gates.send(ada, *through("basics", **at(3000)))
    receipt = gates.send(ada, *offline, at=LATE)
    assert statuses(receipt) == ["recorded", "recorded"]
    assert ("module_completed", "loops") in told(receipt)
    dates = {one.module: one.at for one in grants(gates, ada) if one.kind == "module_completed"}
    assert dates == {"basics": NOON + seconds(3000), "loops": NOON + seconds(120)}
    gates.assert_clean()


def test_history_from_elsewhere_is_not_gated_and_what_it_began_is_open(gates: World) -> None:
    ada = gates.learner()
    assert statuses(gates.send(ada, gated(1, of="exam", score=0.1))) == ["locked"]
    (answer,) = gates.submit(Submission(ada, (gated(2, of="exam", score=0.3),), NOON, source="imported"))
    assert isinstance(answer, Receipt)
    assert statuses(answer) == ["recorded"]
    receipt = gates.send(ada, gated(3, of="exam", score=0.9), gated(4, of="fizz", score=1))
    assert statuses(receipt) == ["recorded", "locked"]
    assert told(receipt)[-1] == ("module_completed", "end")
    gates.assert_clean()


def test_a_module_is_completed_once_with_its_score_and_date_and_nothing_takes_it_back(gates: World) -> None:
    ada = gates.learner()
    first = gates.send(ada, *through("basics", **at(0)))
    granted = grants(gates, ada)
    # A quarter by the lesson, three quarters of 0.9 by the quiz.
    assert granted == [
        Held("module_completed", "basics", 925_000, NOON),
        Held("module_unlocked", "loops", None, NOON),
    ]
    completed = next(one for one in first.changes if one["type"] == "module_completed")
    assert (completed["score_percent"], completed["completed_at"]) == (92.5, format_time(NOON))
    for n, score in enumerate((0, 1, 0.5)):
        later = gates.send(ada, gated(10 + n, of="ask", score=score, **at(600 + n)), at=LATE)
        assert {one for one, _ in told(later)} <= {"streak_extended"}
    override(gates, ada, "ask", 0, final=True)
    assert grants(gates, ada) == granted
    assert statuses(gates.send(ada, gated(30, of="fizz", score=0.2))) == ["recorded"]
    gates.assert_clean()


def test_the_course_and_its_certificate_come_with_what_completed_them(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through("basics", "loops"))
    assert certificates(gates, ada) == []
    receipt = gates.send(ada, gated(40, of="exam", score=0.8, **at(60)), at=LATE)
    assert [one for one, _ in told(receipt)][-3:] == ["module_completed", "course_completed", "certificate_issued"]
    (held,) = certificates(gates, ada)
    issued = receipt.changes[-1]
    assert (issued["certificate"], issued["issued_at"]) == (held["id"], format_time(LATE))
    mean = (925_000 + 1_000_000 + 800_000) // 3
    assert (held["score"], issued["score_percent"], held["issued_at"]) == (mean, round(mean / 10_000, 2), LATE)
    entries = {one.type: one for one in gates.entries(ada)}
    assert entries["certified"].event_id == held["id"]
    # All in one transaction: what the server wrote came in when that did which brought it.
    assert {one.received_at for one in gates.entries(ada)[-4:]} == {LATE}
    gates.assert_clean()


def test_a_grade_brings_what_its_attempt_waited_for(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through("basics"), gated(10, of="fizz", **at(60)), gated(11, of="pick", response="b", **at(61)))
    assert ("module_completed", "loops") not in names(grants(gates, ada))
    low = grade(gates, ada, numbered(10), 500_000)
    assert told(low) == [("step_graded", "fizz")]
    high = grade(gates, ada, numbered(10), 700_000, at=LATE)
    assert told(high) == [
        ("step_graded", "fizz"),
        ("step_completed", "fizz"),
        ("module_completed", "loops"),
        ("module_unlocked", "end"),
    ]
    (held,) = [one for one in grants(gates, ada) if one.kind == "module_completed" and one.module == "loops"]
    assert (held.score, held.at) == ((70 * 40 + 100 * 30) * 10_000 // 70, LATE)
    row = next(one for one in gates.rows_of("step_sum") if one["step_id"] == "fizz")
    assert (row["attempts"], row["scores"], row["score_total"], row["unscored"]) == (1, 1, 700_000, 0)
    gates.assert_clean()


def test_a_waiver_completes_and_a_grade_moves_the_day_of_its_attempt(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through("basics"))
    gates.send(ada, gated(10, of="fizz", **at(-48 * 3600)), gated(11, of="fizz", score=0.1))
    grade(gates, ada, numbered(10), 900_000)
    days = {row["day"]: (row["attempts"], row["scores"], row["steps_completed"]) for row in gates.rows_of("day_sum")}
    assert days == {"2026-02-27": (1, 1, 1), "2026-03-01": (2, 2, 2)}
    receipt = override(gates, ada, "pick", waived=True, by="somebody", reason="was ill")
    assert told(receipt)[:3] == [("step_overridden", "pick"), ("step_completed", "pick"), ("module_completed", "loops")]
    gates.assert_clean()


def test_a_new_run_has_gates_and_grants_of_its_own(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through("basics", "loops", "end"))
    first = grants(gates, ada)
    begin_anew(gates, ada)
    assert statuses(gates.send(ada, gated(40, of="exam", score=1))) == ["locked"]
    # What is told of the first run, in the same transaction, opens nothing of the second.
    said = {"course": "gates", "run": 1, "step": "exam", "score": 900_000, "reason": "a typing error"}
    of_first = fact_event(numbered(41), OVERRIDDEN, format_time(LATE), said)
    answers = gates.submit(
        Submission(ada, (of_first,), LATE, source="server"), Submission(ada, (gated(42, of="exam"),), LATE)
    )
    assert [statuses(one) for one in answers if isinstance(one, Receipt)] == [["recorded"], ["locked"]]
    receipt = gates.send(ada, *through("basics", "loops", "end", start=50, **at(60)), at=LATE)
    assert told(receipt)[-1] == ("certificate_issued", "")
    assert (grants(gates, ada), names(grants(gates, ada, 2))) == (first, ALL_GRANTS)
    assert sorted(row["run"] for row in certificates(gates, ada)) == [1, 2]
    gates.assert_clean()


EVIDENCE = {**GATES, "evidence": "graded"}


def test_reported_results_give_the_course_and_graded_ones_the_certificate(gates: World) -> None:
    gates.publish(EVIDENCE)
    ada = gates.learner()
    reported = gates.send(ada, *through("basics", "loops", "end"))
    assert told(reported)[-1] == ("course_completed", "")
    assert certificates(gates, ada) == []
    gates.assert_clean()
    for step in ("ask", "fizz"):
        override(gates, ada, step, 900_000)
        assert certificates(gates, ada) == []
    receipt = override(gates, ada, "exam", 850_000, at=LATE)
    assert told(receipt)[-1] == ("certificate_issued", "")
    (held,) = certificates(gates, ada)
    of_loops = (900_000 * 40 + 1_000_000 * 30) / 70
    assert held["score"] == int((925_000 + of_loops + 850_000) / 3)
    gates.assert_clean()


@contextmanager
def failing_behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is recorded, its transaction fails."""

    def fails(connection: Connection, *given: Any, **named: Any) -> Any:
        record(connection, *given, **named)
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("headway.ledger.commit.record", fails)
        yield


def logged(logs: list[Any]) -> list[tuple[str, str, float | None, str]]:
    said = [one for one in logs if one["event"] == "status_changed"]
    return [(one["module"], one["status"], one["score"], one["reason"]) for one in said]


def test_statuses_are_logged_after_the_commit_and_not_where_it_fails(
    gates: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = gates.learner()
    sent = [Submission(ada, tuple(through("basics")), NOON + HOUR)]
    with capture_logs() as logs, failing_behind(monkeypatch), pytest.raises(RuntimeError):
        commit(gates.database, gates.catalog, sent)
    assert (logged(logs), gates.entries(ada)) == ([], [])
    with capture_logs() as logs:
        commit(gates.database, gates.catalog, sent)
    assert logged(logs) == [
        ("", "in_progress", None, numbered(0)),
        ("basics", "in_progress", None, numbered(0)),
        ("basics", "completed", 0.925, numbered(1)),
        ("loops", "open", None, numbered(1)),
    ]
    with capture_logs() as logs:
        commit(gates.database, gates.catalog, [Submission(ada, tuple(through("loops", "end", start=9)), LATE)])
    assert logged(logs)[-1][:2] == ("", "completed")
    assert {one["learner_id"] for one in logs} == {ada}
    with capture_logs() as logs:
        commit(gates.database, gates.catalog, [Submission(ada, (gated(99, of="ask", score=0),), LATE)])
        commit(gates.database, gates.catalog, [Submission(ada, (gated(99, of="ask", score=0),), LATE + 1)])
    assert logged(logs) == []


def test_what_was_granted_is_there_after_a_restart(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through("basics", "loops", "end"))
    before = (gates.figures(ada), gates.entries(ada))
    gates.restart()
    assert (gates.figures(ada), gates.entries(ada)) == before
    assert statuses(gates.send(ada, gated(40, of="exam", score=0.2))) == ["recorded"]
    assert names(grants(gates, ada)) == ALL_GRANTS
    gates.assert_clean()


def test_two_who_share_a_transaction_are_granted_each_their_own(gates: World) -> None:
    ada, ben = gates.learner(), gates.learner()
    answers = gates.submit(
        Submission(ada, tuple(through("basics")), LATE),
        Submission(ben, (gated(1, of="exam", score=1),), LATE),
        Submission(ada, tuple(through("loops", start=20)), LATE),
        Submission(ben, tuple(through("basics", "loops", "end", start=30)), LATE),
        Submission(ada, (event(50, score=1),), LATE),
    )
    receipts = [one for one in answers if isinstance(one, Receipt)]
    assert [statuses(one) for one in receipts] == [
        ["recorded"] * 2,
        ["locked"],
        ["recorded"] * 2,
        ["recorded"] * 5,
        ["recorded"],
    ]
    assert told(receipts[3])[-1] == ("certificate_issued", "")
    assert {one for one, _ in told(receipts[4])} == {"step_completed"}
    assert [len(grants(gates, one)) for one in (ada, ben)] == [4, 7]
    assert [len(certificates(gates, one)) for one in (ada, ben)] == [0, 1]
    gates.assert_clean()
