"""Statements that erase learners, and on the list of erased learners."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store import entries, rows, upkeep
from headway.store.database import mark_for_scrubbing
from headway.store.schema import (
    OF_LEARNER,
    course,
    course_version,
    erasure,
    erasure_key,
    learner,
    security_event,
    session,
)


class Listed(NamedTuple):
    """An erased learner: the keyed hash of the former id, and the day of erasure, as a time in microseconds."""

    learner_hash: str
    erased_at: int


class Named(NamedTuple):
    """The ids by which a learner can be found in the list; `merged_into` is the account that a guest is part of."""

    id: str
    external_id: str | None
    merged_into: str | None


def hold(connection: Connection, learner_ids: Iterable[str]) -> None:
    """Lock learners so that no row can come to refer to them, which PostgreSQL allows under the usual lock."""
    wanted = sa.select(learner.c.id).where(learner.c.id.in_(list(learner_ids))).order_by(learner.c.id)
    connection.execute(wanted.with_for_update())


def key(connection: Connection) -> str:
    """The key of the list's hashes."""
    return str(connection.execute(sa.select(erasure_key.c.key)).scalar_one())


def owns_courses(connection: Connection, learner_ids: Sequence[str]) -> bool:
    """Whether one of these learners owns a course, or has published a version of one."""
    owned = sa.select(course.c.id).where(course.c.owner_id.in_(learner_ids))
    published = sa.select(course_version.c.course_id).where(course_version.c.published_by.in_(learner_ids))
    return connection.execute(owned.union(published).limit(1)).first() is not None


def remove(connection: Connection, learner_ids: Sequence[str], heir_id: str | None) -> None:
    """Delete learners and all their rows; courses that they own go to the heir."""
    ids = list(learner_ids)
    for table in OF_LEARNER:
        connection.execute(sa.delete(table).where(table.c.learner_id.in_(ids)))
    acted = security_event.c.actor_id.in_(ids)
    connection.execute(sa.update(security_event).where(acted).values(actor_id=None, address=None))
    upkeep.forget_named(connection, ids)
    entries.remove(connection, ids, reason="erase")
    for owner in (course.c.owner_id, course_version.c.published_by):
        connection.execute(sa.update(owner.table).where(owner.in_(ids)).values({owner: heir_id}))
    connection.execute(sa.delete(learner).where(learner.c.id.in_(ids)))
    mark_for_scrubbing(connection)


def add(connection: Connection, listed: Iterable[Listed]) -> int:
    """Add learners to the list unless they are in it; return how many were added."""
    found = list({one.learner_hash: one for one in listed}.values())
    new = len(found) - len(among(connection, (one.learner_hash for one in found)))
    rows.insert(connection, erasure, found, on_conflict="DO NOTHING")
    return new


def among(connection: Connection, hashes: Iterable[str]) -> set[str]:
    """Those of the hashes that are in the list."""
    return {
        row[0]
        for row in rows.lookup(connection, erasure, [(one,) for one in hashes], "learner_hash", by=("learner_hash",))
    }


def page(connection: Connection, after: str, limit: int) -> list[Listed]:
    """The list in order of hash, after the given one."""
    statement = sa.select(erasure).where(erasure.c.learner_hash > after).order_by(erasure.c.learner_hash).limit(limit)
    return [Listed(*row) for row in connection.execute(statement)]


def living(connection: Connection, after: str, limit: int) -> list[Named]:
    """Learners who are not erased, in order of id, after the given one."""
    statement = sa.select(learner.c.id, learner.c.external_id, learner.c.merged_into).where(
        learner.c.erased_at.is_(None)
    )
    if after:
        statement = statement.where(learner.c.id > after)
    return [Named(*row) for row in connection.execute(statement.order_by(learner.c.id).limit(limit))]


def began(connection: Connection, token_hash: str) -> int | None:
    """When a session was opened."""
    return connection.execute(sa.select(session.c.created_at).where(session.c.token_hash == token_hash)).scalar()
