"""An erasure and a transaction that opens a session for the same learner: either waits for the other."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting

import pytest
from sqlalchemy.exc import IntegrityError

from headway.ledger.erase import Erased, erase
from headway.store import learners
from headway.store.database import is_reference_gone
from tests.ledger.guests import session_of
from tests.ledger.world import HOUR, NOON, World, event


def test_a_session_that_is_being_opened_goes_with_its_learner(postgresql_world: World) -> None:
    world = postgresql_world
    learner_id = world.learner()
    world.send(learner_id, event(1))
    with ThreadPoolExecutor(1) as pool:
        with world.database.transaction() as connection:
            learners.add_sessions(connection, session_of(learner_id, "a token", kind="account"))
            erased = pool.submit(erase, world.database, world.catalog, learner_id, now=NOON + HOUR)
            with pytest.raises(StillWaiting):
                erased.result(0.5)
        assert erased.result(20) == Erased(1, 1)
    assert world.count("session") == 0
    world.assert_clean()


def test_a_session_for_whom_was_erased_is_told_from_other_faults(world: World) -> None:
    learner_id = world.learner()
    erase(world.database, world.catalog, learner_id, now=NOON)
    with pytest.raises(IntegrityError) as refused, world.database.transaction() as connection:
        learners.add_sessions(connection, session_of(learner_id, "a token", kind="account"))
    assert is_reference_gone(refused.value)
    twice = {"id": world.learner(), "kind": "guest", "time_zone": "UTC", "created_at": NOON}
    with pytest.raises(IntegrityError) as other, world.database.transaction() as connection:
        learners.add(connection, twice)
    assert not is_reference_gone(other.value)
