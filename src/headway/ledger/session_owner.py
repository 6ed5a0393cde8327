"""Check whose session a write comes with: under the learner's lock, not from the request's token."""

from sqlalchemy.engine import Connection, RowMapping

from headway.domain.errors import IdentityGone
from headway.store import learners

_ENDED = "the session has ended; sign in again"


def identity(connection: Connection, session_hash: str, learner_id: str, now: int) -> RowMapping:
    """Lock a learner, and return the row of the guest or account if the session is theirs and alive; else IdentityGone.

    A move takes along what is theirs, and an erasure deletes it: neither leaves behind what the caller writes.
    """
    locked = learners.lock(connection, [learner_id]).get(learner_id)
    if locked is not None and not locked.is_alive:
        raise IdentityGone("this identity was moved into an account or erased; sign in again")
    found = learners.by_session(connection, session_hash, now)
    if found is None or found["id"] != learner_id:
        raise IdentityGone(_ENDED)
    return found


def owner(connection: Connection, session_hash: str, learner_id: str, now: int) -> RowMapping:
    """Do the same as `identity`, for sessions of signed-in accounts alone.

    A token must not change how its account is opened.
    """
    found = identity(connection, session_hash, learner_id, now)
    if found["session_kind"] != "account":
        raise IdentityGone(_ENDED)
    return found
