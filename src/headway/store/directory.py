"""Statements by which admins find learners."""

from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store.schema import enrollment, learner, ledger

_LAST: Final = "\U0010ffff"


class Listed(NamedTuple):
    """A learner as shown to admins; times are microseconds. `key` is the name in the form that it is sorted by."""

    id: str
    kind: str
    email: str | None
    display_name: str | None
    roles: str
    external_id: str | None
    time_zone: str
    created_at: int
    key: str


class LearnerQuery(NamedTuple):
    """A search: by kind, by external id, and by `text`: a whole address or external id, or the beginning of a name."""

    text: str | None = None
    external_id: str | None = None
    kind: str | None = None


class Place(NamedTuple):
    """Where a page ended: the name in the form that it is sorted by, and the id."""

    key: str
    id: str


_COLUMNS: Final = (
    *(learner.c[name] for name in Listed._fields[:-1]),
    learner.c.name_key,
)


def page(connection: Connection, wanted: LearnerQuery, place: Place | None, limit: int) -> list[Listed]:
    """The learners found, in order of name and id, by one statement; guests only where that kind is asked for."""
    key = learner.c.name_key
    found = sa.select(*_COLUMNS).where(learner.c.merged_into.is_(None), learner.c.erased_at.is_(None))
    found = found.where(learner.c.kind != "guest" if wanted.kind is None else learner.c.kind == wanted.kind)
    if wanted.external_id is not None:
        found = found.where(learner.c.external_id == wanted.external_id)
    if wanted.text:
        found = found.where(_matches(wanted.text))
    if place is not None:
        found = found.where(sa.or_(key > place.key, sa.and_(key == place.key, learner.c.id > place.id)))
    rows = connection.execute(found.order_by(key, learner.c.id).limit(limit))
    return [Listed(*row) for row in rows]


def whole(connection: Connection, learner_id: str) -> list[Listed]:
    """The learner of that id, in a list; empty where there is none."""
    found = connection.execute(sa.select(*_COLUMNS).where(learner.c.id == learner_id))
    return [Listed(*row) for row in found]


def _matches(text: str) -> sa.ColumnElement[bool]:
    """The whole address or external id, by its index, or the beginning of the name, by a range of the index."""
    begins = text.casefold()
    by_name = sa.and_(learner.c.name_key >= begins, learner.c.name_key < begins + _LAST)
    return sa.or_(learner.c.email == text.strip().lower(), learner.c.external_id == text, by_name)


def admins(connection: Connection) -> list[str]:
    """The ids of all admins, in order; only the few learners with a role are read."""
    found = sa.select(learner.c.id, learner.c.roles).where(learner.c.roles != "", learner.c.erased_at.is_(None))
    return sorted(row[0] for row in connection.execute(found) if "admin" in row[1].split())


def linked(connection: Connection, learner_id: str) -> list[str]:
    """The external ids of a learner: the learner's own, and those of learners moved into the account."""
    mine = sa.or_(learner.c.id == learner_id, learner.c.merged_into == learner_id)
    found = sa.select(learner.c.external_id).where(mine, learner.c.external_id.is_not(None))
    return sorted(connection.execute(found).scalars())


def figures(connection: Connection, learner_id: str) -> tuple[int, int, int | None]:
    """The number of entries in the learner's own ledger, of courses enrolled in, and when the last entry came in."""
    parts: list[sa.Select[Any]] = [
        sa.select(sa.func.coalesce(sa.func.max(ledger.c.seq), 0)).where(ledger.c.learner_id == learner_id),
        sa.select(sa.func.count()).where(enrollment.c.learner_id == learner_id, enrollment.c.enrolled),
        sa.select(ledger.c.received_at).where(ledger.c.learner_id == learner_id).order_by(ledger.c.seq.desc()).limit(1),
    ]
    row = connection.execute(sa.select(*(part.scalar_subquery() for part in parts))).one()
    return int(row[0]), int(row[1]), row[2]
