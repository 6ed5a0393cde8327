"""Streaks in the ledger: what is told, what late days repair, what imported history and other rules leave as it is."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

import headway.store.migrate
from headway.domain.events import Event
from headway.domain.streaks import BEFORE, Streak, StreakDays, StreakRules, streak
from headway.domain.times import format_time
from headway.ledger.erase import erase
from headway.ledger.rebuild import rebuild
from headway.ledger.submission import Receipt, Submission
from headway.store import sums
from headway.store.migrate import migrate
from tests.ledger.guests import guest_in, move
from tests.ledger.world import World, event

FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(day: int) -> int:
    """Noon of so many days after New Year, in microseconds."""
    return int((FIRST + timedelta(day)).timestamp()) * 1_000_000


def on(day: int, **fields: Any) -> Event:
    return event(occurred_at=format_time(at(day)), **fields)


def days_of(world: World, learner_id: str) -> StreakDays:
    with world.database.read() as connection:
        return sums.streak_days(connection, [learner_id]).get(learner_id, StreakDays(set()))


def streak_of(world: World, learner_id: str, day: int) -> Streak:
    return streak(days_of(world, learner_id), str((FIRST + timedelta(day)).date()))


def told(receipt: Receipt) -> list[tuple[Any, ...]]:
    """What a learner was told of the streak: (current) where it grew, and milestones by their names."""
    shown = {"streak_extended": "current", "streak_milestone": "days"}
    return [(one["type"], one[shown[one["type"]]]) for one in receipt.changes if one["type"] in shown]


def test_a_streak_and_its_milestones_are_told_as_they_come(world: World) -> None:
    ada = world.learner()
    said = [told(world.send(ada, on(day), at=at(day))) for day in range(8)]
    assert said[5:] == [
        [("streak_extended", 6)],
        [("streak_extended", 7), ("streak_milestone", 7)],
        [("streak_extended", 8)],
    ]
    # The eighth day of ten is missed: the freeze that was earned keeps the streak.
    assert told(world.send(ada, on(9), at=at(9))) == [("streak_extended", 9)]
    assert told(world.send(ada, on(9), at=at(9))) == []
    world.assert_clean()


def test_a_day_that_arrives_late_repairs_the_streak_and_gives_the_freeze_back(world: World) -> None:
    ada = world.learner()
    world.send(ada, *map(on, [*range(7), 8, 9]), at=at(9))
    before = streak_of(world, ada, 9)
    assert (before.current, before.freezes, before.spent_on) == (9, 0, ["2026-01-08"])
    assert told(world.send(ada, on(7), at=at(9))) == [("streak_extended", 10)]
    after = streak_of(world, ada, 9)
    assert (after.current, after.freezes, after.spent_on) == (10, 1, [])
    # Three days that nothing kept, then the middle ones from a device that was offline.
    world.send(ada, on(13), at=at(13))
    assert streak_of(world, ada, 13).current == 1
    late = told(world.send(ada, on(11), on(12), at=at(13)))
    assert late == [("streak_extended", 13), ("streak_milestone", 7)]
    world.assert_clean()


@pytest.mark.parametrize("seed", range(4))
def test_the_order_in_which_days_arrive_changes_nothing_of_the_streak(world: World, seed: int) -> None:
    rng = Random(seed)
    days = sorted(rng.sample(range(40), 30))
    one, other = world.learner(), world.learner()
    world.send(one, *map(on, days), at=at(40))
    rng.shuffle(days)
    for day in days:
        world.send(other, on(day), at=at(40))
    assert streak_of(world, one, 40) == streak_of(world, other, 40)
    world.assert_clean()


def test_imported_days_earn_nothing_until_something_else_is_done_on_them(world: World) -> None:
    ada = world.learner()
    world.submit(Submission(ada, tuple(map(on, range(10))), at(20), source="imported"))
    assert days_of(world, ada).imported == days_of(world, ada).active
    found = streak_of(world, ada, 10)
    assert (found.current, found.longest, found.freezes) == (10, 10, 0)
    world.assert_clean()
    world.send(ada, *map(on, range(7)), at=at(20))
    assert len(days_of(world, ada).imported) == 3
    assert streak_of(world, ada, 10).freezes == 1
    world.submit(Submission(ada, (on(3, of="quiz", score=1),), at(20), source="imported"))
    assert len(days_of(world, ada).imported) == 3
    world.assert_clean()


def test_what_a_guest_did_and_paused_counts_with_the_account(world: World) -> None:
    ada, guest = world.learner(), guest_in(world)
    world.send(ada, *map(on, range(4)), at=at(20))
    world.submit(Submission(guest.id, (on(4), on(5)), at(20), source="imported"))
    world.send(guest.id, on(6), on(7), at=at(20))
    move(world, ada, guest, now=at(21))
    found = days_of(world, ada)
    assert (len(found.active), len(found.imported)) == (8, 2)
    assert streak_of(world, ada, 7).next_freeze_in == 1
    world.assert_clean()


def test_rules_of_the_sites_own_are_those_by_which_was_told(world: World) -> None:
    ada, rules = world.learner(), StreakRules(2, 1)
    answers = [world.submit(Submission(ada, (on(day),), at(day), streak_rules=rules))[0] for day in (0, 1, 3)]
    assert [told(one) for one in answers if isinstance(one, Receipt)][2:] == [[("streak_extended", 3)]]
    assert {one.streak_rules for one in world.entries(ada)} == {"2/1"}
    world.send(ada, on(5), at=at(5))  # by the standard rules nothing kept the two days missed
    assert world.entries(ada)[-1].streak_rules is None
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


def test_rules_that_were_falsified_are_found(world: World) -> None:
    ada = world.learner()
    for day in range(9):
        world.send(ada, *([] if day == 7 else [on(day)]), at=at(day))
    with world.opened() as connection:
        connection.exec_driver_sql("UPDATE ledger SET streak_rules = '9/9' WHERE seq = 8")
    assert rebuild(world.database, world.catalog).updated == 1
    world.assert_clean()
    with world.opened() as connection:
        connection.exec_driver_sql("UPDATE ledger SET streak_rules = 'many' WHERE seq = 8")
    (fault,) = rebuild(world.database, world.catalog).broken
    assert str(fault.true).startswith("cannot have been recorded")


def test_whoever_is_erased_leaves_no_pause_and_no_imported_day(world: World) -> None:
    ada = world.learner()
    world.submit(Submission(ada, tuple(map(on, range(3))), at(20), source="imported"))
    assert world.count("imported_day") == 3
    assert erase(world.database, world.catalog, ada, now=at(30)) is not None
    assert (world.count("imported_day"), world.count("streak_pause")) == (0, 0)
    world.assert_clean()


def test_what_was_told_before_there_were_freezes_stays_as_it_was_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database of the version before, with a gap that a freeze would keep and days that would be a milestone."""
    ada, bob = world.learner(), world.learner()
    for day in (*range(8), 9):
        world.submit(Submission(ada, (on(day),), at(day), streak_rules=BEFORE))
    world.submit(Submission(bob, (on(1), on(2)), at(9), source="imported", streak_rules=BEFORE))
    imported = world.rows_of("imported_day")
    world.run("DROP TABLE imported_day", "DROP TABLE streak_pause", "ALTER TABLE ledger DROP COLUMN streak_rules")
    world.run("UPDATE alembic_version SET version_num = '0006'")
    with monkeypatch.context() as patched:
        patched.setattr(headway.store.migrate, "newest", lambda: "0007")
        migrate(world.database)
    world.restart()
    assert {one["streak_rules"] for one in world.rows_of("ledger")} == {"before"}
    assert world.rows_of("imported_day") == imported
    world.send(ada, on(10), at=at(10))
    assert [one.streak_rules for one in world.entries(ada)][-2:] == ["before", None]
    world.assert_clean()
    assert streak_of(world, ada, 10).current == 10
