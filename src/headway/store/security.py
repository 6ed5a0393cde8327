"""Statements on security events: who signed in, was refused or was given something, and from where."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from headway.store import rows
from headway.store.schema import security_event


def add(connection: Connection, *events: dict[str, Any]) -> None:
    """Add events; all columns are given."""
    rows.insert(connection, security_event, [tuple(one[column.name] for column in security_event.c) for one in events])


def page(
    connection: Connection, learner_id: str | None, before: tuple[int, str] | None, limit: int
) -> list[RowMapping]:
    """Events of one learner, or of all, the newest first, before a (time, id)."""
    statement = sa.select(security_event).order_by(security_event.c.at.desc(), security_event.c.id.desc()).limit(limit)
    if learner_id is not None:
        statement = statement.where(security_event.c.learner_id == learner_id)
    if before is not None:
        at, event_id = before
        same = sa.and_(security_event.c.at == at, security_event.c.id < event_id)
        statement = statement.where(sa.or_(security_event.c.at < at, same))
    return list(connection.execute(statement).mappings())


def forget_before(connection: Connection, at: int, limit: int) -> int:
    """Delete at most `limit` events from before a time, the oldest first; return how many."""
    old = sa.select(security_event.c.id).where(security_event.c.at < at).order_by(security_event.c.at).limit(limit)
    return connection.execute(sa.delete(security_event).where(security_event.c.id.in_(old))).rowcount
