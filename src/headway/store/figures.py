"""Statements that read a learner's figures for the views, each a single statement however much there is to read."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.progress import EnrollmentSum, Grant, PeriodSum, RunSum, StepSum
from headway.domain.streaks import StreakDays, days_of
from headway.domain.sums import GrantKey, RunKey, StepKey
from headway.domain.times import ordinal
from headway.store import rows, sums
from headway.store.achievements import EARNED, Earned, in_order

_NAMES: Final = ", ".join(PeriodSum._fields)
_DAY_FIGURES: Final = ", ".join(f"CAST(sum({name}) AS bigint) AS {name}" for name in PeriodSum._fields)
_OF_LEARNER: Final = "WHERE learner_id = :learner"


def days_part(condition: str) -> rows.Part:
    """What a learner did on each day that meets the condition, over all courses; read by `days_read`."""
    source = f"FROM (SELECT day, {_DAY_FIGURES} FROM day_sum {_OF_LEARNER} AND {condition} GROUP BY day) d"  # noqa: S608  # our own names
    return rows.Part(f"day, {_NAMES}", source)


def total_part(condition: str) -> rows.Part:
    """What a learner did on all days that meet the condition together; read by `total_read`."""
    source = f"FROM (SELECT {_DAY_FIGURES} FROM day_sum {_OF_LEARNER} AND {condition}) d WHERE attempts IS NOT NULL"  # noqa: S608  # our own names
    return rows.Part(_NAMES, source)


def streak_parts(condition: str = "true") -> tuple[rows.Part, ...]:
    """The parts that a streak is computed from: active days, those imported alone, pauses; read by `streak_read`."""
    active = f"SELECT DISTINCT day FROM day_sum {_OF_LEARNER} AND activities <> 0 AND {condition}"  # noqa: S608  # our own words
    imported = f"SELECT day, activities FROM imported_day {_OF_LEARNER}"  # noqa: S608  # our own words
    here = f"day IN (SELECT day FROM imported_day {_OF_LEARNER})"  # noqa: S608  # our own words
    of_them = f"SELECT day, -activities FROM day_sum {_OF_LEARNER} AND {here}"  # noqa: S608  # our own words
    counted = f"SELECT day FROM ({imported} UNION ALL {of_them}) i GROUP BY day HAVING sum(activities) >= 0"  # noqa: S608  # our own words
    return (
        rows.Part("day", f"FROM ({active}) d", flat=True),
        rows.Part("day", f"FROM ({counted}) d", flat=True),
        rows.Part("first_on, last_on", f"FROM streak_pause {_OF_LEARNER}"),
    )


def streak_read(active: Iterable[str], imported: Iterable[str], pauses: Iterable[rows.Row]) -> StreakDays:
    """The days that a streak is computed from, out of what `streak_parts` read."""
    days = frozenset(map(ordinal, active))
    return StreakDays(days, days.intersection(map(ordinal, imported)), days_of(pauses))


class Past(NamedTuple):
    """What a learner did on each day of a range, in order, and before it; the streak's days, and what was earned.

    Days on which nothing was done are left out.
    """

    before: PeriodSum
    done: list[tuple[str, PeriodSum]]
    streak: StreakDays
    earned: list[Earned]


NO_DAYS: Final = StreakDays(frozenset())
NO_PAST: Final = Past(PeriodSum(), [], NO_DAYS, [])
_PAST: Final = (
    *streak_parts("day <= :last"),
    total_part("day < :first"),
    days_part("day BETWEEN :first AND :last"),
    EARNED,
)


def past(connection: Connection, learner_id: str, first: str, last: str) -> Past:
    """A learner's past: the days from first to last, and what lies before them."""
    *streak, before, found, earned = rows.gather(connection, *_PAST, learner=learner_id, first=first, last=last)
    return Past(total_read(before), days_read(found), streak_read(*streak), in_order(earned))


def total_read(found: list[rows.Row]) -> PeriodSum:
    """The total, out of what `total_part` read."""
    return PeriodSum._make(found[0]) if found else PeriodSum()


def days_read(found: list[Any]) -> list[tuple[str, PeriodSum]]:
    """What was done on each day, in order, out of what `days_part` read."""
    return [(day, PeriodSum._make(figures)) for day, *figures in sorted(found)]


_OF_COURSE: Final = days_part("course_id = :course")


def days_in_course(connection: Connection, learner_id: str, course_id: str) -> list[tuple[str, PeriodSum]]:
    """What a learner did in a course on each day, over all runs, in order."""
    (found,) = rows.gather(connection, _OF_COURSE, learner=learner_id, course=course_id)
    return days_read(found)


class Rest(NamedTuple):
    """A pause of a streak: its id, its first and its last day."""

    id: str
    first_on: str
    last_on: str


NO_STREAK: Final = (NO_DAYS, list[Rest](), 0)
_STREAK: Final = (
    *streak_parts()[:2],
    rows.Part("id, first_on, last_on", f"FROM streak_pause {_OF_LEARNER}"),
    rows.Part("longest", f"FROM imported_streak {_OF_LEARNER}", flat=True),
)


def streak(connection: Connection, learner_id: str) -> tuple[StreakDays, list[Rest], int]:
    """The days that a learner's streak is computed from, and its pauses in order, without those called off.

    Also the longest streak that another system recorded, in days; 0 where none did.
    """
    active, imported, pauses, elsewhere = rows.gather(connection, *_STREAK, learner=learner_id)
    rests = sorted((Rest(*row) for row in pauses if row[1] <= row[2]), key=lambda one: (one.first_on, one.id))
    return streak_read(active, imported, [one[1:] for one in rests]), rests, max(elsewhere, default=0)


class CourseFigures(NamedTuple):
    """A learner's sums in a course: every run begun, steps, grants, enrollment."""

    runs: dict[RunKey, RunSum]
    steps: dict[StepKey, StepSum]
    grants: dict[GrantKey, Grant]
    enrollments: dict[str, EnrollmentSum]


def of_course(connection: Connection, learner_id: str, course_id: str) -> CourseFigures:
    """A learner's figures in a course."""
    by = {"learner_id": learner_id, "course_id": course_id}
    kinds = (sums.RUNS, sums.STEPS, sums.GRANTS, sums.ENROLLMENTS)
    found = sums.read_together(connection, [(sums.of_kind(kind, *by), [tuple(by.values())]) for kind in kinds])
    return CourseFigures(*({key: one for _, key, one in listed} for _, listed in found))


class Referred(NamedTuple):
    """A learner who was asked for, and how they relate to a course, which need not exist."""

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
    """The living learner whose column (`id` or `external_id`) has the value; for a moved guest, the account."""
    statement = sa.text(f"{_REFERRED}{column} = :value")
    row = connection.execute(statement, {"course": course_id or "", "value": value}).first()
    return None if row is None else Referred(row[0], row[1], row[2], bool(row[3]))
