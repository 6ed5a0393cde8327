"""Definitions are put in force, changed and retired, and given to all who meet them."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from headway.ledger.backfill import Update, backfill, backfill_pending
from headway.ledger.definitions import define, install, retire
from headway.ledger.rebuild import rebuild
from headway.ledger.recompute import recompute
from headway.ledger.record import record
from headway.ledger.submission import Submission
from headway.store import achievements
from headway.store.catalog import Catalog
from headway.store.database import Database
from tests.ledger.earning import LATER, STEPS_2, TRIES_3, earned, given, told
from tests.ledger.world import HOUR, NOON, World, event


class TestBackfill:
    def test_a_new_definition_is_given_to_all_who_meet_it_and_dry_runs_say_so(self, world: World) -> None:
        given(world, STEPS_2)
        people = sorted(world.learner() for _ in range(4))
        for n, one in enumerate(people[:3]):
            world.send(one, *(event(10 * n + m) for m in range(2 + n)))
        define(world.database, TRIES_3)
        expected = [Update(one, 0, ("tries-3",)) for one in people[1:3]]
        dry = backfill(world.database, world.catalog, now=lambda: LATER, dry_run=True)
        assert (dry.total, dry.updated, dry.earned, dry.updates) == (4, 2, 2, expected)
        assert world.count("achievement") == 0
        world.assert_clean()
        assert backfill(world.database, world.catalog, now=lambda: LATER) == dry
        assert [earned(world, one) for one in people] == [{}, {"tries-3": LATER}, {"tries-3": LATER}, {}]
        again = backfill(world.database, world.catalog, now=lambda: LATER)
        assert (again.total, again.updated, again.updates) == (4, 0, [])
        world.assert_clean()

    def test_recording_goes_on_by_what_is_in_force(self, world: World) -> None:
        ada = world.learner()
        world.send(ada, event(1), event(2))
        define(world.database, TRIES_3)
        assert told(world.send(ada, event(3))) == ["tries-3"]
        retire(world.database, "tries-3")
        define(world.database, TRIES_3._replace(id="tries-4", threshold=4))
        assert told(world.send(ada, event(4))) == ["tries-4"]
        assert told(world.send(ada, event(5))) == []

    def test_whoever_is_beyond_a_new_threshold_is_left_to_it(self, world: World) -> None:
        ada = world.learner()
        world.send(ada, *(event(n) for n in range(5)))
        define(world.database, TRIES_3)
        assert told(world.send(ada, event(9))) == []
        world.assert_clean()
        done = backfill_pending(world.database, world.catalog, now=lambda: LATER)
        assert done is not None
        assert done.updates == [Update(ada, 0, ("tries-3",))]
        assert backfill_pending(world.database, world.catalog, now=lambda: LATER) is None

    def test_it_goes_on_where_it_broke_off(self, world: World) -> None:
        people = sorted(world.learner() for _ in range(3))
        for n, one in enumerate(people):
            world.send(one, *(event(10 * n + m) for m in range(3)))
        define(world.database, TRIES_3)
        with world.database.transaction() as connection:
            achievements.note_given(connection, 1, people[0])
        done = backfill_pending(world.database, world.catalog, now=lambda: LATER)
        assert done is not None
        assert (done.total, [one.learner_id for one in done.updates]) == (2, people[1:])

    def test_nobody_and_moved_guests_are_given_nothing(self, world: World) -> None:
        ada = world.learner()
        world.send(ada, *(event(n) for n in range(3)))
        world.run("UPDATE learner SET erased_at = 1 WHERE id = :ada", ada=ada)
        define(world.database, TRIES_3)
        assert backfill(world.database, world.catalog, now=lambda: LATER).total == 0


class TestDefinitions:
    def test_what_the_site_changed_stays_as_it_has_it(self, world: World) -> None:
        install(world.database, [STEPS_2, TRIES_3])
        define(world.database, STEPS_2._replace(threshold=5))
        retire(world.database, "tries-3")
        assert install(world.database, [STEPS_2, TRIES_3]) == 0
        with world.database.read() as connection:
            found = {
                one.definition.id: (one.definition.threshold, one.retired) for one in achievements.defined(connection)
            }
        assert found == {"steps-2": (5, False), "tries-3": (3, True)}

    def test_what_no_longer_ships_is_retired_and_kept_by_who_has_it(self, world: World) -> None:
        given(world, TRIES_3, STEPS_2)
        ada, bea = world.learner(), world.learner()
        world.send(ada, *(event(n) for n in range(3)))
        assert install(world.database, [STEPS_2]) == 1
        world.send(bea, *(event(n) for n in range(3)))
        assert (list(earned(world, ada)), earned(world, bea)) == (["tries-3"], {})
        world.assert_clean()

    def test_installing_again_changes_nothing(self, world: World) -> None:
        assert install(world.database, [STEPS_2]) == 1
        with world.database.read() as connection:
            before = achievements.read_set(connection)
        assert install(world.database, [STEPS_2]) == 0
        with world.database.read() as connection:
            assert achievements.read_set(connection) == before


def test_a_backfill_whose_answer_was_lost_gives_nothing_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = world.learner()
    world.send(ada, *(event(n) for n in range(3)))
    define(world.database, TRIES_3)

    def twice(database: Database, work: Callable[[Connection], Any]) -> Any:
        with database.transaction() as connection:
            work(connection)
        with database.transaction() as connection:
            return work(connection)

    monkeypatch.setattr("headway.ledger.backfill.committed", twice)
    report = backfill(world.database, world.catalog, now=lambda: LATER)
    assert report.updates == [Update(ada, 0, ("tries-3",))]
    assert earned(world, ada) == {"tries-3": LATER}
    world.assert_clean()


def test_a_backfill_waits_for_who_records_by_what_was_in_force_before(postgresql_world: World) -> None:
    """Who read no such definition may cross its threshold behind the survey's back."""
    world = postgresql_world
    install(world.database, [STEPS_2])
    ada = world.learner()
    world.send(ada, event(1), event(2))
    begun, defined_now = Event(), Event()

    def crosses() -> None:
        sent = Submission(ada, (event(3),), NOON + HOUR)
        with world.database.transaction() as connection:
            record(connection, Catalog(), [sent])
            begun.set()
            assert defined_now.wait(20)
            time.sleep(0.2)

    with ThreadPoolExecutor(1) as pool:
        recording = pool.submit(crosses)
        assert begun.wait(20)
        define(world.database, TRIES_3)
        defined_now.set()
        backfill(world.database, world.catalog, now=lambda: LATER)
        recording.result()
    assert earned(world, ada) == {"tries-3": LATER}
    world.assert_clean()


@pytest.mark.parametrize("pending", [False, True])
def test_what_wrong_sums_seem_to_meet_nobody_is_given_by_recomputing(world: World, pending: bool) -> None:
    ada = world.learner()
    world.send(ada, event(1))
    if pending:
        define(world.database, TRIES_3)
    else:
        given(world, TRIES_3)
    with world.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE step_sum SET attempts = 9")
        connection.exec_driver_sql("UPDATE day_sum SET attempts = 9")
    dry = recompute(world.database, world.catalog, now=lambda: LATER, dry_run=True)
    assert [(one.field, one.old, one.new) for one in dry.updates] == [
        ("step_sum.attempts", 9, 1),
        ("day_sum.attempts", 9, 1),
    ]
    assert recompute(world.database, world.catalog, now=lambda: LATER) == dry
    assert earned(world, ada) == {}
    world.assert_clean()


def test_what_wrong_sums_seem_to_meet_nobody_is_given_by_a_rebuild(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1))
    define(world.database, TRIES_3)
    with world.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE day_sum SET attempts = 9")
    rebuild(world.database, world.catalog)
    assert earned(world, ada) == {}
    assert backfill_pending(world.database, world.catalog, now=lambda: LATER) is None
    world.assert_clean()
