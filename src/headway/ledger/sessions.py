"""Let an account end its own sessions."""

from sqlalchemy.engine import RowMapping

from headway.ledger.security import Happening, Origin, note
from headway.ledger.session_owner import owner
from headway.store import sessions
from headway.store.database import Database


def revoke(
    database: Database, session_hash: str, learner_id: str, session_id: str, *, now: int, origin: Origin
) -> RowMapping | None:
    """End one of an account's sessions; return its row, or None if the account has none of that id."""
    with database.transaction() as connection:
        owner(connection, session_hash, learner_id, now)
        ended = sessions.end(connection, learner_id, session_id)
        if ended is not None:
            note(connection, Happening.SESSION_REVOKED, learner_id, at=now, origin=origin, detail=ended["name"])
        return ended
