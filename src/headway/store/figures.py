"""Statements that read a learner's figures for the views: each is one, whatever there is to read."""

from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.levels import Held, highest
from headway.domain.progress import AttemptGrade, EnrollmentSum, Grant, PeriodSum, RunSum, StepSum
from headway.domain.streaks import StreakDays, streak_days_of
from headway.domain.sums import GrantKey, RunKey, StepKey
from headway.store import rows, sums

_DAY_FIGURES = ", ".join(f"CAST(sum({name}) AS bigint) AS {name}" for name in PeriodSum._fields)
_OF_LEARNER = "WHERE learner_id = :learner"
_DAYS = (
    rows.Part(
        f"day, {', '.join(PeriodSum._fields)}",
        f"FROM (SELECT day, {_DAY_FIGURES} FROM day_sum {_OF_LEARNER} AND day <= :last GROUP BY day) d",  # noqa: S608  # names of our own columns
    ),
    rows.Part("day, activities", f"FROM imported_day {_OF_LEARNER}"),
    rows.Part("first_on, last_on", f"FROM streak_pause {_OF_LEARNER}"),
)
_LAST_DAY = "9999-12-31"


class Days(NamedTuple):
    """What a learner did on each day, over all courses, in order, and what a streak is worked out from.

    Days on which nothing was done are left out.
    """

    done: list[tuple[str, PeriodSum]]
    streak: StreakDays


NO_DAYS: Final = Days([], StreakDays(frozenset()))
NO_STREAK: Final = (NO_DAYS.streak, list["Rest"](), 0)


def days(connection: Connection, learner_id: str, last: str = _LAST_DAY) -> Days:
    """A learner's days up to the last."""
    found, imported, pauses = rows.gather(connection, *_DAYS, learner=learner_id, last=last)
    done = sorted((row[0], PeriodSum(*row[1:])) for row in found)
    return Days(done, streak_days_of(((day, one.activities) for day, one in done), imported, pauses))


def days_in_course(connection: Connection, learner_id: str, course_id: str) -> list[tuple[str, PeriodSum]]:
    """What a learner did in a course on each day, over all runs, in order."""
    source = f"FROM (SELECT day, {_DAY_FIGURES} FROM day_sum {_OF_LEARNER} AND course_id = :course GROUP BY day) d"  # noqa: S608  # our own names
    part = rows.Part(f"day, {', '.join(PeriodSum._fields)}", source)
    (found,) = rows.gather(connection, part, learner=learner_id, course=course_id)
    return sorted((row[0], PeriodSum(*row[1:])) for row in found)


class Rest(NamedTuple):
    """A pause of a streak: its id, its first and its last day."""

    id: str
    first_on: str
    last_on: str


_STREAK: Final = (
    rows.Part("day, activities", f"FROM day_sum {_OF_LEARNER}"),
    rows.Part("day, activities", f"FROM imported_day {_OF_LEARNER}"),
    rows.Part("id, first_on, last_on", f"FROM streak_pause {_OF_LEARNER}"),
    rows.Part("longest", f"FROM imported_streak {_OF_LEARNER}"),
)


def streak(connection: Connection, learner_id: str) -> tuple[StreakDays, list[Rest], int]:
    """What a learner's streak is worked out from, its pauses in order, without those that were called off.

    And the longest streak that another system recorded, in days; 0 where none did.
    """
    activities, imported, pauses, elsewhere = rows.gather(connection, *_STREAK, learner=learner_id)
    rests = sorted((Rest(*row) for row in pauses if row[1] <= row[2]), key=lambda one: (one.first_on, one.id))
    return (
        streak_days_of(activities, imported, [one[1:] for one in rests]),
        rests,
        max((row[0] for row in elsewhere), default=0),
    )


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


class TopicFigures(NamedTuple):
    """What was done in each topic over all courses, the highest level that was told of each, and attempts graded."""

    sums: dict[str, PeriodSum]
    levels: dict[str, Held]
    grades: list[AttemptGrade]


NO_TOPICS: Final = TopicFigures({}, {}, [])


def of_learner(connection: Connection, learner_id: str) -> tuple[CourseFigures, TopicFigures]:
    """A learner's figures in all courses, and in each topic over all of them."""
    kinds = (sums.RUNS, sums.STEPS, sums.GRANTS, sums.ENROLLMENTS, sums.TOPICS, sums.LEVELS, sums.GRADES)
    asked = [(sums.of_kind(kind, "learner_id"), [(learner_id,)]) for kind in kinds]
    *found, (_, in_courses), (_, told), (_, graded) = sums.read_together(connection, asked)
    topics: dict[str, PeriodSum] = {}
    for _, key, one in in_courses:
        topics[key.topic] = topics[key.topic] + one if key.topic in topics else one
    courses = CourseFigures(*({key: one for _, key, one in listed} for _, listed in found))
    held = highest((key.topic, key.level, one) for _, key, one in told)
    return courses, TopicFigures(topics, held, [one for _, _, one in graded])


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
