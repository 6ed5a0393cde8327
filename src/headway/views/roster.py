"""A course's roster, and the page of one of its learners, for the course's creator."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import partial
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import astuple
from sqlalchemy.engine import Connection

from headway.domain import enrolled, histogram
from headway.domain.enrolled import Enrolled
from headway.domain.module_scores import shown_percent
from headway.domain.risk import risk
from headway.domain.scores import FULL, mean_percent, ratio_percent
from headway.domain.times import format_time
from headway.store import figures, report, roster_page
from headway.store.catalog import Catalog
from headway.store.roster_page import Listed, Place, RosterQuery
from headway.views.cells import BYTE_ORDER_MARK, lines
from headway.views.course_progress import CourseProgress, read_course
from headway.views.report import InForce
from headway.views.subject import Subject, UnknownLearner, named

_LINES_AT_ONCE: Final = 500


class RosterEntry(Struct):
    """A learner who is enrolled in a course. Percentages are 0 to 100.

    `last_step` is the last step of the course that they reached; `at_risk` is why they may leave the course, null if
    they are not at risk.
    """

    learner: str
    display_name: str | None
    external_id: str | None
    status: str
    percent: float
    steps_completed: int
    score_percent: float
    last_step: str | None
    last_active_at: str | None
    enrolled_at: str
    completed_at: str | None
    at_risk: str | None


class Page(NamedTuple):
    """Learners of a roster, and where the page ends if there are more."""

    items: list[RosterEntry]
    next_place: Place | None


class DayDone(Struct):
    """What a learner did in a course on one of their local days."""

    day: str
    attempts: int
    passed_attempts: int
    steps_completed: int
    duration_s: float
    hints: int
    average_percent: float | None


class LearnerReport(Struct):
    """A learner of a course: their progress in the current run, and what they did on each day, in all runs."""

    learner: RosterEntry
    progress: CourseProgress
    history: list[DayDone]


def read_roster(connection: Connection, in_force: InForce, wanted: RosterQuery, limit: int, now: int) -> Page:
    """A page of a course's roster: two statements, whatever its size."""
    found = roster_page.page(connection, in_force.course.id, wanted, limit + 1)
    shown = found[:limit]
    items = list(_entries(in_force, shown, median_steps(connection, in_force), now))
    return Page(items, shown[-1].place(wanted.sort) if len(found) > limit else None)


def roster_csv(
    read: Callable[[Callable[[Connection], list[Listed]]], list[Listed]], in_force: InForce, median: float, now: int
) -> Iterator[bytes]:
    """Yield a roster's learners by name as CSV, some at a time, each part as it is at that moment."""
    course_id = in_force.course.id
    yield BYTE_ORDER_MARK + lines([RosterEntry.__struct_fields__])
    wanted = RosterQuery()
    while True:
        found = read(partial(roster_page.page, course_id=course_id, wanted=wanted, limit=_LINES_AT_ONCE))
        if found:
            yield lines(astuple(one) for one in _entries(in_force, found, median, now))
        if len(found) < _LINES_AT_ONCE:
            return
        wanted = wanted._replace(behind=found[-1].place(wanted.sort))


def median_steps(connection: Connection, in_force: InForce) -> float:
    """Return the median of the steps that learners have completed."""
    return histogram.median(report.spread(connection, in_force.course.id, enrolled.PROGRESS)) or 0.0


def _entries(in_force: InForce, found: Iterable[Listed], median: float, now: int) -> Iterator[RosterEntry]:
    course = in_force.course
    for one in found:
        row = one.row
        place = course.numbers.get(row.last_step)
        yield RosterEntry(
            one.id,
            one.display_name,
            one.external_id,
            row.status,
            _percent(row, len(course.steps)),
            row.steps_completed,
            shown_percent(Fraction(row.score, FULL), course.pass_mark),
            None if place is None else course.steps[place].id,
            _time(row.active_at),
            format_time(row.enrolled_at),
            _time(row.completed_at),
            risk(row, now, median),
        )


def _percent(row: Enrolled, steps: int) -> float:
    """Return a percentage, at most 100, as in the report."""
    return ratio_percent(min(row.steps_completed, steps), steps)


def _time(at: int) -> str | None:
    return format_time(at) if at else None


def read_learner(
    connection: Connection, catalog: Catalog, in_force: InForce, reference: str, now: int
) -> LearnerReport:
    """Return a course's learner by id or external id; UnknownLearner if they are not enrolled in it."""
    course_id = in_force.course.id
    learner_id = named(connection, reference)
    found = None if learner_id is None else roster_page.one(connection, course_id, learner_id)
    if found is None:
        raise UnknownLearner("no such learner is enrolled in the course", field="learner")
    (entry,) = _entries(in_force, [found], median_steps(connection, in_force), now)
    progress = read_course(connection, catalog, Subject(found.id, "UTC"), course_id, None)
    return LearnerReport(entry, progress, list(_history(connection, found.id, course_id)))


def _history(connection: Connection, learner_id: str, course_id: str) -> Iterator[DayDone]:
    for day, one in figures.days_in_course(connection, learner_id, course_id):
        average = mean_percent(one.score_total, one.scores)
        counts = (one.attempts, one.passed_attempts, one.steps_completed)
        yield DayDone(day, *counts, one.duration_ms / 1000, one.hints, average)
