"""Whose session a write comes with: judged under the learner's lock, and not from the request's token."""

from sqlalchemy.engine import Connection, RowMapping

from headway.domain.errors import IdentityGone
from headway.store import learners

_ENDED = "the session has ended; sign in again"


def identity(connection: Connection, session_hash: str, learner_id: str, now: int) -> RowMapping:
    """The guest or the account, under its lock, of a session that is still alive then; else IdentityGone.

    A move takes along what is theirs, and an erasure everything: neither leaves behind what is written here.
    """
    locked = learners.lock(connection, [learner_id]).get(learner_id)
    if locked is not None and not locked.is_alive:
        raise IdentityGone("this identity was moved into an account or erased; sign in again")
    found = learners.by_session(connection, session_hash, now)
    if found is None or found["id"] != learner_id:
        raise IdentityGone(_ENDED)
    return found


def owner(connection: Connection, session_hash: str, learner_id: str, now: int) -> RowMapping:
    """The same of accounts alone, and of those who signed in: no token opens what changes how an account is opened."""
    found = identity(connection, session_hash, learner_id, now)
    if found["session_kind"] != "account":
        raise IdentityGone(_ENDED)
    return found
