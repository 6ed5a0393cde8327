"""Signing in with another provider: find, join or create the account."""

from typing import NamedTuple
from uuid import uuid4

from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.exc import IntegrityError

from headway.domain.errors import HeadwayError
from headway.store import confirmed, external, learners
from headway.store.database import Database


class Vouched(NamedTuple):
    """A person for whom a provider vouches. `email` is normalized, and set only if the provider verified it."""

    issuer: str
    subject: str
    email: str | None
    name: str | None


class AddressInUse(HeadwayError):
    """There is an account with this address, and it is not joined."""

    code = "address-in-use"


def account_of(database: Database, vouched: Vouched, *, may_join: bool, now: int) -> str:
    """Return the account of a person for whom a provider vouches: their own, the one with their address, or a new one.

    Raise AddressInUse if the account with their address must not be joined.
    """
    try:
        with database.transaction() as connection:
            return _account_of(connection, vouched, may_join=may_join, now=now)
    except IntegrityError:
        # The same person signed in twice at once; the other request's rows can be found now.
        with database.transaction() as connection:
            return _account_of(connection, vouched, may_join=may_join, now=now)


def _account_of(connection: Connection, vouched: Vouched, *, may_join: bool, now: int) -> str:
    # In this order: an account of theirs that another request creates between the two reads is then found as known.
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
    if vouched.email is not None:  # the provider verified it, and it is the account's now
        confirmed.put(connection, learner_id, vouched.email, now)
    return learner_id


def _joined(connection: Connection, found: RowMapping, issuer: str, *, may_join: bool) -> str:
    # The person who chose a password for an address need not be the one who reads its mail: joined, they could still
    # get into what becomes another person's account. Without a password, a provider verified the address.
    if not may_join or found["password_hash"] is not None or found["erased_at"] is not None:
        raise AddressInUse("there is an account with your address already; sign in to it as you did before")
    learner_id: str = found["id"]
    learners.lock(connection, [learner_id])
    # Under the lock: two people of one provider can come at once. If the provider knows this account by another
    # subject, this is another person, to whom the mailbox was given since.
    if external.has_of(connection, learner_id, issuer):
        raise AddressInUse("there is an account with your address already, which was not yours when it was made")
    return learner_id


def _made(connection: Connection, vouched: Vouched, now: int) -> str:
    account = {"id": str(uuid4()), "kind": "account", "email": vouched.email, "display_name": vouched.name}
    learners.add(connection, account | {"time_zone": "UTC", "created_at": now})
    return account["id"] or ""
