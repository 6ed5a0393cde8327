"""Clear guests who have done nothing for long: they are removed wholly, with their entries in the ledger."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from headway.ledger.archive import settle
from headway.ledger.portions import paged, portions
from headway.store import guests, learners
from headway.store.database import Database
from headway.store.guests import Idle

LEARNERS_LOOKED_AT: Final = 1_000
# The size of one transaction, for which recording may have to wait.
GUESTS_A_TRANSACTION: Final = 50
ENTRIES_A_TRANSACTION: Final = 5_000
PAUSE_S: Final = 0.02


class Cleared(NamedTuple):
    """How many guests were cleared, or would be, and how many entries they had."""

    guests: int
    entries: int


def clear_guests(database: Database, before: int, *, dry_run: bool = False) -> Cleared:
    """Clear the guests who have done nothing since a time (microseconds), in small transactions; recording goes on.

    Guests with a certificate, or with guests moved into them, stay; a guest who was moved belongs to its account.
    """
    cleared = Cleared(0, 0)
    for portion in _portions(database, before):
        gone = portion if dry_run else _clear(database, portion, before)
        cleared = Cleared(cleared.guests + len(gone), cleared.entries + sum(one.entries for one in gone))
    if cleared.guests and not dry_run:
        settle(database)
    return cleared


def _clear(database: Database, portion: Sequence[Idle], before: int) -> list[Idle]:
    with database.transaction() as connection:
        # A guest who is locked elsewhere is active; and what was read before the lock may have changed.
        free = learners.lock(connection, {one.id for one in portion}, wait=False)
        gone = guests.idle(connection, free, before)
        if gone:
            guests.remove(connection, [one.id for one in gone], reason="guests cleared")
    time.sleep(PAUSE_S)
    return gone


def _portions(database: Database, before: int) -> Iterator[list[Idle]]:
    """Yield the guests of one transaction each: several, or one with a long ledger."""
    for page in paged(database, partial(learners.page, limit=LEARNERS_LOOKED_AT), str):
        with database.read() as connection:
            found = guests.idle(connection, page, before)
        yield from portions(found, _weight, ENTRIES_A_TRANSACTION)


def _weight(one: Idle) -> int:
    """Return a guest's share of a transaction: its entries, but at least what keeps guests to GUESTS_A_TRANSACTION."""
    return max(one.entries, -(-ENTRIES_A_TRANSACTION // GUESTS_A_TRANSACTION))
