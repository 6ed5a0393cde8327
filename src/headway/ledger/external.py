"""Signing in by another provider: whose account it is, or will be."""

from typing import NamedTuple
from uuid import uuid4

from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.exc import IntegrityError

from headway.domain.errors import HeadwayError
from headway.store import confirmed, external, learners
from headway.store.database import Database


class Vouched(NamedTuple):
    """Somebody for whom a provider vouches. `email` is normalized, and there only where the provider verified it."""

    issuer: str
    subject: str
    email: str | None
    name: str | None


class AddressInUse(HeadwayError):
    """There is an account with this address, and it is not joined."""

    code = "address-in-use"


def account_of(database: Database, vouched: Vouched, *, may_join: bool, now: int) -> str:
    """The account of somebody whom a provider vouches for: the one that is theirs, that of their address, or a new one.

    AddressInUse where the one with their address must not be joined.
    """
    try:
        with database.transaction() as connection:
            return _account_of(connection, vouched, may_join=may_join, now=now)
    except IntegrityError:
        # The same person signed in twice at once; now the other's rows are there to be found.
        with database.transaction() as connection:
            return _account_of(connection, vouched, may_join=may_join, now=now)


def _account_of(connection: Connection, vouched: Vouched, *, may_join: bool, now: int) -> str:
    # In this order: an account of theirs that another request makes between the two looks is then known as theirs.
    same_address = learners.by_email(connection, vouched.email) if vouched.email is not None else None
    known = external.find(connection, vouched.issuer, vouched.subject)
    if known is not None:
        return known
    if same_address is not None:
        learner_id = _joined(connection, same_address, vouched.issuer, may_join=may_join)
    else:
        learner_id = _made(connection, vouched, now)
    names = {"issuer": vouched.issuer, "subject": vouched.subject}
    external.add(connection, **names, learner_id=learner_id, created_at=now)
    if vouched.email is not None:  # which the provider verified, and which now is the account's
        confirmed.put(connection, learner_id, vouched.email, now)
    return learner_id


def _joined(connection: Connection, found: RowMapping, issuer: str, *, may_join: bool) -> str:
    # Whoever chose a password for an address need not be the one who reads its mail: joined, they would keep their way
    # into what becomes somebody else's account. Without a password it was a provider that verified the address.
    if not may_join or found["password_hash"] is not None or found["erased_at"] is not None:
        raise AddressInUse("there is an account with your address already; sign in to it as you did before")
    learner_id: str = found["id"]
    learners.lock(connection, [learner_id])
    # Under the lock: two people of one provider can come at once. One that knows the account by another name speaks of
    # another person, to whom the mailbox was given since.
    if external.has_of(connection, learner_id, issuer):
        raise AddressInUse("there is an account with your address already, which was not yours when it was made")
    return learner_id


def _made(connection: Connection, vouched: Vouched, now: int) -> str:
    account = {"id": str(uuid4()), "kind": "account", "email": vouched.email, "display_name": vouched.name}
    learners.add(connection, account | {"time_zone": "UTC", "created_at": now})
    return account["id"] or ""
