"""Statements on the identities of an account: itself, and every guest that was moved into it."""

from collections.abc import Generator, Iterable
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store import entries, rows, sums
from headway.store.entries import Entry, Known
from headway.store.schema import brought, learner, ledger


class MovedGuest(NamedTuple):
    """A guest that is part of an account; it was moved after the account's entry of number `after`."""

    id: str
    account_id: str
    at: int
    after: int


class Ledger(NamedTuple):
    """One of an account's ledgers: the number of its last entry, and of the last that came in until some time."""

    id: str
    head: int
    until: int


class MoveState(NamedTuple):
    """A learner's row as far as it concerns a move, and what is true of the account that it names."""

    id: str
    kind: str
    merged_into: str | None
    merged_at: int | None
    merged_after: int | None
    sessions: int
    account_kind: str | None
    account_merged_into: str | None
    account_head: int


_HEAD = "(SELECT coalesce(max(seq), 0) FROM ledger l WHERE l.learner_id = t.{})"
_LEDGERS = (
    f"SELECT t.id, {_HEAD.format('id')},"  # noqa: S608  # our own words
    " coalesce((SELECT seq FROM ledger l WHERE l.learner_id = t.id AND l.received_at <= :until"
    " ORDER BY seq DESC LIMIT 1), 0)"
    " FROM learner t WHERE t.id = :account OR t.merged_into = :account"
    " ORDER BY t.merged_into IS NOT NULL, t.merged_at, t.id"
)
_PLACES = ", ".join(
    (
        *("t.id", "t.kind", "t.merged_into", "t.merged_at", "t.merged_after"),
        "(SELECT count(*) FROM session s WHERE s.learner_id = t.id)",
        "(SELECT a.kind FROM learner a WHERE a.id = t.merged_into)",
        "(SELECT a.merged_into FROM learner a WHERE a.id = t.merged_into)",
        _HEAD.format("merged_into"),
    )
)
_SAYS_SO = "AND (t.merged_into IS NOT NULL OR t.merged_at IS NOT NULL OR t.merged_after IS NOT NULL)"


def moved_into(connection: Connection, account_ids: Iterable[str]) -> dict[str, list[MovedGuest]]:
    """The guests moved into each of these accounts, in the order of their moves; accounts without any are left out."""
    names = ("id", "merged_into", "merged_at", "merged_after")
    found = rows.lookup(connection, learner, [(one,) for one in account_ids], *names, by=("merged_into",))
    # A row that lacks one of the numbers is a fault, which audit reports.
    moved = [MovedGuest(row[0], row[1], row[2] or 0, row[3] or 0) for row in found]
    by_account: dict[str, list[MovedGuest]] = {}
    for one in sorted(moved, key=lambda one: (one.at, one.id)):
        by_account.setdefault(one.account_id, []).append(one)
    return by_account


def last_move(connection: Connection, account_id: str) -> int:
    """The time of the latest move into an account, microseconds; 0 where there was none."""
    statement = sa.select(sa.func.max(learner.c.merged_at)).where(learner.c.merged_into == account_id)
    return connection.execute(statement).scalar() or 0


def ledgers(connection: Connection, account_id: str, until: int) -> list[Ledger]:
    """The ledgers of an account: its own, then those of its guests in the order of their moves."""
    found = connection.execute(sa.text(_LEDGERS), {"account": account_id, "until": until})
    return [Ledger(*row) for row in found]


def places(connection: Connection, learner_ids: Iterable[str]) -> dict[str, MoveState]:
    """The learners whose rows say anything of a move, by id."""
    keys = [(one,) for one in learner_ids]
    return {row[0]: MoveState(*row) for row in rows.select(connection, learner, keys, _PLACES, ("id",), _SAYS_SO)}


def held(connection: Connection, ids: Iterable[tuple[str, str]]) -> set[str]:
    """Which event ids of these (account, event id) pairs count already: the account's own, and those guests brought."""
    keys = list(ids)
    lists = (rows.Question(table, keys, "t.event_id", ("learner_id", "event_id")) for table in (ledger, brought))
    return {row[0] for found in rows.ask(connection, *lists) for row in found}


def bring(connection: Connection, account_id: str, new: Iterable[Entry]) -> None:
    """Note that entries of a guest's ledger count as an account's; for an id noted before, the first entry stays."""
    noted = [(account_id, one.event_id, one.learner_id, one.seq) for one in new]
    rows.insert(connection, brought, noted, on_conflict="DO NOTHING")


def known_of_guests(connection: Connection, ids: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
    """The entries that guests brought for these (account, event id) pairs."""
    names = ("learner_id", "event_id", "guest_id")
    found = rows.lookup(connection, brought, ids, *names, by=("learner_id", "event_id"))
    places = {(row[0], row[1]): (row[2], row[1]) for row in found}
    known = entries.known(connection, places.values())
    return {pair: known[place] for pair, place in places.items() if place in known}


def entries_of_guests(connection: Connection, first: str, last: str) -> Generator[Entry, None, None]:
    """The entries of all guests who were moved into the accounts from first to last id, in bounded memory.

    In order of account, of move, and of number. Close the generator unless you read it to its end.
    """
    of_moved = sa.select(ledger).join(learner, learner.c.id == ledger.c.learner_id)
    wanted = of_moved.where(learner.c.merged_into >= first, learner.c.merged_into <= last)
    order = (learner.c.merged_into, sa.func.coalesce(learner.c.merged_at, 0), learner.c.id, ledger.c.seq)
    yield from entries.streamed(connection, wanted.order_by(*order))


def drop_sums(connection: Connection, learner_id: str) -> None:
    """Delete all sums of a learner."""
    for kind in sums.ALL:
        connection.execute(sa.delete(kind.table).where(kind.table.c.learner_id == learner_id))
