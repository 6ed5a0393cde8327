"""Statements on personal access tokens, which are sessions of a kind of their own."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from headway.store.schema import session

_OF_TOKENS = session.c.kind == "token"


def of_learner(connection: Connection, learner_id: str, now: int) -> list[RowMapping]:
    """A learner's live tokens, the newest first."""
    statement = (
        sa.select(session)
        .where(session.c.learner_id == learner_id, _OF_TOKENS, session.c.expires_at > now)
        .order_by(session.c.created_at.desc(), session.c.id)
    )
    return list(connection.execute(statement).mappings())


def clear_expired(connection: Connection, learner_id: str, now: int) -> None:
    """Delete a learner's expired tokens."""
    ended = sa.delete(session).where(session.c.learner_id == learner_id, _OF_TOKENS, session.c.expires_at <= now)
    connection.execute(ended)


def count(connection: Connection, learner_id: str) -> int:
    """How many tokens a learner has."""
    counted = sa.select(sa.func.count()).select_from(session)
    return connection.execute(counted.where(session.c.learner_id == learner_id, _OF_TOKENS)).scalar_one()


def end(connection: Connection, learner_id: str, token_id: str) -> str | None:
    """End one of a learner's tokens; return its name, or None where the learner has none of that id."""
    ended = sa.delete(session).where(session.c.learner_id == learner_id, session.c.id == token_id, _OF_TOKENS)
    return connection.execute(ended.returning(session.c.name)).scalar_one_or_none()
