"""A learner's notifications: what they were told, the newest first."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.changes import Change
from headway.domain.course import Course
from headway.domain.times import format_time
from headway.store import notices, preferences
from headway.store.catalog import Catalog
from headway.store.notices import Notice, NoticePlace, NoticeQuery

_decode: Final = msgspec.json.Decoder(Change).decode


class Notification(Struct):
    """What a learner was told: `change` is as in the replies to recording; `id` is the same on every channel.

    `at` is when it was told, `read_at` when the learner first marked it as read. `title` is the present title of the
    step, else the module, else the course that it is about; null if it is about none, or that is gone.
    """

    id: str
    type: str
    at: str
    read_at: str | None
    title: str | None
    change: Change


class NoticePage(NamedTuple):
    """Notifications, the newest first, where the page ends if there are more, and how many in all are unread."""

    items: list[Notification]
    unread: int
    next_place: NoticePlace | None


def read_notices(
    connection: Connection,
    catalog: Catalog,
    learner_id: str | None,
    place: NoticePlace | None,
    limit: int,
    *,
    unread_only: bool,
) -> NoticePage:
    """Return a page of a learner's notices, without the kinds they do not want in the list; empty for nobody."""
    if learner_id is None:
        return NoticePage([], 0, None)
    but = preferences.not_in_app(connection, learner_id)
    found = notices.page(connection, NoticeQuery(learner_id, place, but, unread_only), limit + 1)
    shown = found[:limit]
    behind = NoticePlace(shown[-1].seq, shown[-1].n) if found[limit:] else None
    return NoticePage(_notifications(connection, catalog, shown), notices.unread(connection, learner_id, but), behind)


def _notifications(connection: Connection, catalog: Catalog, shown: Sequence[Notice]) -> list[Notification]:
    told = [(one, _decode(one.body)) for one in shown]
    courses = catalog.in_force(connection, {change["course"] for _, change in told if change.get("course")})
    return [
        Notification(one.id, one.type, format_time(one.at), _read_at(one), _title(courses, change), change)
        for one, change in told
    ]


def _read_at(one: Notice) -> str | None:
    return None if one.read_at is None else format_time(one.read_at)


def _title(courses: Mapping[str, tuple[int, Course]], change: Change) -> str | None:
    _, course = courses.get(change.get("course", ""), (0, None))
    if course is None:
        return None
    if "step" in change:
        step = course.step(change["step"])
        return None if step is None else step.title
    if "module" in change:
        module = course.module(change["module"])
        return None if module is None else module.title
    return course.title
