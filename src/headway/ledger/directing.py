"""What admins and operators do to learners: give and take roles, and link imported learners to accounts."""

import secrets
from collections.abc import Collection
from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.errors import HeadwayError, Invalid
from headway.domain.identity import ROLES
from headway.domain.times import DAY
from headway.ledger.accounts import Merged
from headway.ledger.commit import committed
from headway.ledger.merge import move_imported
from headway.ledger.security import OPERATOR, Happening, Origin, note
from headway.store import claims, directory, learners
from headway.store.catalog import Catalog
from headway.store.database import Database

CODE_LIVES: Final = 7 * DAY


class NoSuchLearner(HeadwayError):
    """There is no such learner."""

    code = "not-found"


class LastAdmin(HeadwayError):
    """The site would have no admin any more."""

    code = "last-admin"


class NotLinked(HeadwayError):
    """These two cannot be linked."""

    code = "not-linked"


class ClaimCode(NamedTuple):
    """A code by which an imported learner is claimed, and its expiry (microseconds)."""

    code: str
    expires_at: int


def set_roles(
    database: Database, learner_id: str, roles: Collection[str], *, now: int, origin: Origin = OPERATOR
) -> list[str]:
    """Set an account's roles, and return those it had. Each role given or taken away is a security event.

    Raise Invalid for an unknown role or a learner without an account, and LastAdmin if no admin would be left.
    """
    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise Invalid(f"{unknown[0][:50]!r} is no role; there are {', '.join(ROLES)}", field="roles")
    return committed(database, lambda connection: _set_roles(connection, learner_id, set(roles), (now, origin)))


def _set_roles(connection: Connection, learner_id: str, roles: set[str], said: tuple[int, Origin]) -> list[str]:
    # Lock all admins, so that no two take the role from each other.
    learners.lock(connection, {learner_id, *directory.admins(connection)})
    row = learners.by_id(connection, learner_id)
    if row is None or row["merged_into"] is not None or row["erased_at"] is not None:
        raise NoSuchLearner("there is no such learner", field="learner")
    if row["kind"] != "account":
        raise Invalid(f"roles are for accounts, and this is {row['kind']}", field="roles")
    before = set(row["roles"].split())
    if "admin" in before - roles and directory.admins(connection) == [learner_id]:
        raise LastAdmin("this is the last admin: give the role to somebody else first", field="roles")
    if before != roles:
        learners.change(connection, learner_id, {"roles": " ".join(sorted(roles))})
    now, origin = said
    for what, changed in ((Happening.ROLE_GIVEN, roles - before), (Happening.ROLE_TAKEN, before - roles)):
        for role in sorted(changed):
            note(connection, what, learner_id, at=now, origin=origin, detail=role)
    return sorted(before)


def make_claim_code(database: Database, learner_id: str, *, now: int, origin: Origin = OPERATOR) -> ClaimCode:
    """Make a code that claims an imported learner, once and within a week; an older code stops working."""
    code = secrets.token_urlsafe(24)

    def work(connection: Connection) -> None:
        learners.lock(connection, [learner_id])
        _check_imported(connection, learner_id)
        claims.put(connection, learner_id, hash_of_code(code), now + CODE_LIVES)
        note(connection, Happening.CLAIM_CODE_MADE, learner_id, at=now, origin=origin)

    committed(database, work)
    return ClaimCode(code, now + CODE_LIVES)


def link(
    database: Database, catalog: Catalog, imported_id: str, account_id: str, *, now: int, origin: Origin = OPERATOR
) -> Merged:
    """Make an imported learner part of an account, all or nothing; NotLinked if that was done already."""
    with database.read() as connection:
        _check_imported(connection, imported_id)
        account = learners.by_id(connection, account_id)
    if account is None or account["kind"] != "account" or account["merged_into"] or account["erased_at"]:
        raise NotLinked("an imported learner is linked to an account; that is none", field="account")
    merged = move_imported(database, catalog, account_id, imported_id, now=now)
    if merged is None:
        raise NotLinked("this learner was linked to an account meanwhile", field="learner")
    with database.transaction() as connection:
        note(connection, Happening.LINKED, account_id, at=now, origin=origin, detail=imported_id)
    return merged


def _check_imported(connection: Connection, learner_id: str) -> None:
    row = learners.by_id(connection, learner_id)
    if row is None or row["erased_at"] is not None:
        raise NoSuchLearner("there is no such learner", field="learner")
    if row["kind"] != "imported" or row["merged_into"] is not None:
        raise NotLinked("only a learner who was imported, and is part of no account, can be claimed", field="learner")


def hash_of_code(code: str) -> str:
    """Return the SHA-256 under which a code is stored."""
    return sha256(code.encode()).hexdigest()
