"""Statements on what a learner worked on, for overview, levels, predictions and achievements; each is a single one."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.achievements import Metrics, attended
from headway.domain.exercises import Worked
from headway.domain.facts import COURSE_COMPLETED
from headway.domain.levels import HeldLevel, highest
from headway.domain.progress import PeriodSum
from headway.domain.streaks import StreakDays
from headway.domain.times import ordinal
from headway.store import rows
from headway.store.achievements import COUNT, EARNED, TOTALS, Count, Earned, counted, in_order, totals_read
from headway.store.figures import days_part, days_read, streak_parts, streak_read, total_part, total_read
from headway.store.step_rows import word

_MINE: Final = "WHERE learner_id = :learner"
_STEPS: Final = rows.Part(
    ", ".join(
        (
            "course_id, run, step_id, events, best_score, first_at, first_event, first_score",
            # The latest score is left out where it is the first one too.
            *(
                f"CASE WHEN latest_event = first_event THEN NULL ELSE {one} END"
                for one in ("latest_at", "latest_event", "latest_score")
            ),
            "completed_at, completed_by, completed_on, completed_version, updated_at, override",
        )
    ),
    f"FROM step_sum {_MINE}",
)
# The learner's current run of each course.
_LATEST: Final = f"SELECT course_id, max(run) AS run FROM course_run {_MINE} GROUP BY course_id"  # noqa: S608  # our own words
_RUNS: Final = rows.Part("course_id, run", f"FROM ({_LATEST}) r")
_OF_COURSE: Final = f"kind = '{COURSE_COMPLETED}' AND module_id = ''"
_COMPLETED: Final = rows.Part("course_id, run", f"FROM granted {_MINE} AND {_OF_COURSE}")
_LEVELS: Final = rows.Part("topic, level, at, previous", f"FROM topic_level {_MINE}")
_TOPICS: Final = rows.Part(
    "topic, duration_ms",
    f"FROM (SELECT topic, CAST(sum(duration_ms) AS bigint) AS duration_ms FROM topic_sum {_MINE} GROUP BY topic) t",  # noqa: S608  # our own words
)
_ENROLLED: Final = rows.Part("course_id", f"FROM enrollment {_MINE} AND enrolled", flat=True)
_GRADED: Final = rows.Part(
    "course_id, run, step_id, graded_at, at", f"FROM attempt_grade {_MINE} AND score IS NOT NULL"
)


class Courses(NamedTuple):
    """What a learner worked on: steps of all runs, the current run by course, and completed (course, run) pairs."""

    steps: list[Worked]
    runs: Mapping[str, int]
    completed: frozenset[tuple[str, int]]


class Topics(NamedTuple):
    """A learner's topics, apart from steps: milliseconds spent on each, and the highest level told of it."""

    spent_ms: Mapping[str, int]
    levels: Mapping[str, HeldLevel]


class Known(NamedTuple):
    """What the overview shows of a learner.

    `graded` are scores given to attempts, by (course, run, step): when each was given, and when its attempt was made.
    """

    total: PeriodSum
    streak: StreakDays
    courses: Courses
    topics: Topics
    enrolled: frozenset[str]
    graded: Mapping[tuple[str, int, str], Mapping[int, int]]
    achievements: Count


_OF_COURSES: Final = (_STEPS, _RUNS, _COMPLETED)
_STREAK: Final = streak_parts()
_OVERVIEW: Final = (*_OF_COURSES, _TOPICS, _LEVELS, *_STREAK, total_part("true"), _ENROLLED, _GRADED, *COUNT)


def overview(connection: Connection, learner_id: str) -> Known:
    """Read what the overview shows of a learner."""
    found = rows.gather(connection, *_OVERVIEW, learner=learner_id)
    active, imported, pauses, total, enrolled, graded, *count = found[5:]
    given: dict[tuple[str, int, str], dict[int, int]] = {}
    for course, run, step, graded_at, at in graded:
        given.setdefault((course, run, step), {})[graded_at] = at
    return Known(
        total_read(total),
        streak_read(active, imported, pauses),
        _courses(*found[:3]),
        _topics(*found[3:5]),
        frozenset(enrolled),
        given,
        counted(*count),
    )


def levels(connection: Connection, learner_id: str) -> tuple[list[Worked], Topics]:
    """The steps and topics from which a learner's skill levels are computed."""
    steps, spent, told = rows.gather(connection, _STEPS, _TOPICS, _LEVELS, learner=learner_id)
    return list(map(_worked, steps)), _topics(spent, told)


class Ahead(NamedTuple):
    """What predictions are computed from: `recent` is what was done on the last days, `before` the sum of the rest."""

    courses: Courses
    levels: Mapping[str, HeldLevel]
    before: PeriodSum
    recent: list[tuple[str, PeriodSum]]
    metrics: Metrics
    earned: list[Earned]


_ACTIVE: Final = _STREAK[0]
_AHEAD: Final = (
    *_OF_COURSES,
    _LEVELS,
    total_part("day <= :before"),
    days_part("day > :before"),
    EARNED,
    _ACTIVE,
    *TOTALS,
)


def ahead(connection: Connection, learner_id: str, before: str) -> Ahead:
    """What a learner's predictions are computed from; what was done up to the day `before` is summed up."""
    found = rows.gather(connection, *_AHEAD, learner=learner_id, before=before)
    told, total, recent, earned, active, *totals = found[3:]
    return Ahead(
        _courses(*found[:3]),
        _held(told),
        total_read(total),
        days_read(recent),
        Metrics(totals_read(totals), attended(map(ordinal, active))),
        in_order(earned),
    )


def metrics(connection: Connection, learner_id: str) -> tuple[Metrics, list[Earned]]:
    """All values that achievements can ask for, and the achievements earned."""
    earned, active, *totals = rows.gather(connection, EARNED, _ACTIVE, *TOTALS, learner=learner_id)
    return Metrics(totals_read(totals), attended(map(ordinal, active))), in_order(earned)


def _courses(steps: list[rows.Row], runs: list[Any], completed: list[Any]) -> Courses:
    return Courses(list(map(_worked, steps)), dict(runs), frozenset(map(tuple, completed)))


def _worked(row: rows.Row) -> Worked:
    override = row[16]
    if override is None:
        return Worked._make((*row, row[11] is not None))
    return Worked._make((*row[:16], *word(row[11], override)))


def _topics(spent: list[Any], told: list[rows.Row]) -> Topics:
    return Topics(dict(spent), _held(told))


def _held(told: Iterable[rows.Row]) -> dict[str, HeldLevel]:
    return highest((topic, level, (at, "", previous)) for topic, level, at, previous in told)
