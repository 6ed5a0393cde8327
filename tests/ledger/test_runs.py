"""Retakes: a new run of a course starts from nothing, the old one stays, and nothing is gained by it but progress."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event as hooks
from structlog.testing import capture_logs

from headway.domain.errors import IdentityGone, IdReused, UnknownCourse
from headway.domain.events import parse_event
from headway.domain.recording import IMPORTED
from headway.domain.times import format_time
from headway.ledger import retake
from headway.ledger.rebuild import rebuild
from headway.ledger.record import record
from headway.ledger.retake import RunEmpty, Started, TooManyRuns
from headway.ledger.submission import Receipt, Submission
from headway.store.schema import course_run, day_sum, topic_sum
from headway.views.course_progress import UnknownRun, read_course, read_module
from headway.views.overview import read_overview
from headway.views.runs import read_runs
from headway.views.subject import NOBODY, Subject
from tests.ledger.at_once import at_once
from tests.ledger.facts import begin_anew
from tests.ledger.gates import ALL_GRANTS, GATES, certificates, gated, grants, names, through
from tests.ledger.guests import guest_in, move, session_of
from tests.ledger.test_erase import erase_one
from tests.ledger.world import HOUR, NOON, World, numbered, statuses

LATER = NOON + 2 * HOUR
WHOLE = ("basics", "loops", "end")


@pytest.fixture
def gates(world: World) -> World:
    """A world with the course of gates."""
    world.publish(GATES)
    return world


def retaken(world: World, learner_id: str, number: int | None = None, *, now: int = LATER, **asked: Any) -> Started:
    numbers = {} if number is None else {"id": numbered(number)}
    return begin_anew(world, learner_id, at=now, **numbers, **asked)


def shown(world: World, learner_id: str, run: int | None = None) -> Any:
    with world.database.read() as connection:
        return read_course(connection, world.catalog, Subject(learner_id, "UTC"), "gates", run)


def totals(world: World, learner_id: str, table: Any = day_sum) -> tuple[int, ...]:
    """What counts steps, over all runs: steps and exercises completed, points."""
    rows = world.rows(table, learner_id)
    return tuple(sum(row[name] for row in rows) for name in ("steps_completed", "exercises_completed", "points"))


def test_a_new_run_starts_from_nothing_and_the_old_one_stays(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through(*WHOLE))
    before = shown(gates, ada)
    assert retaken(gates, ada) == Started("gates", 2, LATER)
    now = shown(gates, ada)
    assert (now.run, now.status, now.percent, now.score_percent, now.certificate) == (2, "open", 0, 0, None)
    assert [one.status for one in now.modules] == ["open", "locked", "locked"]
    assert shown(gates, ada, 1) == before
    assert (before.status, before.certificate) == ("completed", certificates(gates, ada)[0]["id"])
    gates.assert_clean()


def test_gates_grants_and_certificates_are_a_runs_own(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through(*WHOLE))
    retaken(gates, ada)
    assert statuses(gates.send(ada, gated(of="exam", score=1), at=LATER)) == ["locked"]
    receipt = gates.send(ada, *through(*WHOLE, start=50), at=LATER + HOUR)
    assert [one["type"] for one in receipt.changes].count("certificate_issued") == 1
    assert names(grants(gates, ada, 1)) == names(grants(gates, ada, 2)) == ALL_GRANTS
    issued = certificates(gates, ada)
    assert (len(issued), {one["run"] for one in issued}) == (2, {1, 2})
    assert shown(gates, ada, 1).certificate != shown(gates, ada, 2).certificate
    gates.assert_clean()


def test_beginning_anew_wins_no_points(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through(*WHOLE))
    once, topics = totals(gates, ada), totals(gates, ada, topic_sum)
    assert once == (5, 4, 75)
    for n in range(3):
        retaken(gates, ada, now=LATER + n * HOUR)
        gates.send(ada, *through(*WHOLE, start=100 * (n + 1)), at=LATER + n * HOUR)
    assert (totals(gates, ada), totals(gates, ada, topic_sum)) == (once, topics)
    assert sum(row["attempts"] for row in gates.rows(day_sum, ada)) == 16
    with gates.database.read() as connection:
        overview = read_overview(connection, gates.catalog, Subject(ada, "UTC"), LATER)
    assert (overview.steps_completed, overview.exercises_completed, overview.points) == once
    gates.assert_clean()


def test_what_counts_lies_where_a_step_was_first_completed_in_whichever_run(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, gated(1, of="ask", score=1))
    retaken(gates, ada)
    yesterday = NOON - 24 * HOUR
    # Done offline before the first completion, it arrives in the second run; then another in that run, later.
    gates.send(ada, gated(2, of="ask", score=1, occurred_at=format_time(yesterday)), at=LATER)
    gates.send(ada, gated(3, of="ask", score=1, occurred_at=format_time(NOON + HOUR)), at=LATER)
    rows = {(row["day"], row["run"]): row["points"] for row in gates.rows(day_sum, ada)}
    assert rows == {("2026-02-28", 2): 10, ("2026-03-01", 1): 0, ("2026-03-01", 2): 0}
    gates.assert_clean()
    assert rebuild(gates.database, gates.catalog).updated == 0


def test_late_offline_events_go_to_the_run_in_force(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, gated(1, of="read", kind="opened"))
    retaken(gates, ada)
    late = gated(2, of="read", kind="completed", occurred_at=format_time(NOON - HOUR))
    gates.send(ada, late, at=LATER + HOUR)
    assert gates.entries(ada)[-1].run == 2
    assert (shown(gates, ada, 1).percent, shown(gates, ada, 2).percent) == (0, 20)
    # It began when the learner said so, and not with what was done before.
    assert [row["started_at"] for row in gates.rows(course_run, ada)] == [NOON, LATER]
    assert statuses(gates.send(ada, late, at=LATER + 2 * HOUR)) == ["duplicate"]
    gates.assert_clean()


def test_what_is_sent_again_from_before_shows_its_step_as_it_stands_now(gates: World) -> None:
    ada = gates.learner()
    done = gated(1, of="ask", score=1)
    gates.send(ada, done)
    retaken(gates, ada)
    (shown_now,) = gates.send(ada, done, at=LATER).steps
    assert (shown_now.key.run, shown_now.sum.attempts, shown_now.status) == (2, 0, "open")
    gates.send(ada, gated(2, of="ask", score=0.5), at=LATER)
    (shown_now,) = gates.send(ada, done, at=LATER + HOUR).steps
    assert (shown_now.key.run, shown_now.sum.attempts, shown_now.sum.best) == (2, 1, 500_000)
    gates.assert_clean()


def test_history_that_is_imported_goes_to_the_run_in_force_past_its_gates(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through("basics"))
    retaken(gates, ada)
    past = gated(30, of="exam", score=1, occurred_at=format_time(NOON - 24 * HOUR))
    (answer,) = gates.submit(Submission(ada, (past,), LATER, source=IMPORTED))
    assert isinstance(answer, Receipt)
    assert statuses(answer) == ["recorded"]
    assert (gates.entries(ada)[-1].run, shown(gates, ada).percent, shown(gates, ada, 1).percent) == (2, 20, 40)
    gates.assert_clean()


def test_of_who_is_erased_each_step_counts_once_still(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through(*WHOLE))
    retaken(gates, ada)
    # One that was done before all of the first run, and arrives in the second.
    early = gated(40, of="read", kind="completed", occurred_at=format_time(NOON - 24 * HOUR))
    gates.send(ada, early, *through("basics", start=50), at=LATER)

    def worth() -> list[tuple[Any, ...]]:
        names = ("day", "run", "attempts", "steps_completed", "exercises_completed", "points")
        return [tuple(row[name] for name in names) for row in gates.rows_of("day_sum")]

    before = worth()
    erase_one(gates, ada)
    assert worth() == before
    assert sum(points for *_, points in before) == 75
    gates.assert_clean()


def test_a_run_without_anything_in_it_is_not_begun_anew(gates: World) -> None:
    ada = gates.learner()
    with pytest.raises(RunEmpty):
        retaken(gates, ada)
    gates.send(ada, gated(of="read", kind="opened"))
    assert retaken(gates, ada).run == 2
    with pytest.raises(RunEmpty):
        retaken(gates, ada)
    assert len(gates.entries(ada)) == 2


def test_a_course_is_taken_so_often_at_most(gates: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retake, "RUNS_MAX", 2)
    ada = gates.learner()
    gates.send(ada, gated(of="read", kind="opened"))
    retaken(gates, ada)
    gates.send(ada, gated(of="read", kind="opened"))
    with pytest.raises(TooManyRuns, match="2 times"):
        retaken(gates, ada)


def test_sent_again_it_begins_no_other_run(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, gated(1, of="read", kind="opened"))
    first = retaken(gates, ada, 7)
    again = retaken(gates, ada, 7, now=LATER + HOUR)
    assert again == first._replace(repeated=True)
    gates.send(ada, gated(of="read", kind="opened"), at=LATER + HOUR)
    assert retaken(gates, ada, 7, now=LATER + HOUR) == again
    for other in ({"number": 1}, {"number": 7, "course": "python"}):
        with pytest.raises(IdReused):
            retaken(gates, ada, **other)
    assert statuses(gates.send(ada, gated(7, of="read", kind="opened"))) == ["id-reused"]


def test_begun_at_once_by_two_devices_it_is_one_run(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, gated(of="read", kind="opened"))
    found: list[object] = []

    def begin() -> None:
        try:
            found.append(retaken(gates, ada).run)
        except RunEmpty as refusal:
            found.append(refusal.code)

    at_once(*[begin] * 4)
    assert sorted(map(str, found)) == ["2", "run-empty", "run-empty", "run-empty"]
    gates.assert_clean()


@pytest.mark.parametrize("course", ["none", "a\0b", "x" * 300])
def test_there_is_no_run_of_what_is_no_course(gates: World, course: str) -> None:
    with pytest.raises(UnknownCourse):
        retaken(gates, gates.learner(), course=course)


def test_who_is_gone_begins_nothing(gates: World) -> None:
    ada, guest = gates.learner(), guest_in(gates, gated(of="read", kind="opened"))
    gates.send(ada, gated(of="read", kind="opened"))
    move(gates, ada, guest)
    for learner_id, token in ((guest.id, None), (str(uuid4()), None), (ada, session_of(ada, "ended")["token_hash"])):
        with pytest.raises(IdentityGone):
            retaken(gates, learner_id, token_hash=token)


def test_a_new_run_is_told_and_logged(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, gated(of="read", kind="opened"))
    with capture_logs() as logs:
        retaken(gates, ada, 9)
        retaken(gates, ada, 9, now=LATER + 1)
    told = [(one["run"], one["module"], one["status"], one["reason"]) for one in logs]
    assert told == [(2, "", "open", numbered(9))]
    entry = gates.entries(ada)[-1]
    assert (entry.type, entry.run, entry.source) == ("run_started", 2, "server")
    assert '"type":"run_started"' in (entry.changes or "")


def test_what_is_done_first_in_a_new_run_is_logged_once(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through("basics"))
    retaken(gates, ada)
    first = gates.send(ada, *(gated(n, of="read", kind="opened") for n in (20, 21)), at=LATER)
    assert moved_by(first) == [("basics", "in_progress", numbered(20)), ("", "in_progress", numbered(20))]
    assert moved_by(gates.send(ada, gated(22, of="read", kind="opened"), at=LATER)) == []
    # Another module of a run in which something was done before: the course is in progress already.
    gates.send(ada, *through("basics", start=30), at=LATER)
    later = gates.send(ada, gated(40, of="fizz", kind="opened"), at=LATER)
    assert moved_by(later) == [("loops", "in_progress", numbered(40))]


def moved_by(receipt: Receipt) -> list[tuple[str, str, str]]:
    """The statuses of the second run that are to be logged, and why."""
    return [(one.module, one.status, one.reason) for one in receipt.statuses if one.run == 2]


def test_a_lost_answer_is_told_as_it_would_have_been(gates: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = gates.learner()
    gates.send(ada, gated(of="read", kind="opened"))

    def twice(database: Any, work: Any) -> Any:
        with database.transaction() as connection:
            work(connection)
        with database.transaction() as connection:
            return work(connection)

    monkeypatch.setattr(retake, "committed", twice)
    with capture_logs() as logs:
        assert retaken(gates, ada) == Started("gates", 2, LATER)
    assert len(logs) == 1


def test_the_runs_are_listed_the_newest_first(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through(*WHOLE))
    retaken(gates, ada)
    gates.send(ada, *through("basics", start=60), at=LATER)
    with gates.database.read() as connection:
        second, first = read_runs(connection, gates.catalog, Subject(ada, "UTC"), "gates")
        assert read_runs(connection, gates.catalog, NOBODY, "gates") == []
        assert read_runs(connection, gates.catalog, Subject(gates.learner(), "UTC"), "gates") == []
        with pytest.raises(UnknownCourse):
            read_runs(connection, gates.catalog, Subject(ada, "UTC"), "none")
    assert (first.run, first.started_at, first.certificate) == (1, format_time(NOON), certificates(gates, ada)[0]["id"])
    for summary in (first, second):
        page = shown(gates, ada, summary.run)
        assert (summary.score_percent, summary.completed_at) == (page.score_percent, page.completed_at)
    assert (second.run, second.started_at, second.certificate) == (2, format_time(LATER), None)
    assert 0 < second.score_percent < first.score_percent


def test_a_run_that_was_not_begun_is_not_read(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through("basics"))
    who = Subject(ada, "UTC")
    with gates.database.read() as connection:
        assert read_module(connection, gates.catalog, who, "gates", "basics", 1).status == "completed"
        for number in (0, 2, -1, 10**30):
            with pytest.raises(UnknownRun):
                read_course(connection, gates.catalog, who, "gates", number)


def test_a_guest_brings_each_run_under_its_number(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through(*WHOLE))
    retaken(gates, ada)
    gates.send(ada, *through("basics", start=20), at=LATER)
    guest = guest_in(gates, *through("basics", "loops", start=40))
    moved = move(gates, ada, guest)
    assert moved is not None
    assert [shown(gates, ada, run).percent for run in (1, 2)] == [100, 40]
    assert totals(gates, ada) == (5, 4, 75)
    gates.assert_clean()
    assert rebuild(gates.database, gates.catalog).updated == 0


def test_a_guest_who_began_anew_takes_the_account_along(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through("basics"))
    guest = guest_in(gates, *through("basics", start=20))
    retaken(gates, guest.id)
    gates.send(guest.id, gated(30, of="read", kind="completed"), at=LATER)
    move(gates, ada, guest, now=LATER + HOUR)
    assert (shown(gates, ada).run, shown(gates, ada).percent, shown(gates, ada, 1).percent) == (2, 20, 40)
    assert totals(gates, ada)[0] == 2
    gates.send(ada, gated(31, of="ask", score=1), at=LATER + 2 * HOUR)
    assert next(one for one in gates.entries(ada) if one.event_id == numbered(31)).run == 2
    gates.assert_clean()
    assert rebuild(gates.database, gates.catalog).updated == 0


def test_rebuild_gives_runs_again_as_they_were(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through(*WHOLE))
    retaken(gates, ada)
    gates.send(ada, *through("basics", "loops", start=60), at=LATER)
    figures = gates.figures(ada)
    for table in ("course_run", "granted", "certificate", "step_sum", "day_sum", "topic_sum"):
        gates.run(f"DELETE FROM {table} WHERE learner_id = :id", id=ada)
    assert rebuild(gates.database, gates.catalog).updated == 1
    assert gates.figures(ada) == figures
    gates.assert_clean()


def test_what_it_costs_to_record_grows_with_no_run(gates: World) -> None:
    """In the sixth run a completion is asked for in the same number of statements as in the second."""
    ada = gates.learner()
    counts = []
    for n in range(6):
        gates.send(ada, *through("basics", start=100 * n), at=LATER + n * HOUR)
        with gates.database.transaction() as connection:
            sent = Submission(ada, (parse_event(_completion(n)),), LATER + n * HOUR)
            counts.append(len(statements_of(connection, partial(record, connection, gates.catalog, [sent]))))
        retaken(gates, ada, now=LATER + n * HOUR)
    # The first run has nothing before it to be told apart from.
    assert len(set(counts[1:])) == 1


def _completion(n: int) -> dict[str, Any]:
    at = format_time(NOON + n)
    return {"id": str(uuid4()), "type": "completed", "course": "gates", "step": "read", "occurred_at": at}


def statements_of(connection: Any, work: Any) -> list[str]:
    found: list[str] = []

    def note(*seen: Any) -> None:
        found.append(seen[2])

    hooks.listen(connection, "before_cursor_execute", note)
    work()
    hooks.remove(connection, "before_cursor_execute", note)
    return found
