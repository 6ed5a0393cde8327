"""Statements that read a learner's figures for the views: each is one, whatever there is to read."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.progress import EnrollmentSum, Grant, PeriodSum, RunSum, StepSum
from headway.domain.sums import GrantKey, RunKey, StepKey
from headway.store import rows, sums

_DAY_FIGURES = ", ".join(f"CAST(sum({name}) AS bigint) AS {name}" for name in PeriodSum._fields)
_DAYS = f"SELECT day, {_DAY_FIGURES} FROM day_sum WHERE learner_id = :learner AND day <= :last GROUP BY day"  # noqa: S608  # names of our own columns
_LAST_DAY = "9999-12-31"


def days(connection: Connection, learner_id: str, last: str = _LAST_DAY) -> list[tuple[str, PeriodSum]]:
    """What a learner did on each day up to the last, over all courses, in order; days without anything are left out."""
    statement = _DAYS
    if connection.dialect.name == "sqlite":
        statement = f"SELECT json_group_array(json_array(day, {', '.join(PeriodSum._fields)})) FROM ({_DAYS})"  # noqa: S608  # names of our own columns
    found = rows.fetch(connection, statement, learner=learner_id, last=last)
    return sorted((row[0], PeriodSum(*row[1:])) for row in found)


class CourseFigures(NamedTuple):
    """What is known of a learner in courses: every run that they began, steps, grants, enrollments."""

    runs: dict[RunKey, RunSum]
    steps: dict[StepKey, StepSum]
    grants: dict[GrantKey, Grant]
    enrollments: dict[str, EnrollmentSum]


def of_courses(connection: Connection, learner_id: str, course_id: str | None = None) -> CourseFigures:
    """A learner's figures in all courses, those that were left too, or in the one."""
    by = {"learner_id": learner_id} | ({} if course_id is None else {"course_id": course_id})
    kinds = (sums.RUNS, sums.STEPS, sums.GRANTS, sums.ENROLLMENTS)
    found = sums.read_together(connection, [(sums.of_kind(kind, *by), [tuple(by.values())]) for kind in kinds])
    return CourseFigures(*({key: one for _, key, one in listed} for _, listed in found))


class Referred(NamedTuple):
    """A learner that somebody asks for, and how they stand to a course, which need not be there."""

    id: str
    time_zone: str
    course_owner: str | None
    enrolled: bool


_REFERRED = (
    "SELECT t.id, t.time_zone, c.owner_id, coalesce(e.enrolled, false) FROM learner named"
    " JOIN learner t ON t.id = coalesce(named.merged_into, named.id)"
    " LEFT JOIN course c ON c.id = :course"
    " LEFT JOIN enrollment e ON e.learner_id = t.id AND e.course_id = c.id"
    " WHERE t.merged_into IS NULL AND t.erased_at IS NULL AND named."
)


def referred(connection: Connection, column: str, value: str, course_id: str | None) -> Referred | None:
    """The living learner whose column (`id` or `external_id`) has the value; of a guest that was moved, its account."""
    statement = sa.text(f"{_REFERRED}{column} = :value")
    row = connection.execute(statement, {"course": course_id or "", "value": value}).first()
    return None if row is None else Referred(row[0], row[1], row[2], bool(row[3]))
