"""Statements on courses and their versions."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from headway.domain.events import could_name
from headway.store import rows
from headway.store.schema import course, course_version

# A manifest may be megabytes long.
_VERSIONS_AT_ONCE: Final = 20


def versions(connection: Connection, course_ids: Iterable[str]) -> dict[str, int]:
    """The version in force of each course that exists."""
    return {row[0]: row[1] for row in rows.ask(connection, versions_asked(filter(could_name, course_ids)))[0]}


def versions_asked(course_ids: Iterable[str]) -> rows.Question:
    """The question for each course that exists: (course, version in force, version that all were judged by)."""
    return rows.Question(course, [(one,) for one in course_ids], "t.id, t.version, t.judged_version", ("id",))


class Written(NamedTuple):
    """A version's manifest and keys as they are stored, each as JSON."""

    manifest: str
    step_keys: str
    module_keys: str


def manifests(connection: Connection, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Written]:
    """The stored manifests and keys of these (course, version) pairs, without pairs that do not exist."""
    by = ("course_id", "version")
    found = rows.lookup(connection, course_version, wanted, *by, "manifest", "step_keys", "module_keys", by=by)
    return {(row[0], row[1]): Written(*row[2:]) for row in found}


def judged(connection: Connection, course_ids: Iterable[str]) -> dict[str, tuple[int, bool]]:
    """The version in force of those courses, and whether all learners were judged by it."""
    keys = [(one,) for one in course_ids]
    found = rows.lookup(connection, course, keys, "id", "version", "judged_version", by=("id",))
    return {row[0]: (row[1], row[1] == row[2]) for row in found}


def note_judged(connection: Connection, course_id: str, version: int, up_to: str | None) -> None:
    """Note up to which learner's id all were judged by the version in force; None where all were.

    Does nothing where another version was published since: its sweep begins anew.
    """
    done = {"judged_version": version} if up_to is None else {}
    mine = (course.c.id == course_id, course.c.version == version)
    connection.execute(sa.update(course).where(*mine).values(judged_up_to=up_to, **done))


def pending(connection: Connection) -> list[str]:
    """The courses whose learners were not all judged by the version in force."""
    statement = sa.select(course.c.id).where(course.c.judged_version != course.c.version).order_by(course.c.id)
    return list(connection.execute(statement).scalars())


def readers(connection: Connection) -> set[str]:
    """The open transactions, except this one, that have read which versions are in force; none in SQLite."""
    return rows.readers(connection, course)


def find(connection: Connection, course_id: str, *, lock: bool = False) -> RowMapping | None:
    """The course's row, or None; `lock` holds off other publishers."""
    if not could_name(course_id):
        return None
    statement = sa.select(course).where(course.c.id == course_id)
    return connection.execute(statement.with_for_update() if lock else statement).mappings().first()


class Publication(NamedTuple):
    """One version of a course, to be stored."""

    course_id: str
    version: int
    title: str
    manifest: str
    step_keys: str
    published_at: int
    published_by: str | None
    module_keys: str = "{}"


def publish(connection: Connection, one: Publication) -> None:
    """Store a version and put it in force; the first makes the course."""
    if one.version == 1:
        values = {
            "id": one.course_id,
            "owner_id": one.published_by,
            "created_at": one.published_at,
        }
        # Nobody has begun the course, so everybody counts as judged.
        connection.execute(sa.insert(course).values(**values, version=1, title=one.title, judged_version=1))
    connection.execute(sa.insert(course_version).values(**one._asdict()))
    in_force = {"version": one.version, "title": one.title, "judged_up_to": None}
    connection.execute(sa.update(course).where(course.c.id == one.course_id).values(**in_force))


def page(connection: Connection, after: str, limit: int) -> list[RowMapping]:
    """Courses in order of id, after the given one."""
    statement = sa.select(course).where(course.c.id > after).order_by(course.c.id).limit(limit)
    return list(connection.execute(statement).mappings())


def all_versions(connection: Connection) -> list[RowMapping]:
    """Every course with the stored `version` and `title`, and those of its newest version (null where it has none)."""
    newest = (
        sa.select(course_version.c.course_id, sa.func.max(course_version.c.version).label("version"))
        .group_by(course_version.c.course_id)
        .subquery()
    )
    statement = (
        sa.select(
            course.c.id,
            course.c.version,
            course.c.title,
            course_version.c.version.label("true_version"),
            course_version.c.title.label("true_title"),
        )
        .outerjoin(newest, newest.c.course_id == course.c.id)
        .outerjoin(
            course_version,
            sa.and_(course_version.c.course_id == course.c.id, course_version.c.version == newest.c.version),
        )
        .order_by(course.c.id)
    )
    return list(connection.execute(statement).mappings())


def chains(connection: Connection) -> Iterator[RowMapping]:
    """Every version of every course, each course's in order of publication."""
    statement = sa.select(course_version).order_by(course_version.c.course_id, course_version.c.version)
    yield from connection.execute(statement.execution_options(yield_per=_VERSIONS_AT_ONCE)).mappings()


def mend_version(connection: Connection, pair: tuple[str, int], values: Mapping[str, str]) -> None:
    """Replace stored columns of a version by what follows from its manifest."""
    mine = (course_version.c.course_id == pair[0], course_version.c.version == pair[1])
    connection.execute(sa.update(course_version).where(*mine).values(**values))


def mend(connection: Connection, course_id: str, in_force: Mapping[str, Any]) -> None:
    """Replace a course's stored version in force and title."""
    connection.execute(sa.update(course).where(course.c.id == course_id).values(**in_force))
