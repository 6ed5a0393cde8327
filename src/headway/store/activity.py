"""Statements on what goes on as a whole, by course and by day. All but `enrolled` read whole tables: for demos."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Select, func
from sqlalchemy.engine import Connection

from headway.store.schema import day_sum, enrollment, learner, ledger, step_sum


class CourseCounts(NamedTuple):
    """How many did something in a course since a day, and how many steps of it were ever completed."""

    active: int
    steps_completed: int


class Totals(NamedTuple):
    """Everything that is there, counted; `learners` are all that audit counts: guests, and creators as well."""

    learners: int
    seen: int
    events: int
    steps_completed: int


class Day(NamedTuple):
    """A day of everybody's: how many were active, and what they completed."""

    day: str
    learners: int
    steps_completed: int


class Named(NamedTuple):
    """An account with a name, and the zone that says what day it is for its holder."""

    id: str
    display_name: str
    time_zone: str


def enrolled(connection: Connection, course_ids: Iterable[str]) -> dict[str, int]:
    """How many are enrolled in each of these courses; counted in an index."""
    statement = (
        sa.select(enrollment.c.course_id, func.count())
        .where(enrollment.c.course_id.in_(list(course_ids)), enrollment.c.enrolled)
        .group_by(enrollment.c.course_id)
    )
    return {row[0]: int(row[1]) for row in connection.execute(statement)}


def course_counts(connection: Connection, since: str) -> dict[str, CourseCounts]:
    """What goes on in each course in which anything does."""
    recent = sa.case((day_sum.c.day >= since, day_sum.c.learner_id))
    done = func.sum(day_sum.c.steps_completed)
    statement = sa.select(day_sum.c.course_id, func.count(recent.distinct()), done).group_by(day_sum.c.course_id)
    return {row[0]: CourseCounts(int(row[1]), int(row[2])) for row in connection.execute(statement)}


def totals(connection: Connection, since: int) -> Totals:
    """All learners, how many of them did something since a time, ledger entries and completed steps."""
    parts: list[Select[Any]] = [
        sa.select(func.count()).select_from(learner),
        sa.select(func.count(step_sum.c.learner_id.distinct())).where(step_sum.c.updated_at >= since),
        sa.select(func.count()).select_from(ledger),
        sa.select(func.coalesce(func.sum(day_sum.c.steps_completed), 0)),
    ]
    row = connection.execute(sa.select(*(part.scalar_subquery() for part in parts))).one()
    return Totals(*map(int, row))


def days(connection: Connection, since: str) -> list[Day]:
    """The days since one on which anybody was active, in order."""
    statement = (
        sa.select(day_sum.c.day, func.count(day_sum.c.learner_id.distinct()), func.sum(day_sum.c.steps_completed))
        .where(day_sum.c.day >= since, day_sum.c.activities > 0)
        .group_by(day_sum.c.day)
        .order_by(day_sum.c.day)
    )
    return [Day(row[0], int(row[1]), int(row[2])) for row in connection.execute(statement)]


def active_by_name(connection: Connection, since: str) -> list[Named]:
    """The accounts that have a name and were active since a day."""
    lately = sa.select(day_sum.c.learner_id).where(day_sum.c.day >= since, day_sum.c.activities > 0)
    statement = sa.select(learner.c.id, learner.c.display_name, learner.c.time_zone).where(
        learner.c.kind == "account",
        learner.c.display_name.is_not(None),
        learner.c.merged_into.is_(None),
        learner.c.erased_at.is_(None),
        learner.c.id.in_(lately),
    )
    return [Named(*row) for row in connection.execute(statement)]
