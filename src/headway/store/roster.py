"""Statements on rosters, and on the counters that enrolled learners add to."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.enrolled import COURSE_DONE, ENROLLED, Count, Enrolled, Record, record_of, sort_name
from headway.domain.progress import FIRST_RUN, EnrollmentSum
from headway.domain.sums import Sums
from headway.store import rows, sums
from headway.store.schema import course, course_counter, enrollment, learner, roster, step_counter

# (learner, course).
Pair: TypeAlias = tuple[str, str]
# Enough that workers seldom wait for each other on one course; each slot adds as many rows for a report to read.
_SLOTS: Final = 4
_KINDS: Final = (sums.STEPS, sums.GRANTS, sums.RUNS, sums.ENROLLMENTS, sums.ROSTER)
_BY: Final = ("learner_id", "course_id")
_READINGS: Final = tuple(sums.of_kind(kind, *_BY) for kind in _KINDS)
_COUNTED: Final = tuple(column.name for column in step_counter.c if not column.primary_key)


class StoredLearner(NamedTuple):
    """A learner's stored data in a course; `name` is None if reports do not count them: a guest, or erased or moved."""

    name: str | None
    enrollment: EnrollmentSum
    record: Record
    row: Enrolled | None


def rows_asked(pairs: Iterable[Pair]) -> rows.Question:
    """The question for rows of rosters, answered by `rows_answered`."""
    return rows.Question(roster, pairs, sums.of_kind(sums.ROSTER).what, _BY)


def rows_answered(found: Iterable[rows.Row]) -> dict[Pair, Enrolled]:
    """The rows found, by (learner, course)."""
    return {(row[0], row[1]): sums.ROSTER.read_value(row) for row in found}


def stored(connection: Connection, pairs: Iterable[Pair]) -> dict[Pair, StoredLearner]:
    """All that reports ask of learners in courses: two statements."""
    wanted = sorted(set(pairs))
    if not wanted:
        return {}
    found: list[dict[Pair, list[tuple[Any, Any]]]] = []
    for _, listed in sums.read_together(connection, [(reading, wanted) for reading in _READINGS]):
        by_pair: dict[Pair, list[tuple[Any, Any]]] = {}
        for learner_id, key, value in listed:
            by_pair.setdefault((learner_id, key if isinstance(key, str) else key.course), []).append((key, value))
        found.append(by_pair)
    steps, grants, runs, enrollments, rosters = found
    names = names_of(connection, {learner_id for learner_id, _ in wanted})
    nothing = [("", EnrollmentSum())]
    return {
        pair: StoredLearner(
            names.get(pair[0]),
            enrollments.get(pair, nothing)[0][1],
            record_of(pair[1], steps.get(pair, ()), grants.get(pair, ()), runs.get(pair, ())),
            rosters[pair][0][1] if pair in rosters else None,
        )
        for pair in wanted
    }


class Counted(NamedTuple):
    """A learner in a course: the roster row, the current run, and whether they are enrolled."""

    row: Enrolled | None
    run: int
    is_enrolled: bool


def counted(connection: Connection, pairs: Iterable[Pair]) -> dict[Pair, Counted]:
    """How learners are counted in courses: one statement."""
    wanted = sorted(set(pairs))
    asked = [(sums.of_kind(kind, *_BY), wanted) for kind in (sums.RUNS, sums.ENROLLMENTS, sums.ROSTER)]
    (_, runs), (_, enrollments), (_, found) = sums.read_together(connection, asked)
    known = {(learner_id, course_id): row for learner_id, course_id, row in found}
    enrolled = {(learner_id, course_id) for learner_id, course_id, one in enrollments if one.enrolled}
    latest = dict[Pair, int]()
    for learner_id, key, _ in runs:
        latest[learner_id, key.course] = max(latest.get((learner_id, key.course), FIRST_RUN), key.run)
    return {pair: Counted(known.get(pair), latest.get(pair, FIRST_RUN), pair in enrolled) for pair in wanted}


def names_of(connection: Connection, learner_ids: Iterable[str]) -> dict[str, str]:
    """The names by which learners are sorted, of those whom reports count: no guests, none erased or moved."""
    what = "t.id, t.display_name, t.external_id"
    keys = [(one,) for one in sorted(learner_ids)]
    only = "AND t.kind <> 'guest' AND t.erased_at IS NULL AND t.merged_into IS NULL"
    return {row[0]: sort_name(row[1], row[2]) for row in rows.select(connection, learner, keys, what, ("id",), only)}


def rename(connection: Connection, learner_id: str, display_name: str | None, external_id: str | None) -> None:
    """Sort a learner, locked by this transaction, by another name in all rosters."""
    named = sa.update(roster).where(roster.c.learner_id == learner_id)
    connection.execute(named.values(name=sort_name(display_name, external_id)))


def record_in(held: Sums, course_id: str) -> Record:
    """A learner's record in a course, out of all sums."""
    return record_of(course_id, held.steps.items(), held.grants.items(), held.runs.items())


def courses_of(connection: Connection, learner_ids: Iterable[str]) -> list[Pair]:
    """The (learner, course) pairs of courses that learners are or were enrolled in, or are in the roster of."""
    keys = [(one,) for one in learner_ids]
    asked = (rows.Question(table, keys, "t.learner_id, t.course_id", ("learner_id",)) for table in (enrollment, roster))
    return sorted({(row[0], row[1]) for found in rows.ask(connection, *asked) for row in found})


def behind(connection: Connection) -> list[str]:
    """The courses whose roster has rows not yet computed by the version in force."""
    waits = sa.select(roster.c.learner_id).where(roster.c.course_id == course.c.id, roster.c.version < course.c.version)
    return list(connection.execute(sa.select(course.c.id).where(waits.exists()).order_by(course.c.id)).scalars())


def not_of_version(connection: Connection, course_id: str, version: int, limit: int) -> list[str]:
    """Some learners of a roster whose rows were not yet computed by this version."""
    mine = (roster.c.course_id == course_id, roster.c.version < version)
    statement = sa.select(roster.c.learner_id).where(*mine).order_by(roster.c.version, roster.c.learner_id)
    return list(connection.execute(statement.limit(limit)).scalars())


def page(connection: Connection, course_id: str, version: int, after: str, limit: int) -> list[str]:
    """Learners of a roster whose rows were computed by this version, in order of id, after the given one."""
    mine = (roster.c.course_id == course_id, roster.c.version == version)
    statement = sa.select(roster.c.learner_id).where(*mine)
    if after:
        statement = statement.where(roster.c.learner_id > after)
    return list(connection.execute(statement.order_by(roster.c.learner_id).limit(limit)).scalars())


def versions(connection: Connection, course_id: str) -> list[int]:
    """The versions by which rows of a course's roster were computed."""
    statement = sa.select(roster.c.version).where(roster.c.course_id == course_id).distinct()
    return sorted(connection.execute(statement).scalars())


def rows_written(changed: Mapping[Pair, Enrolled], *keeps: str) -> rows.Addition:
    """The addition, for `rows`, that replaces rows of rosters, except columns known to be the same."""
    return sums.written(sums.ROSTER, ((*pair, one) for pair, one in changed.items()))._replace(keeps=keeps)


# Columns that stay the same when only the time of activity changes, when only the version does, and when a step moves.
ACTIVE_ALONE: Final = tuple(name for name in Enrolled._fields if name != "active_at")
VERSION_ALONE: Final = tuple(name for name in Enrolled._fields if name != "version")
AS_BEFORE: Final = ("version", "name", "enrolled_at", "status")


def owned(connection: Connection, owner_id: str | None, after: str, limit: int) -> list[rows.Row]:
    """(id, title, version, created at, enrolled, completed) of an owner's or all courses; by id, after a given one."""
    done = [_total(figure).label(figure) for figure in (ENROLLED, COURSE_DONE)]
    found = sa.select(course.c.id, course.c.title, course.c.version, course.c.created_at, *done)
    statement = found.where(course.c.id > after).order_by(course.c.id).limit(limit)
    if owner_id is not None:
        statement = statement.where(course.c.owner_id == owner_id)
    return [tuple(row) for row in connection.execute(statement)]


def _total(figure: str) -> sa.ScalarSelect[int]:
    counter = course_counter.c
    mine = (counter.course_id == course.c.id, counter.figure == figure)
    total = sa.cast(sa.func.coalesce(sa.func.sum(counter.learners), 0), sa.BigInteger)
    return sa.select(total).where(*mine).correlate(course).scalar_subquery()


class Counters(NamedTuple):
    """Step figures by (course, step), in the order of StepFigures, and numbers of learners by (course, count)."""

    steps: dict[tuple[str, str], list[int]]
    counts: dict[tuple[str, Count], int]


def add(connection: Connection, by: Counters) -> None:
    """Add to counters, in order of key and after locking the learners, as all writers do to avoid deadlocks."""
    slot = 0 if connection.dialect.name == "sqlite" else os.getpid() % _SLOTS
    steps = sorted((*key, slot, *figures) for key, figures in by.steps.items() if any(figures))
    counts = sorted((course_id, *count, slot, n) for (course_id, count), n in by.counts.items() if n)
    if steps or counts:
        additions = (
            rows.Addition(table, made, False, True) for table, made in ((step_counter, steps), (course_counter, counts))
        )
        rows.add_together(connection, *additions)


def counters(connection: Connection, course_id: str) -> Counters:
    """All counters of a course that are not zero, each summed over its slots."""
    figures = (sa.func.sum(step_counter.c[name]) for name in _COUNTED)
    steps = sa.select(step_counter.c.step_id, *figures).where(step_counter.c.course_id == course_id).group_by("step_id")
    key = (course_counter.c.figure, course_counter.c.item, course_counter.c.value)
    counted = sa.select(*key, sa.func.sum(course_counter.c.learners)).where(course_counter.c.course_id == course_id)
    found = {(course_id, row[0]): [int(one) for one in row[1:]] for row in connection.execute(steps)}
    spread = connection.execute(counted.group_by(*key))
    return Counters(
        {place: one for place, one in found.items() if any(one)},
        {(course_id, (row[0], row[1], row[2])): int(row[3]) for row in spread if row[3]},
    )


def courses_counted(connection: Connection) -> list[str]:
    """The courses that have a roster or counters."""
    tables = (roster, step_counter, course_counter)
    statement = sa.union(*(sa.select(table.c.course_id) for table in tables))
    return sorted(connection.execute(statement).scalars())
