"""Create and change accounts, guests and their sessions."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import uuid4

from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.exc import IntegrityError

from headway.domain.errors import HeadwayError, IdentityGone, Invalid
from headway.domain.identity import ROLES
from headway.ledger.board_moves import look_again
from headway.ledger.emails import normalize_email
from headway.ledger.passwords import check_new_password, hash_password
from headway.ledger.security import OPERATOR, Happening, Origin, note
from headway.ledger.wholes import counted
from headway.store import learners, resets, roster, sessions
from headway.store.catalog import Catalog
from headway.store.database import Database


class EmailTaken(HeadwayError):
    """The address belongs to an account already."""

    code = "email-taken"


class WrongCredentials(HeadwayError):
    """The address or the password is wrong."""

    code = "wrong-credentials"


# Beyond this the oldest sessions end: an account that signs in anew each time must not fill the database.
SESSIONS_MAX: Final = 100
WRONG = "the address or the password is wrong"


class Merged(NamedTuple):
    """How many steps, events and certificates a guest brought into an account."""

    steps: int
    events: int
    certificates: int


class Empowered(NamedTuple):
    """The account that was given a role, and whether it was created for that."""

    learner_id: str
    created: bool


def add_guest(database: Database, learner: Mapping[str, Any], session: Mapping[str, Any]) -> None:
    """Add a guest and its session."""
    with database.transaction() as connection:
        learners.add(connection, learner)
        learners.add_sessions(connection, session)


def register(
    database: Database,
    account: Mapping[str, Any],
    session: Mapping[str, Any],
    *,
    guest_token_hash: str | None,
    origin: Origin = OPERATOR,
    catalog: Catalog | None = None,
) -> Merged | None:
    """Create an account. With `guest_token_hash`, turn that session's guest into it, keeping id and figures.

    Raise EmailTaken if the address is in use, and IdentityGone if the learner is no longer a guest. Return what the
    guest brought, None without one.
    """
    try:
        with database.transaction() as connection:
            note(connection, Happening.REGISTERED, account["id"], at=account["created_at"], origin=origin)
            if guest_token_hash is None:
                learners.add(connection, {**account, "time_zone": account.get("time_zone") or "UTC"})
                learners.add_sessions(connection, session)
                return None
            return _grow(connection, catalog or Catalog(), account, session, guest_token_hash)
    except IntegrityError as error:
        raise EmailTaken("there is an account with this address; sign in to it", field="email") from error


def _grow(
    connection: Connection,
    catalog: Catalog,
    account: Mapping[str, Any],
    session: Mapping[str, Any],
    guest_token_hash: str,
) -> Merged:
    learner_id = account["id"]
    learners.lock(connection, [learner_id])
    guest = learners.by_session(connection, guest_token_hash, account["created_at"])
    if guest is None or guest["kind"] != "guest" or guest["merged_into"] is not None:
        raise IdentityGone("this guest has been moved into an account; sign in to it")
    # The guest's own name and time zone stay where the registration gives none.
    said = {name: account[name] for name in ("display_name", "time_zone") if account.get(name) is not None}
    values = {name: account[name] for name in ("kind", "email", "password_hash")}
    # From now on the guest appears in the rosters of the courses in which they are enrolled.
    with counted(connection, catalog, roster.courses_of(connection, [learner_id])):
        learners.change(connection, learner_id, values | said)
    look_again(connection, learner_id)
    learners.end_sessions(connection, learner_id)
    learners.add_sessions(connection, session)
    return Merged(*learners.possessions(connection, learner_id))


def sign_in(
    database: Database,
    session: Mapping[str, Any],
    *,
    password_hash: str | None,
    old_token_hash: str | None,
    verified_hash: str | None = None,
    origin: Origin = OPERATOR,
) -> None:
    """Open a session. End the session of `old_token_hash` and store `password_hash`, a newer hash, where given.

    Raise WrongCredentials if the account's password hash is no longer `verified_hash`: the password was changed during
    the check, and that change ends all sessions of the old one. Raise IdentityGone if the account no longer exists.
    """
    with database.transaction() as connection:
        learners.lock(connection, [session["learner_id"]])
        account = learners.by_id(connection, session["learner_id"])
        if account is None or account["erased_at"] is not None:
            raise IdentityGone("the account was erased meanwhile")
        if verified_hash is not None and account["password_hash"] != verified_hash:
            raise WrongCredentials(WRONG)
        if old_token_hash is not None:
            learners.end_session(connection, old_token_hash)
        if password_hash is not None:
            learners.change(connection, session["learner_id"], {"password_hash": password_hash})
        learners.add_sessions(connection, session)
        sessions.keep_newest(connection, session["learner_id"], SESSIONS_MAX)
        learner_id, at = session["learner_id"], session["created_at"]
        note(connection, Happening.SIGNED_IN, learner_id, at=at, origin=origin, detail=session["name"])


def sign_out(database: Database, token_hash: str, *, now: int, origin: Origin = OPERATOR) -> None:
    """End an account's session. A guest's session stays, because it is the guest's only key."""
    with database.transaction() as connection:
        found = learners.by_session(connection, token_hash, now)
        if found is not None and found["session_kind"] == "account":
            learners.end_session(connection, token_hash)
            note(connection, Happening.SIGNED_OUT, found["id"], at=now, origin=origin)


def note_use(database: Database, token_hash: str, at: int, expires_at: int) -> None:
    """Record when a session was last used, and extend it."""
    with database.transaction() as connection:
        learners.touch_session(connection, token_hash, last_used_at=at, expires_at=expires_at)


def change_profile(database: Database, token_hash: str, values: dict[str, Any], *, now: int) -> RowMapping:
    """Change a learner's own settings and return the updated row. Raise IdentityGone if the session has ended."""
    with database.transaction() as connection:
        found = learners.by_session(connection, token_hash, now)
        if found is None:
            raise IdentityGone("the session has ended; sign in again")
        if values:
            learners.change(connection, found["id"], values)
            if "display_name" in values:
                roster.rename(connection, found["id"], values["display_name"], found["external_id"])
            if "leaderboard_opt_out" in values:
                look_again(connection, found["id"])
            return learners.by_id(connection, found["id"]) or found
        return found


def empower(database: Database, email: str, password: str, role: str, *, now: int) -> Empowered:
    """Give the account with an email address a role and a password, for the operator; create it if there is none.

    An existing account keeps its other roles and its data, but its sessions and password resets end.
    """
    if role not in ROLES:
        raise Invalid(f"role must be one of {', '.join(ROLES)}", field="role")
    address = normalize_email(email)
    kept = hash_password(check_new_password(password, address))
    with database.transaction() as connection:
        found = learners.by_email(connection, address)
        if found is not None:
            learners.lock(connection, [found["id"]])
            # Read again under the lock: another role may have been given meanwhile.
            found = learners.by_email(connection, address)
        if found is not None:
            roles = " ".join(sorted({*found["roles"].split(), role}))
            learners.change(connection, found["id"], {"roles": roles, "password_hash": kept})
            learners.end_sessions(connection, found["id"])
            resets.forget(connection, found["id"])
            note(connection, Happening.PASSWORD_CHANGED, found["id"], at=now)
            if role not in found["roles"].split():
                note(connection, Happening.ROLE_GIVEN, found["id"], at=now, detail=role)
            return Empowered(found["id"], created=False)
        account = {"id": str(uuid4()), "kind": "account", "email": address, "password_hash": kept, "roles": role}
        learners.add(connection, account | {"time_zone": "UTC", "created_at": now})
        note(connection, Happening.ROLE_GIVEN, account["id"], at=now, detail=role)
        return Empowered(account["id"], created=True)
