"""Guests who are long gone are cleared wholly, and nobody else is."""

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from headway.domain.errors import IdentityGone
from headway.domain.times import DAY
from headway.ledger import guests
from headway.ledger.guests import Cleared, clear_guests
from headway.ledger.security import Happening, note
from headway.ledger.submission import Receipt, Submission
from headway.store import entries, learners
from headway.store.schema import learner, ledger, metadata, session
from tests.ledger.guests import Guest, guest_in, move, session_of
from tests.ledger.world import HOUR, NOON, World, enrollment, event, numbered

# All that is made here is done at noon, or an hour later.
AFTER = NOON + 2 * HOUR


def everything(world: World) -> dict[str, list[Any]]:
    """All rows of all tables."""
    with world.database.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=str)
            for table in metadata.sorted_tables
        }


def there(world: World, *ids: str) -> list[bool]:
    with world.database.read() as connection:
        known = learners.existing(connection, ids)
    return [one in known for one in ids]


def test_a_guest_who_is_gone_leaves_nothing_anywhere(world: World) -> None:
    before = everything(world)
    guest = guest_in(world, event(1), event(2, of="hello", kind="completed"))
    world.send(guest.id, enrollment(3))
    with world.database.transaction() as connection:
        note(connection, Happening.SIGN_IN_FAILED, guest.id, at=NOON)
    assert clear_guests(world.database, AFTER) == Cleared(1, 3)
    assert everything(world) == before
    assert clear_guests(world.database, AFTER) == Cleared(0, 0)
    world.assert_clean()


def test_a_rehearsal_counts_and_changes_nothing(world: World) -> None:
    guest_in(world, event(1))
    before = everything(world)
    assert clear_guests(world.database, AFTER, dry_run=True) == Cleared(1, 1)
    assert everything(world) == before


def change(world: World, table: sa.Table, learner_id: str, **values: Any) -> None:
    key = table.c.id if table is learner else table.c.learner_id
    with world.database.transaction() as connection:
        connection.execute(sa.update(table).where(key == learner_id).values(**values))


def test_who_does_anything_stays(world: World) -> None:
    made_lately = guest_in(world)
    change(world, learner, made_lately.id, created_at=AFTER)
    read_lately = guest_in(world, event(1))
    change(world, session, read_lately.id, last_used_at=AFTER)
    recorded_lately = guest_in(world, event(1))
    with world.database.transaction() as connection:
        connection.execute(sa.delete(session).where(session.c.learner_id == recorded_lately.id))
    world.send(recorded_lately.id, event(2), at=AFTER)
    gone = guest_in(world, event(1))
    assert clear_guests(world.database, AFTER) == Cleared(1, 1)
    assert there(world, made_lately.id, read_lately.id, recorded_lately.id, gone.id) == [True, True, True, False]
    world.assert_clean()


def test_an_account_and_all_who_were_moved_into_it_stay(world: World) -> None:
    account, imported = world.learner(), world.learner(kind="imported", external_id="oulad:1")
    world.send(account, event(1))
    moved = guest_in(world, event(2))
    assert move(world, account, moved) is not None
    assert clear_guests(world.database, AFTER + DAY) == Cleared(0, 0)
    assert there(world, account, imported, moved.id) == [True] * 3
    world.assert_clean()


def test_who_has_a_certificate_or_somebodys_ledger_or_was_erased_stays(world: World) -> None:
    certified, holding, erased = (guest_in(world, event(1)) for _ in range(3))
    (first,) = world.entries(certified.id)
    with world.database.transaction() as connection:
        entries.append(connection, [first._replace(seq=2, event_id=numbered(9), type="certificate")])
    change(world, learner, guest_in(world).id, merged_into=holding.id, merged_at=NOON, merged_after=0)
    change(world, learner, erased.id, erased_at=NOON)
    assert clear_guests(world.database, AFTER) == Cleared(0, 0)
    assert there(world, certified.id, holding.id, erased.id) == [True] * 3


def test_many_are_cleared_some_in_a_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "GUESTS_A_TRANSACTION", 3)
    monkeypatch.setattr(guests, "ENTRIES_A_TRANSACTION", 4)
    monkeypatch.setattr(guests, "LEARNERS_LOOKED_AT", 5)
    portions: list[int] = []
    clear = guests._clear

    def counting(*given: Any) -> Any:
        portions.append(len(given[1]))
        return clear(*given)

    monkeypatch.setattr(guests, "_clear", counting)
    kept = world.learner()
    for number in range(11):
        guest_in(world, *(event() for _ in range(number % 4)))
    assert clear_guests(world.database, AFTER) == Cleared(11, 15)
    assert sum(portions) == 11
    assert max(portions) <= 3
    assert there(world, kept) == [True]


def test_a_guest_who_comes_back_meanwhile_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = guest_in(world, event(1))
    clear = guests._clear

    def late(*given: Any) -> Any:
        world.send(guest.id, event(2), at=AFTER)
        return clear(*given)

    monkeypatch.setattr(guests, "_clear", late)
    assert clear_guests(world.database, AFTER) == Cleared(0, 0)
    assert len(world.rows(ledger, guest.id)) == 2
    world.assert_clean()


def test_of_writes_that_race_with_the_clearing_each_is_kept_or_refused(world: World) -> None:
    """A write either keeps its guest, or is told that there is none any more; nothing is left without an owner."""
    crowd = [guest_in(world, event()) for _ in range(40)]
    answers: dict[str, Any] = {}

    def write(some: list[Guest]) -> None:
        for one in some:
            (answers[one.id],) = world.submit(Submission(one.id, (event(),), AFTER + 1, token_hash=one.token_hash))

    threads = [threading.Thread(target=write, args=(crowd[n::4],)) for n in range(4)]
    for one in threads:
        one.start()
    clear_guests(world.database, AFTER)
    for one in threads:
        one.join()
    for guest, is_there in zip(crowd, there(world, *(one.id for one in crowd)), strict=True):
        rows = world.rows(ledger, guest.id)
        assert isinstance(answers[guest.id], Receipt if is_there else IdentityGone)
        assert len(rows) == (2 if is_there else 0)
    world.assert_clean()


def test_who_has_a_second_session_in_use_stays(world: World) -> None:
    guest = guest_in(world, event(1))
    with world.database.transaction() as connection:
        learners.add_sessions(connection, session_of(guest.id, "another") | {"last_used_at": AFTER})
    assert clear_guests(world.database, AFTER) == Cleared(0, 0)
