"""What audit finds beyond single columns, what rebuild can mend of it, and what it says that it cannot."""

from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from headway.domain.times import format_time
from headway.ledger.audit import audit
from headway.ledger.definitions import define
from headway.ledger.faults import FAULTS_SHOWN
from headway.ledger.rebuild import rebuild
from headway.ledger.recompute import recompute
from headway.ledger.refold import LEARNERS_AT_ONCE
from headway.ledger.submission import Submission
from headway.store.schema import OF_LEARNER, ledger
from tests.domain.manifests import course, module, step
from tests.ledger.earning import defined, earned
from tests.ledger.world import HOUR, NOON, World, enrollment, event

BODY = '{"course":"python","occurred_at":"2026-03-01T12:00:00.000000Z","score":0.9,"step":"loops","type":"attempted"}'


def learner_with(world: World, count: int = 3) -> str:
    ada = world.learner()
    world.send(ada, *(event(n, score=n / 10) for n in range(1, count + 1)))
    return ada


def change_entry(world: World, learner_id: str, seq: int, **values: Any) -> None:
    """Change an entry of the ledger, which no verb does."""
    with world.opened() as connection:
        where = (ledger.c.learner_id == learner_id, ledger.c.seq == seq)
        connection.execute(sa.update(ledger).where(*where).values(**values))


def remove_entry(world: World, learner_id: str, seq: int) -> None:
    with world.opened() as connection:
        connection.execute(sa.delete(ledger).where(ledger.c.learner_id == learner_id, ledger.c.seq == seq))


def test_what_was_recorded_is_clean_and_counted(world: World) -> None:
    assert audit(world.database, world.catalog).clean
    for _ in range(3):
        learner_with(world)
    world.learner()
    report = audit(world.database, world.catalog)
    assert (report.clean, report.learners, report.events, report.found, report.faults) == (True, 4, 9, 0, [])
    mended = rebuild(world.database, world.catalog)
    assert (mended.total, mended.updated, mended.unchanged, mended.broken) == (4, 0, 4, [])


@pytest.mark.parametrize("seq", [1, 2])
def test_an_entry_missing_before_others_is_found_and_no_rebuild_makes_it_up(world: World, seq: int) -> None:
    ada, ben = learner_with(world), learner_with(world)
    figures = world.figures(ada)
    remove_entry(world, ada, seq)
    (fault,) = [one for one in audit(world.database, world.catalog).faults if one.table == "ledger"]
    assert (fault.learner, fault.key, fault.column, fault.stored) == (ada, str(seq + 1), "seq", seq + 1)
    assert str(fault.true) == f"{seq}: entries are missing"
    report = rebuild(world.database, world.catalog)
    assert [one.learner for one in report.broken] == [ada]
    assert (report.updated, report.unchanged) == (0, 1)
    assert world.figures(ada) == figures
    assert audit(world.database, world.catalog, learner_id=ben).clean


def test_an_entry_missing_at_the_end_shows_in_the_sums(world: World) -> None:
    ada = learner_with(world)
    remove_entry(world, ada, 3)
    found = {(fault.table, fault.column) for fault in audit(world.database, world.catalog).faults}
    assert ("step_sum", "attempts") in found
    assert rebuild(world.database, world.catalog).updated == 1
    world.assert_clean()
    assert world.step(ada)["attempts"] == 2


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "null", "[]", '"text"', "5", "{}", "[" * 5_000),
        *('{"type":"enrolled"}', '{"type":"left","course":["python"],"occurred_at":"2026-03-01T12:00:00Z"}'),
        BODY.replace("0.9", '"good"'),
        BODY.replace("attempted", "finished"),
        BODY.replace('"loops"', '"nowhere"'),
        BODY.replace('"python"', '"nowhere"'),
        BODY.replace('"loops"', '"graded"'),
        BODY.replace("2026-03-01", "2026-02-30"),
    ],
)
def test_a_body_that_stands_for_no_event_is_found_and_cannot_be_mended(world: World, body: str) -> None:
    ada, ben = learner_with(world), learner_with(world)
    figures = world.figures(ada)
    change_entry(world, ada, 2, body=body)
    (fault,) = [one for one in audit(world.database, world.catalog).faults if one.table == "ledger"]
    assert (fault.learner, fault.key, fault.column, fault.stored) == (ada, "2", "body", body)
    assert str(fault.true).startswith("cannot have been recorded: ")
    report = rebuild(world.database, world.catalog)
    assert ([one.column for one in report.broken], report.updated, report.unchanged) == (["body"], 0, 1)
    assert (world.entries(ada)[1].body, world.figures(ada)) == (body, figures)
    assert audit(world.database, world.catalog, learner_id=ben).clean


def test_a_body_with_another_score_no_longer_fits_what_follows_from_it(world: World) -> None:
    ada = learner_with(world)
    change_entry(world, ada, 2, body=BODY)
    faults = {(one.table, one.column): (one.stored, one.true) for one in audit(world.database, world.catalog).faults}
    assert faults["ledger", "score"] == (200_000, 900_000)
    assert faults["step_sum", "best_score"] == (300_000, 900_000)


@pytest.mark.parametrize(
    "values",
    [
        {"received_at": NOON - HOUR},
        {"clock_skew": -HOUR},
        {"time_zone": "Pacific/Kiritimati"},
        {"source": "imported"},
        {"event_id": "ffffffff-0000-0000-0000-000000000000"},
    ],
)
def test_what_the_server_knew_is_a_fact_and_what_follows_from_it_is_found(
    world: World, values: Mapping[str, Any]
) -> None:
    ada = learner_with(world, 1)
    change_entry(world, ada, 1, **values)
    assert not audit(world.database, world.catalog).clean
    rebuild(world.database, world.catalog)
    world.assert_clean()


def test_a_ledger_of_another_version_of_the_course_is_judged_by_its_own(world: World) -> None:
    ada = learner_with(world, 1)
    world.publish(course(module("first", step("loops", pass_mark=1, kind="exercise", points=99))))
    world.send(ada, event(9, score=0.05))
    world.assert_clean()
    with world.opened() as connection:
        connection.execute(sa.update(ledger).where(ledger.c.seq == 2).values(version=1))
    assert not audit(world.database, world.catalog).clean


@pytest.mark.parametrize("how", ["rebuild", "recompute"])
def test_whose_ledger_is_broken_is_given_nothing_for_figures_that_nobody_mended(world: World, how: str) -> None:
    ada, ben = learner_with(world), learner_with(world)
    remove_entry(world, ada, 1)
    define(world.database, defined("once", "attempts", 1))
    if how == "rebuild":
        assert rebuild(world.database, world.catalog).broken_ids == {ada}
    else:
        dry = recompute(world.database, world.catalog, now=lambda: NOON, dry_run=True)
        assert [one.learner_id for one in dry.updates] == [ben]
        assert recompute(world.database, world.catalog, now=lambda: NOON) == dry
    assert ("once" in earned(world, ada), "once" in earned(world, ben)) == (False, True)


def test_a_zone_that_is_unknown_here_is_said_and_not_stumbled_over(world: World) -> None:
    ada = learner_with(world, 1)
    change_entry(world, ada, 1, time_zone="Mars/Olympus")
    (fault,) = [one for one in audit(world.database, world.catalog).faults if one.table == "ledger"]
    assert "Mars/Olympus" in str(fault.true)
    assert [one.learner for one in rebuild(world.database, world.catalog).broken] == [ada]


def test_one_learner_is_audited_and_rebuilt_alone(world: World) -> None:
    ada, ben, cleo = (learner_with(world) for _ in range(3))
    world.run("UPDATE step_sum SET attempts = 99 WHERE learner_id IN (:a, :c)", a=ada, c=cleo)
    for wrong in (ada, cleo):
        report = audit(world.database, world.catalog, learner_id=wrong)
        assert (report.learners, report.found, report.faults[0].learner) == (1, 1, wrong)
    assert audit(world.database, world.catalog, learner_id=ben).clean
    assert rebuild(world.database, world.catalog, learner_id=ada).updated == 1
    assert world.step(ada)["attempts"] == 3
    assert audit(world.database, world.catalog).found == 1


def test_more_learners_than_are_read_at_once_are_all_audited_and_rebuilt(sqlite_world: World) -> None:
    world, count = sqlite_world, 2 * LEARNERS_AT_ONCE + 1
    ids = sorted(world.learner() for _ in range(count))
    world.submit(*(Submission(one, (event(1, score=0.5), enrollment(2)), NOON) for one in ids[::2]))
    ends = [ids[0], ids[LEARNERS_AT_ONCE], ids[-1]]
    for one in ends:
        world.run("UPDATE day_sum SET points = 5 WHERE learner_id = :id", id=one)
    seen: list[int] = []
    report = audit(world.database, world.catalog, progress=seen.append)
    assert sorted({fault.learner for fault in report.faults}) == ends
    assert (report.learners, sum(seen), report.events) == (count, count, 2 * len(ids[::2]))
    mended = rebuild(world.database, world.catalog)
    assert (mended.total, mended.updated) == (count, 3)
    world.assert_clean()


def test_what_is_found_is_counted_though_not_all_is_kept(sqlite_world: World) -> None:
    world, count = sqlite_world, FAULTS_SHOWN + 100
    ada = world.learner()
    events = [event(n, occurred_at=format_time(NOON - n * 24 * HOUR)) for n in range(count)]
    world.send(ada, *events)
    world.run("UPDATE day_sum SET hints = 1")
    report = audit(world.database, world.catalog)
    assert (report.found, len(report.faults), report.clean) == (count, FAULTS_SHOWN, False)


def test_a_course_that_has_no_version_is_found_and_no_rebuild_makes_one_up(world: World) -> None:
    world.run("INSERT INTO course (id, created_at, version, title) VALUES ('empty', 0, 1, 'Empty')")
    (fault,) = audit(world.database, world.catalog).faults
    assert (fault.table, fault.key, fault.column, fault.stored) == ("course", "empty", "version", 1)
    report = rebuild(world.database, world.catalog)
    assert (report.broken, report.found, report.beyond) == ([fault], 1, 0)


def test_a_rebuild_takes_a_learner_of_many_events_by_itself_and_short_ones_together(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sqlite_world
    ids = sorted(world.learner() for _ in range(6))
    counts = dict(zip(ids, (3, 3, 40, 3, 3, 3), strict=True))
    for one, count in counts.items():
        world.send(one, *(event(n, score=n / 100) for n in range(count)))
    monkeypatch.setattr("headway.ledger.rebuild.EVENTS_A_TRANSACTION", 10)
    monkeypatch.setattr("headway.ledger.rebuild._ENTRIES_A_STATEMENT", 7)
    with world.opened() as connection:
        connection.execute(sa.update(ledger).values(hints=5))
    portions: list[int] = []
    report = rebuild(world.database, world.catalog, progress=portions.append)
    assert (portions, report.total, report.updated) == ([2, 1, 3], 6, 6)
    world.assert_clean()


def test_of_what_no_rebuild_can_mend_the_first_are_kept_and_all_are_counted(sqlite_world: World) -> None:
    world, count = sqlite_world, FAULTS_SHOWN + 10
    ada, ben, _ = world.learner(), world.learner(), learner_with(world)
    for one, some in ((ada, count), (ben, 1)):
        world.send(one, *(event(n) for n in range(some)))
        with world.opened() as connection:
            connection.execute(sa.update(ledger).where(ledger.c.learner_id == one).values(body="{}"))
    report = rebuild(world.database, world.catalog)
    assert (report.found, len(report.broken), report.beyond) == (count + 1, FAULTS_SHOWN, 2)
    assert (report.total, report.updated, report.unchanged) == (3, 0, 1)


def test_entries_of_a_learner_who_is_gone_are_found(world: World) -> None:
    ada, ben = learner_with(world), learner_with(world)
    for table in OF_LEARNER:
        world.run(f"DELETE FROM {table.name} WHERE learner_id = :ada", ada=ada)
    world.run("DELETE FROM learner WHERE id = :ada", ada=ada)
    (fault,) = audit(world.database, world.catalog).faults
    assert (fault.table, fault.learner, fault.column) == ("ledger", ada, "learner_id")
    assert audit(world.database, world.catalog, learner_id=ben).clean


def test_a_ledger_that_stands_open_is_found_and_shut(world: World) -> None:
    ada = learner_with(world)
    world.run("INSERT INTO ledger_opened VALUES ('x')")
    (fault,) = audit(world.database, world.catalog).faults
    assert (fault.table, fault.key, fault.stored) == ("ledger_opened", "x", "a row")
    assert "stands open" in str(fault.true)
    mended = rebuild(world.database, world.catalog)
    assert (mended.updated, mended.broken) == (0, [])
    world.assert_clean()
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        world.run("UPDATE ledger SET score = 1 WHERE learner_id = :one", one=ada)
