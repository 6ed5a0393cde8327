"""Statements on the sessions of an account: where it is signed in."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from headway.store.schema import session

_SIGNED_IN = session.c.kind == "account"


def page(
    connection: Connection, learner_id: str, now: int, before: tuple[int, str] | None, limit: int
) -> list[RowMapping]:
    """An account's live sessions, the newest first, before a (time of creation, id)."""
    mine = (session.c.learner_id == learner_id, _SIGNED_IN, session.c.expires_at > now)
    statement = sa.select(session).where(*mine).order_by(session.c.created_at.desc(), session.c.id.desc()).limit(limit)
    if before is not None:
        at, session_id = before
        same = sa.and_(session.c.created_at == at, session.c.id < session_id)
        statement = statement.where(sa.or_(session.c.created_at < at, same))
    return list(connection.execute(statement).mappings())


def end(connection: Connection, learner_id: str, session_id: str) -> RowMapping | None:
    """End one of an account's sessions; return its row, or None where the account has none of that id."""
    one = (session.c.learner_id == learner_id, session.c.id == session_id, _SIGNED_IN)
    return connection.execute(sa.delete(session).where(*one).returning(session)).mappings().first()


def end_others(connection: Connection, learner_id: str, token_hash: str) -> None:
    """End all of an account's sessions but the one with this token hash."""
    others = (session.c.learner_id == learner_id, _SIGNED_IN, session.c.token_hash != token_hash)
    connection.execute(sa.delete(session).where(*others))


def keep_newest(connection: Connection, learner_id: str, number: int) -> None:
    """End all of an account's sessions except the newest `number`."""
    mine = (session.c.learner_id == learner_id, _SIGNED_IN)
    newest = sa.select(session.c.token_hash).where(*mine).order_by(session.c.created_at.desc(), session.c.id.desc())
    connection.execute(sa.delete(session).where(session.c.token_hash.in_(newest.offset(number))))


def ended(connection: Connection, now: int) -> list[str]:
    """The token hashes of expired sessions of any kind."""
    return list(connection.execute(sa.select(session.c.token_hash).where(session.c.expires_at <= now)).scalars())


def forget_ended(connection: Connection, token_hashes: Sequence[str], now: int) -> None:
    """Delete those of the sessions that have run out."""
    those = (session.c.token_hash.in_(token_hashes), session.c.expires_at <= now)
    connection.execute(sa.delete(session).where(*those))
