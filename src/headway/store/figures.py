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


def all_steps(connection: Connection, learner_id: str) -> dict[StepKey, StepSum]:
    """All step sums of a learner."""
    return {key: value for _, key, value in sums.read_learners(connection, sums.STEPS, [learner_id])}


class CourseFigures(NamedTuple):
    """All that is known of a learner in a course: every run that they began, step sums by key, grants."""

    runs: dict[RunKey, RunSum]
    steps: dict[StepKey, StepSum]
    grants: dict[GrantKey, Grant]
    enrollment: EnrollmentSum


def of_course(connection: Connection, learner_id: str, course_id: str) -> CourseFigures:
    """A learner's figures in a course."""
    by, place = ("learner_id", "course_id"), [(learner_id, course_id)]
    kinds = (sums.RUNS, sums.STEPS, sums.GRANTS, sums.ENROLLMENTS)
    found = sums.read_together(connection, [(sums.of_kind(kind, *by), place) for kind in kinds])
    runs, steps, grants, enrollments = ({key: one for _, key, one in listed} for _, listed in found)
    return CourseFigures(runs, steps, grants, enrollments.get(course_id, EnrollmentSum()))


def all_courses(connection: Connection, learner_id: str) -> tuple[dict[RunKey, RunSum], dict[GrantKey, Grant]]:
    """The runs that a learner began, and what they were granted."""
    found = sums.read_together(
        connection, [(sums.of_kind(kind, "learner_id"), [(learner_id,)]) for kind in (sums.RUNS, sums.GRANTS)]
    )
    runs, grants = ({key: one for _, key, one in listed} for _, listed in found)
    return runs, grants


def enrollments(connection: Connection, learner_id: str) -> dict[str, EnrollmentSum]:
    """All enrollments of a learner, those that ended too, by course."""
    return {key: value for _, key, value in sums.read_learners(connection, sums.ENROLLMENTS, [learner_id])}


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
