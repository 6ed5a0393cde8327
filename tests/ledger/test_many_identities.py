"""What recording, moving and proving cost does not grow with the guests that were moved into an account."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from headway.ledger.audit import audit
from headway.ledger.erase import erase
from headway.ledger.rebuild import rebuild
from headway.views.events import read_events
from headway.views.subject import Subject
from tests.ledger.guests import LATER, guest_in, move
from tests.ledger.world import World, event, statuses

FEW, MANY = 2, 40


def keys_of(parameters: Any) -> int:
    """How many values a statement is sent: those of an array that travels as JSON are counted one by one."""
    values = parameters.values() if isinstance(parameters, dict) else parameters
    return sum(len(json.loads(one)) if isinstance(one, str) and one.startswith("[") else 1 for one in values)


def asked(world: World, work: Callable[[], object]) -> list[tuple[str, int]]:
    """Each statement of some work, by its beginning, and the number of values that it was sent."""
    seen: list[tuple[str, int]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        seen.append((statement[:40], keys_of(parameters)))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    return seen


def account_with(world: World, guests: int) -> str:
    """An account into which so many guests were moved, each with an event of its own and one that all have."""
    account_id = world.learner()
    world.send(account_id, event(1))
    for number in range(guests):
        assert move(world, account_id, guest_in(world, event(100 + number), event(50))) is not None
    return account_id


def test_a_batch_looks_each_event_up_once_whatever_guests_there_were(world: World) -> None:
    few, many = (account_with(world, guests) for guests in (FEW, MANY))
    sent = [event(1), event(50), event(101), *(event(1_000 + n) for n in range(20))]
    costs = []
    for one in (few, many):
        work = partial(world.send, one, *sent, at=LATER)
        costs.append(asked(world, work))
        assert statuses(work()) == [*["duplicate"] * 3, *["recorded"] * 20]
    assert costs[0] == costs[1]
    world.assert_clean()


def test_a_move_looks_each_event_up_once_whatever_guests_there_were(world: World) -> None:
    costs = []
    for guests in (FEW, MANY):
        account, guest = account_with(world, guests), guest_in(world, *(event(n) for n in range(40, 60)))
        costs.append(asked(world, partial(move, world, account, guest)))
    assert costs[0] == costs[1]
    world.assert_clean()


@pytest.mark.parametrize("work", ["audit", "rebuild", "erase", "events"])
def test_the_number_of_statements_does_not_grow_with_the_guests(world: World, work: str) -> None:
    def run(account_id: str) -> object:
        if work == "audit":
            return audit(world.database, world.catalog, learner_id=account_id)
        if work == "rebuild":
            return rebuild(world.database, world.catalog, learner_id=account_id)
        if work == "erase":
            return erase(world.database, world.catalog, account_id, now=LATER)
        with world.database.read() as connection:
            return read_events(connection, world.catalog, Subject(account_id, "UTC"), None, 200)

    few, many = (account_with(world, guests) for guests in (FEW, MANY))
    counts = [len(asked(world, partial(run, one))) for one in (few, many)]
    assert counts[0] == counts[1]


def test_guests_that_recorded_nothing_are_no_identities(world: World) -> None:
    account_id = account_with(world, 1)
    for _ in range(5):
        assert move(world, account_id, guest_in(world)) == (0, 0, 0)
    assert len(world.rows_of("learner")) == 2
    world.assert_clean()
