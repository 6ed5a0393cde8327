"""Confirm the address of an account by a link mailed only there: opening it shows that its owner reads that mail."""

from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.preferences import claimed_by, confirm_token, confirms
from headway.ledger.commit import committed
from headway.ledger.enlist import hash_of_id
from headway.ledger.throttles import Limit, Throttle, left_of, succeeded, take_quietly
from headway.store import confirmed, erasures, learners
from headway.store.database import Database

# Whoever registers with a stranger's address must not be able to fill the stranger's mailbox.
LINKS: Final = Limit("address-confirmations", 3, 30 * 24 * 60 * 60)


class Link(StrEnum):
    """What is known of an address's link: none was mailed lately; one was, or is being; or no more can be for now."""

    NONE = "none"
    MAILED = "mailed"
    USED_UP = "used-up"


class Unconfirmed(NamedTuple):
    """An unconfirmed address, the token of the link that confirms it, and the try that was counted, if any."""

    email: str
    token: str
    counted: Throttle | None


def link_due(database: Database, learner_id: str, *, now: int, is_limited: bool) -> Unconfirmed | None:
    """Return what to mail so that an account's address is confirmed; None if it is, or the limit is reached.

    Tries are counted by the address, hashed with the key of the list of erasures: an account that is erased and made
    anew does not start a new count, and nobody else can tell whose address it is.
    """
    with database.read() as connection:
        row = learners.by_id(connection, learner_id)
        is_confirmed = confirmed.is_confirmed(connection, learner_id)
        key = erasures.key(connection)
    if row is None or not row["email"] or is_confirmed:
        return None
    counted = _counted(key, row["email"])
    may_be = take_quietly(database, counted, now=now)
    if is_limited and not may_be:
        return None
    return Unconfirmed(row["email"], confirm_token(key, learner_id, row["email"]), counted if may_be else None)


def not_mailed(database: Database, link: Unconfirmed) -> None:
    """Give back the counted try of a link that no mail server accepted."""
    if link.counted is not None:
        succeeded(database, give_back=[link.counted])


def link_of(connection: Connection, email: str, *, now: int, is_limited: bool) -> Link:
    """Return what is known of an address's link."""
    left = left_of(connection, _counted(erasures.key(connection), email), now)
    if is_limited and not left.remaining:
        return Link.USED_UP
    return Link.MAILED if left.remaining < LINKS.quota else Link.NONE


def _counted(key: str, email: str) -> Throttle:
    return Throttle(LINKS, (hash_of_id(key, email),))


def whose_link(connection: Connection, token: str) -> str | None:
    """Return the learner whose address a link confirms; None if the link is invalid or the address has changed."""
    learner_id = claimed_by(token)
    row = None if learner_id is None else learners.by_id(connection, learner_id)
    if row is None or not row["email"] or row["erased_at"] is not None:
        return None
    return row["id"] if confirms(erasures.key(connection), token, row["id"], row["email"]) else None


def confirm(database: Database, token: str, *, now: int) -> str | None:
    """Mark the address of a link's account as confirmed, and return the account's id; None if the link is invalid."""

    def work(connection: Connection) -> str | None:
        learner_id = claimed_by(token)
        if learner_id is None:
            return None
        # Under the lock, so that a learner who is being erased leaves no trace.
        learners.lock(connection, [learner_id])
        if whose_link(connection, token) is None:
            return None
        row = learners.by_id(connection, learner_id)
        confirmed.put(connection, learner_id, row["email"] if row else "", now)
        return learner_id

    return committed(database, work)
