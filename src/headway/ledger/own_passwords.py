"""Change an account's password, for somebody who knows the old one or reads the account's mail."""

from typing import Final

from sqlalchemy.engine import Connection, RowMapping

from headway.domain.errors import Invalid
from headway.domain.times import HOUR
from headway.ledger.security import Happening, Origin, note
from headway.ledger.session_owner import owner
from headway.store import confirmed, learners, resets, sessions
from headway.store.database import Database

RESET_LIVES: Final = HOUR


def change(
    database: Database, session_hash: str, learner_id: str, password_hash: str, *, now: int, origin: Origin
) -> None:
    """Store a new password's hash; all other sessions end, and so do all pending resets."""
    with database.transaction() as connection:
        owner(connection, session_hash, learner_id, now)
        learners.change(connection, learner_id, {"password_hash": password_hash})
        sessions.end_others(connection, learner_id, session_hash)
        resets.forget(connection, learner_id)
        note(connection, Happening.PASSWORD_CHANGED, learner_id, at=now, origin=origin)


def ask_reset(database: Database, email: str, token_hash: str, *, now: int, origin: Origin) -> RowMapping | None:
    """Let a token reset the password of the account with an address; return the account, None if there is none."""
    with database.transaction() as connection:
        found = learners.by_email(connection, email)
        if found is not None:
            resets.add(connection, token_hash, found["id"], now + RESET_LIVES)
            note(connection, Happening.PASSWORD_RESET_ASKED, found["id"], at=now, origin=Origin(origin.address))
        return found


def resettable(connection: Connection, token_hash: str, now: int) -> RowMapping:
    """Return the account whose password a token resets; Invalid if there is none."""
    found = resets.whose(connection, token_hash, now)
    if found is None:
        raise _spent()
    return found


def reset(database: Database, token_hash: str, password_hash: str, *, now: int, origin: Origin) -> str:
    """Store a new password's hash by a token, once, and return the account's id.

    All that opened the account ends, personal access tokens included.
    """
    with database.transaction() as connection:
        # As everywhere, the learner is locked before anything of theirs; only then is the token used up.
        account = resettable(connection, token_hash, now)
        learner_id: str = account["id"]
        learners.lock(connection, [learner_id])
        if resets.use(connection, token_hash, now) is None:
            raise _spent()
        learners.change(connection, learner_id, {"password_hash": password_hash})
        # The token went to the account's address alone.
        confirmed.put(connection, learner_id, account["email"], now)
        learners.end_sessions(connection, learner_id)
        resets.forget(connection, learner_id)
        note(connection, Happening.PASSWORD_RESET, learner_id, at=now, origin=origin)
        return learner_id


def _spent() -> Invalid:
    return Invalid("token is none that is good: it was used, is older than an hour, or never was one", field="token")
