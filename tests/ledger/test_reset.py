"""Beginning from nothing: what is cleared, what stands, what comes late, and what a failure leaves."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from headway.domain.errors import IdReused, UnknownCourse
from headway.domain.periods import Range
from headway.domain.recording import IMPORTED
from headway.domain.times import format_time
from headway.ledger.commit import committed
from headway.ledger.erase import erase
from headway.ledger.grade import GradeAsked, give_grade
from headway.ledger.rebuild import rebuild
from headway.ledger.regrade import RegradeAsked, regrade
from headway.ledger.reset import ResetDone
from headway.ledger.submission import LATE_FLAG, Submission
from headway.store import entries, sums, work
from headway.store.database import Database
from headway.store.schema import metadata
from headway.views.overview import read_overview
from headway.views.statistics import read_statistics
from headway.views.subject import Subject
from tests.ledger.essays import ESSAYS, essay
from tests.ledger.facts import LATER, begin_anew, override, reset
from tests.ledger.gates import GATES, certificates, gated, grants, names, through
from tests.ledger.guests import guest_in, move
from tests.ledger.world import HOUR, NOON, World, enrollment, event, numbered

FAR = Range("0001-01-01", "9999-12-31")
BEFORE = format_time(NOON - HOUR)


def shown(world: World, learner_id: str) -> tuple[int, int, int, float | None]:
    """Steps, attempts of the overview and of statistics of all days, and their median."""
    with world.database.read() as connection:
        subject = Subject(learner_id, "UTC")
        whole = read_overview(connection, world.catalog, subject, LATER)
        figures = read_statistics(connection, world.catalog, subject, LATER, "all")
    return whole.steps_completed, whole.attempts, figures.attempts, figures.median_percent


def attempts_read(world: World, learner_id: str) -> int:
    """How many attempts practice sessions and the statistics of a range are made of."""
    with world.database.read() as connection:
        practiced = work.practiced(connection, learner_id, FAR)
        in_range = [one for one in work.of_range(connection, learner_id, FAR).events if one.type == "attempted"]
    assert len(practiced) == len(in_range)
    return len(practiced)


def test_a_course_is_cleared_and_another_stays_as_it_was(world: World) -> None:
    ada, bob = world.learner(), world.learner()
    for one in (ada, bob):
        world.send(one, event(1, course="go", of="hello", score=1), event(2, score=0.5), enrollment(9))
    world.send(ada, event(3, of="hello", kind="completed"), event(4, score=1, occurred_at=BEFORE))
    world.send(bob, enrollment(10, "enrolled", "go"))
    assert reset(world, ada, "python") == ResetDone(2, 2, 2, 1)
    assert shown(world, ada) == (1, 1, 1, 100.0)
    assert attempts_read(world, ada) == 1
    assert [row["course_id"] for row in world.rows(metadata.tables["enrollment"], ada)] == ["python"]
    assert reset(world, ada) == ResetDone(1, 1, 1, 1)
    assert reset(world, ada) == ResetDone(0, 0, 0, 0)
    assert shown(world, ada) == (0, 0, 0, None)
    assert shown(world, bob) == (1, 2, 2, 75.0)
    world.assert_clean()


def test_what_comes_late_is_kept_adds_nothing_and_says_so(world: World) -> None:
    world.publish(GATES)
    ada = world.learner()
    world.send(ada, gated(1, of="ask", score=1))
    reset(world, ada)
    late = [gated(2, of="fizz", score=1), gated(3, of="ask", score=1), event(4, score=1)]
    assert [(one.status, one.flags) for one in world.send(ada, *late, at=LATER).results] == [
        ("recorded", (LATE_FLAG,))
    ] * 3
    repeated = world.send(ada, gated(1, of="ask", score=1), *late, at=LATER + 1).results
    assert [(one.status, one.flags) for one in repeated] == [("duplicate", (LATE_FLAG,))] * 4
    assert shown(world, ada) == (0, 0, 0, None)
    assert attempts_read(world, ada) == 0
    now = format_time(LATER + HOUR)
    world.send(ada, gated(5, of="ask", score=1, occurred_at=now), at=LATER + HOUR)
    assert (shown(world, ada)[:3], attempts_read(world, ada)) == ((1, 1, 1), 1)
    imported = Submission(ada, (gated(6, of="ask", score=1),), LATER + HOUR, source=IMPORTED)
    world.submit(imported)
    assert shown(world, ada)[:3] == (1, 1, 1)
    world.assert_clean()


def test_a_certificate_stands_and_is_given_once(world: World) -> None:
    world.publish(GATES)
    ada = world.learner()
    world.send(ada, *through("basics", "loops", "end"))
    (held,) = certificates(world, ada)
    reset(world, ada)
    assert names(grants(world, ada)) == [("certified", "")]
    assert certificates(world, ada) == [held]
    again = through("basics", "loops", "end", start=20, occurred_at=format_time(LATER + HOUR))
    told = world.send(ada, *again, at=LATER + HOUR).changes
    assert "course_completed" in [one["type"] for one in told]
    assert certificates(world, ada) == [held]
    world.assert_clean()


def test_an_earlier_run_stands_and_counts_what_was_first_completed_in_the_later_one(world: World) -> None:
    world.publish(GATES)
    ada = world.learner()
    world.send(ada, gated(1, of="ask", score=1))
    stood = world.figures(ada)
    begin_anew(world, ada, at=NOON + HOUR)
    # Earlier than the one of the first run: it counts there no more.
    world.send(ada, gated(2, of="ask", score=1, occurred_at=BEFORE))
    points = [(row["run"], row["points"]) for row in world.rows(metadata.tables["day_sum"], ada)]
    assert points == [(1, 0), (2, 10)]
    assert reset(world, ada, "gates") == ResetDone(1, 1, 1, 1)
    assert world.sums(ada) != stood
    assert [row["points"] for row in world.rows(metadata.tables["day_sum"], ada)] == [10]
    assert shown(world, ada)[:3] == (1, 1, 1)
    # The first run, cleared before, does not come back with the second reset.
    begun = format_time(LATER + HOUR)
    world.send(ada, gated(3, of="read", kind="completed", occurred_at=begun), at=LATER + HOUR)
    assert attempts_read(world, ada) == 1
    world.assert_clean()


def test_what_was_cleared_stays_so_when_a_later_run_is(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=1))
    reset(world, ada, "python")
    later = LATER + HOUR
    world.send(ada, event(2, score=0.5, occurred_at=format_time(later)), at=later)
    begin_anew(world, ada, course="python", at=later + 1)
    reset(world, ada, "python", at=later + HOUR)
    assert (shown(world, ada)[1:], attempts_read(world, ada)) == ((1, 1, 50.0), 1)
    world.assert_clean()


def test_a_guest_brings_along_what_was_done_before_the_accounts_reset_and_not_what_it_cleared_itself(
    world: World,
) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=1), event(5, of="quiz", score=1))
    early = guest_in(world, event(2, score=1), event(5, of="quiz", score=1))
    late = guest_in(world, event(3, score=0.5), event(1, score=1))
    reset(world, late.id)
    world.send(late.id, event(4, of="hello", score=0.7, occurred_at=format_time(LATER + 1)), at=LATER + 1)
    move(world, ada, early, LATER + 2)
    reset(world, ada, at=LATER + 3)
    other = guest_in(world, event(6, score=1))
    for guest in (late, other):
        assert move(world, ada, guest, LATER + 4) is not None
    assert (shown(world, ada)[:3], attempts_read(world, ada)) == ((2, 2, 2), 2)
    sent = world.send(ada, *(event(n, score=0.5 if n == 3 else 1) for n in (1, 2, 3, 6)), at=LATER + HOUR).results
    assert [one.status for one in sent] == ["duplicate"] * 4
    world.assert_clean()
    assert reset(world, ada, at=LATER + 2 * HOUR).attempts == 2
    assert (shown(world, ada)[:3], attempts_read(world, ada)) == ((0, 0, 0), 0)
    world.assert_clean()


def test_an_id_counts_once_and_for_one_thing(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=1))
    first = reset(world, ada, "python", id=numbered(50))
    after = world.figures(ada)
    assert reset(world, ada, "python", id=numbered(50), at=LATER + HOUR) == first == ResetDone(1, 1, 1, 1)
    assert world.figures(ada) == after
    for course, used in (("go", 50), (None, 50), ("python", 1)):
        with pytest.raises(IdReused):
            reset(world, ada, course, id=numbered(used))
    for name in ("nowhere", "x\0", "", "x" * 300):
        with pytest.raises(UnknownCourse):
            reset(world, ada, name)


def test_a_step_of_which_a_person_alone_said_something_is_counted(world: World) -> None:
    world.publish(GATES)
    ada = world.learner()
    world.send(ada, gated(1, of="read", kind="completed"))
    override(world, ada, "ask", 0, waived=True)
    override(world, ada, "read", 900_000)
    assert reset(world, ada, "gates") == ResetDone(2, 0, 0, 1)
    override(world, ada, "exam", at=LATER + HOUR)
    assert reset(world, ada, at=LATER + 2 * HOUR) == ResetDone(1, 0, 0, 0)
    world.assert_clean()


def test_a_reset_from_before_such_steps_were_counted_stays_as_it_was_told(world: World) -> None:
    world.publish(GATES)
    ada = world.learner()
    override(world, ada, "ask", 0, waived=True)
    reset(world, ada, "gates", id=numbered(50))
    entry = world.entries(ada)[-1]
    assert entry.changes is not None
    body, changes = entry.body.replace('"counts_said":true,', ""), entry.changes.replace('"steps":1', '"steps":0')
    assert (body, changes) != (entry.body, entry.changes)
    with world.opened() as connection:
        row = {"body": body, "changes": changes, "id": numbered(50)}
        connection.execute(sa.text("UPDATE ledger SET body = :body, changes = :changes WHERE event_id = :id"), row)
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0
    assert reset(world, ada, "gates", id=numbered(50)) == ResetDone(0, 0, 0, 0)


def logged(logs: list[Any]) -> list[tuple[str, str, str, float | None, str]]:
    said = [one for one in logs if one["event"] == "status_changed"]
    return [(one["course"], one["module"], one["status"], one["score"], one["reason"]) for one in said]


def test_statuses_that_a_reset_changes_are_logged_once_it_is_committed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish(GATES)
    ada = world.learner()
    world.send(ada, *through("basics", "loops"), event(50, score=1))
    override(world, ada, "exam", 0, waived=True)
    with capture_logs() as logs, monkeypatch.context() as patched:
        patched.setattr(sums, "remove", fail)
        with pytest.raises(OperationalError):
            reset(world, ada)
    assert logged(logs) == []
    with capture_logs() as logs:
        reset(world, ada, "gates", id=numbered(60))
    assert logged(logs) == [
        ("gates", "", "open", None, "reset"),
        ("gates", "basics", "open", None, "reset"),
        ("gates", "loops", "locked", None, "reset"),
        ("gates", "end", "locked", None, "reset"),
    ]
    assert {one["learner_id"] for one in logs} == {ada}
    with capture_logs() as logs:
        reset(world, ada, "gates", id=numbered(60), at=LATER + HOUR)
        reset(world, ada, "gates")
    assert logged(logs) == []
    with capture_logs() as logs:
        reset(world, ada)
    assert {one[0] for one in logged(logs)} == {"python"}


def test_statuses_are_logged_once_where_the_answer_of_a_commit_was_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=1))

    def twice(database: Database, work: Callable[[Connection], Any]) -> Any:
        committed(database, work)
        return committed(database, work)

    monkeypatch.setattr("headway.ledger.by_hand.committed", twice)
    with capture_logs() as logs:
        assert reset(world, ada) == ResetDone(1, 1, 1, 1)
    told = logged(logs)
    assert told == sorted(set(told))
    assert ("python", "", "open", None, "reset") in told


def fail(*_: Any, **__: Any) -> None:
    raise OperationalError("injected", None, Exception("injected"))


@pytest.mark.parametrize(("module", "name"), [(entries, "append"), (sums, "remove"), (sums, "write")])
def test_a_reset_that_fails_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=1), event(2, of="hello", kind="completed"))
    before = world.figures(ada), world.entries(ada)
    with monkeypatch.context() as patched:
        patched.setattr(module, name, fail)
        with pytest.raises(OperationalError):
            reset(world, ada)
    assert (world.figures(ada), world.entries(ada)) == before
    assert reset(world, ada) == ResetDone(2, 1, 1, 1)
    world.assert_clean()


def test_what_was_cleared_is_judged_graded_and_counted_by_nobody(world: World) -> None:
    world.publish(ESSAYS)
    ada = world.learner()
    handed_in = essay(60)
    world.send(ada, handed_in, event(1, of="graded", response="a"))
    reset(world, ada)
    asked = GradeAsked("essays", ada, handed_in.id, 900_000, "", None, numbered(61))
    with pytest.raises(Exception, match="waits for no grade"):
        give_grade(world.database, world.catalog, asked, now=LATER)
    now = format_time(LATER + 1)
    world.send(ada, event(2, of="graded", response="a", occurred_at=now), at=LATER + 1)
    told = regrade(
        world.database, world.catalog, RegradeAsked("python", "graded", "typo", None), now=lambda: LATER + HOUR
    )
    assert told.total == 1
    before = [row for row in world.rows_of("step_sum") if row["learner_id"] == ada]
    erased = erase(world.database, world.catalog, ada, now=LATER + 2 * HOUR)
    assert erased is not None
    assert erased.events == 1
    (left,) = world.rows_of("step_sum")
    assert (left["attempts"], left["score_total"]) == (before[0]["attempts"], before[0]["score_total"])
    world.assert_clean()


CHILD = """
import sys
from headway.ledger.reset import ResetWanted, reset
from headway.store.catalog import Catalog
from headway.store.database import Database
database = Database(sys.argv[1])
with database.read():
    pass
print("begins", flush=True)
reset(database, Catalog(), ResetWanted(sys.argv[2], sys.argv[3]), now=int(sys.argv[4]))
print("done", flush=True)
"""


@pytest.mark.long
def test_a_reset_that_is_killed_is_whole_or_did_not_happen(world: World) -> None:
    seen = set()
    whole_s = 0.0
    # The first is let alone, to know how long one takes.
    for n, part in enumerate((None, 0.0, 0.3, 0.6, 0.9, 1.5)):
        ada = world.learner()
        world.send(ada, *(event(k, of=of, score=1) for k, of in enumerate(("loops", "quiz", "hello") * 150)))
        before = world.figures(ada), world.entries(ada)
        command = [sys.executable, "-c", CHILD, world.url, ada, numbered(900 + n), str(LATER)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as killed:
            assert killed.stdout is not None
            assert killed.stdout.readline() == b"begins\n"
            began = time.monotonic()
            if part is None:
                assert killed.wait(60) == 0
                whole_s = time.monotonic() - began
            time.sleep((part or 0.0) * whole_s)
            killed.send_signal(signal.SIGKILL)
        untouched = (world.figures(ada), world.entries(ada)) == before
        seen.add(untouched)
        world.assert_clean()
        assert reset(world, ada, id=numbered(900 + n)) == ResetDone(3, 450, 1, 1)
        assert shown(world, ada)[:3] == (0, 0, 0)
    assert seen == {True, False}, "every kill came too early, or every one too late"
