"""Statements on the sessions of an account: where it is signed in."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from headway.store.schema import session

_SIGNED_IN = session.c.kind == "account"


def page(
    connection: Connection, learner_id: str, now: int, before: tuple[int, str] | None, limit: int
) -> list[RowMapping]:
    """An account's live sessions, newest first, from before a (time of making, id)."""
    mine = (session.c.learner_id == learner_id, _SIGNED_IN, session.c.expires_at > now)
    statement = sa.select(session).where(*mine).order_by(session.c.created_at.desc(), session.c.id.desc()).limit(limit)
    if before is not None:
        at, session_id = before
        same = sa.and_(session.c.created_at == at, session.c.id < session_id)
        statement = statement.where(sa.or_(session.c.created_at < at, same))
    return list(connection.execute(statement).mappings())


def end(connection: Connection, learner_id: str, session_id: str) -> RowMapping | None:
    """End one of an account's sessions; what it was, or None where the account has none of that id."""
    ended = sa.delete(session).where(session.c.learner_id == learner_id, session.c.id == session_id, _SIGNED_IN)
    return connection.execute(ended.returning(session)).mappings().first()


def end_others(connection: Connection, learner_id: str, token_hash: str) -> None:
    """End all of an account's sessions but one."""
    others = (session.c.learner_id == learner_id, _SIGNED_IN, session.c.token_hash != token_hash)
    connection.execute(sa.delete(session).where(*others))


def forget_ended(connection: Connection, now: int, limit: int) -> int:
    """Delete so many of the sessions that have run out, of any kind; how many there were."""
    ended = sa.select(session.c.token_hash).where(session.c.expires_at <= now).limit(limit)
    return connection.execute(sa.delete(session).where(session.c.token_hash.in_(ended))).rowcount
