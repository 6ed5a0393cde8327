"""Statements on requested resets of passwords."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from headway.store.schema import learner, password_reset


def add(connection: Connection, token_hash: str, learner_id: str, expires_at: int) -> None:
    """Add a reset."""
    values = {"token_hash": token_hash, "learner_id": learner_id, "expires_at": expires_at}
    connection.execute(sa.insert(password_reset).values(**values))


def whose(connection: Connection, token_hash: str, now: int) -> RowMapping | None:
    """The account whose password a valid token may reset; None where the token is not valid."""
    statement = (
        sa.select(learner)
        .join(password_reset, password_reset.c.learner_id == learner.c.id)
        .where(
            password_reset.c.token_hash == token_hash, password_reset.c.expires_at > now, learner.c.erased_at.is_(None)
        )
    )
    return connection.execute(statement).mappings().first()


def use(connection: Connection, token_hash: str, now: int) -> str | None:
    """Use up a token; return its account, or None where it is not valid. Of two callers at once, one gets it."""
    used = sa.delete(password_reset).where(password_reset.c.token_hash == token_hash, password_reset.c.expires_at > now)
    return connection.execute(used.returning(password_reset.c.learner_id)).scalar_one_or_none()


def forget(connection: Connection, learner_id: str) -> None:
    """Delete all resets of an account."""
    connection.execute(sa.delete(password_reset).where(password_reset.c.learner_id == learner_id))


def forget_ended(connection: Connection, now: int, limit: int) -> int:
    """Delete at most `limit` expired resets; return how many."""
    ended = sa.select(password_reset.c.token_hash).where(password_reset.c.expires_at <= now).limit(limit)
    return connection.execute(sa.delete(password_reset).where(password_reset.c.token_hash.in_(ended))).rowcount
