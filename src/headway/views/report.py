"""A course's report for its creator. It takes the same time for ten learners and for a million."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import astuple
from sqlalchemy.engine import Connection

from headway.domain import enrolled, histogram
from headway.domain.course import Course, Module, Step
from headway.domain.enrolled import StepFigures
from headway.domain.first_tries import Tries, drop
from headway.domain.histogram import Counted
from headway.domain.risk import ACTIVE_WITHIN, BEHIND, INACTIVE, risk
from headway.domain.scores import mean_percent, ratio_percent
from headway.domain.times import DAY, format_time
from headway.store import report
from headway.store.report import Figures, Person
from headway.views.cells import BYTE_ORDER_MARK, lines

_AGES: Final = (DAY, 7 * DAY, 30 * DAY)
_NOTHING: Final = StepFigures(0, 0, 0, 0, 0, 0)
_BANDS: Final = 10


class Summary(Struct):
    """The enrolled learners of a course: a learner's percent is completed steps over steps."""

    enrolled: int
    completed: int
    average_percent: float | None
    median_percent: float | None
    average_score_percent: float | None


class LastActive(Struct):
    """How many learners were last active within a day, a week, a month, longer ago, and never; each counts once."""

    day: int
    week: int
    month: int
    older: int
    never: int


class ModuleReport(Struct):
    """How many learners reached and completed a module, and the median of the scores of those who reached it."""

    id: str
    title: str
    reached: int
    completed: int
    median_score_percent: float | None


class StepReport(Struct):
    """What learners did on a step; rates are null where there is nothing to divide by.

    `median_attempts_to_pass` is over learners who passed, `median_duration_s` over those who spent time; `stopped`
    counts learners who did not complete the course and for whom this is the last step that they reached. If, since a
    version, fewer pass at the first try than before, by more than chance, `dropped_in_version` is that version, and
    `first_try_before_percent` and `first_try_since_percent` are the shares who passed at the first try before and
    since.
    """

    id: str
    module: str
    title: str
    kind: str
    learners: int
    attempts: int
    passed_attempts: int
    completed: int
    average_score_percent: float | None
    pass_rate_percent: float | None
    completion_rate_percent: float | None
    median_attempts_to_pass: float | None
    median_duration_s: float | None
    stopped: int
    dropped_in_version: int | None
    first_try_before_percent: float | None
    first_try_since_percent: float | None


class Band(Struct):
    """How many learners have a course score from one percentage up to below another; the last band includes 100."""

    from_percent: int
    to_percent: int
    learners: int


class Cohort(Struct):
    """The learners who enrolled first in an ISO week (UTC)."""

    week: str
    enrolled: int
    completed: int
    average_percent: float


class AtRisk(Struct):
    """A learner at risk of leaving the course, and why."""

    learner: str
    display_name: str | None
    reason: str
    percent: float
    last_active_at: str | None


class Report(Struct):
    """A course's report, by the version in force."""

    summary: Summary
    last_active: LastActive
    modules: list[ModuleReport]
    steps: list[StepReport]
    score_distribution: list[Band]
    cohorts: list[Cohort]
    at_risk: list[AtRisk]
    course: str
    title: str
    version: int


class InForce(NamedTuple):
    """A course's version in force."""

    version: int
    course: Course


def read_report(connection: Connection, in_force: InForce, now: int) -> Report:
    """The report: two statements, whatever the course's size."""
    version, course = in_force
    found = report.figures(connection, course.id, [now - age for age in _AGES], now - ACTIVE_WITHIN)
    return Report(
        _summary(course, found),
        _last_active(found),
        list(_modules(connection, course, found)),
        [_step(module, step, found) for module in course.modules for step in module.steps],
        list(_bands(found.spread(enrolled.SCORE))),
        list(_cohorts(course, found)),
        list(_at_risk(course, found, now)),
        course.id,
        course.title,
        version,
    )


def report_csv(found: Report) -> bytes:
    """Return the steps of a report as CSV."""
    return BYTE_ORDER_MARK + lines([StepReport.__struct_fields__, *map(astuple, found.steps)])


def _summary(course: Course, found: Figures) -> Summary:
    progress, steps = found.spread(enrolled.PROGRESS), len(course.steps)
    learners, middle = histogram.size(progress), histogram.middle(progress)
    exercises = [found.steps.get(one.key, _NOTHING) for one in course.steps if one.is_exercise]
    return Summary(
        learners,
        histogram.size(found.spread(enrolled.COURSE_DONE)),
        _percent(histogram.total(progress), steps * learners) if learners else None,
        None if middle is None else _percent(sum(middle), 2 * steps),
        mean_percent(sum(one.best_total for one in exercises), sum(one.scored for one in exercises)),
    )


def _percent(part: int, whole: int) -> float:
    """Return a percentage, at most 100: learners counted by an older version may have more steps than there are now."""
    return ratio_percent(min(part, whole), whole) if whole else 0.0


def _last_active(found: Figures) -> LastActive:
    day, week, month = found.active
    known = histogram.size(found.spread(enrolled.ENROLLED))
    return LastActive(day, week, month, max(known - day - week - month - found.never, 0), found.never)


def _modules(connection: Connection, course: Course, found: Figures) -> Iterator[ModuleReport]:
    spreads = {one.key: found.spread(enrolled.MODULE_SCORE, one.key) for one in course.modules}
    middles = {key: middle for key, one in spreads.items() if (middle := histogram.middle(one)) is not None}
    wanted = [(key, percent) for key, middle in middles.items() for percent in middle]
    exact = report.exact_scores(connection, course.id, wanted)
    for one in course.modules:
        yield ModuleReport(
            one.id,
            one.title,
            histogram.size(found.spread(enrolled.REACHED, one.key)),
            histogram.size(found.spread(enrolled.MODULE_DONE, one.key)),
            _median(spreads[one.key], {percent: exact[one.key, percent] for percent in middles.get(one.key, ())}),
        )


def _median(by_percent: Counted, exact: Mapping[int, Counted]) -> float | None:
    """Return the median of scores that are counted by whole percent, with exact counts where the median lies."""
    n = histogram.size(by_percent)
    return ratio_percent(sum(_scores_at(by_percent, exact, ((n - 1) // 2, n // 2))), 20_000) if n else None


def _scores_at(by_percent: Counted, exact: Mapping[int, Counted], places: Iterable[int]) -> Iterator[int]:
    for place in places:
        percent = histogram.number_at(by_percent, place)
        below = sum(count for value, count in by_percent.items() if value < percent)
        yield histogram.number_at(exact[percent], place - below)


def _step(module: Module, step: Step, found: Figures) -> StepReport:
    one = found.steps.get(step.key, _NOTHING)
    fell = drop(_first_tries(step.key, found))
    return StepReport(
        step.id,
        module.id,
        step.title,
        step.kind,
        one.learners,
        one.attempts,
        one.passed_attempts,
        one.completed,
        mean_percent(one.best_total, one.scored),
        ratio_percent(one.passed_attempts, one.attempts) if one.attempts else None,
        ratio_percent(one.completed, one.learners) if one.learners else None,
        histogram.median(found.spread(enrolled.TRIES, step.key)),
        histogram.median(found.spread(enrolled.TIME, step.key)),
        histogram.size(found.spread(enrolled.STOPPED, step.key)),
        *((fell.version, fell.before.percent, fell.since.percent) if fell else (None, None, None)),
    )


def _first_tries(key: str, found: Figures) -> dict[int, Tries]:
    """Return how many learners first tried a step, and how many passed, by the version that scored the try."""
    passed = found.spread(enrolled.FIRST_TRY_PASSED, key)
    tried = found.spread(enrolled.FIRST_TRY, key)
    return {version: Tries(learners, passed.get(version, 0)) for version, learners in tried.items()}


def _bands(scores: Counted) -> Iterator[Band]:
    width = 100 // _BANDS
    for n in range(_BANDS):
        # Full scores are counted under a value of their own.
        full = scores.get(_BANDS, 0) if n == _BANDS - 1 else 0
        yield Band(n * width, (n + 1) * width, scores.get(n, 0) + full)


def _cohorts(course: Course, found: Figures) -> Iterator[Cohort]:
    for week in sorted(item for figure, item in found.spreads if figure == enrolled.COHORT):
        learners = found.spread(enrolled.COHORT, week).get(0, 0)
        done = found.spread(enrolled.COHORT_DONE, week).get(0, 0)
        steps = found.spread(enrolled.COHORT_STEPS, week).get(0, 0)
        yield Cohort(week, learners, done, _percent(steps, learners * len(course.steps)))


def _at_risk(course: Course, found: Figures, now: int) -> Iterator[AtRisk]:
    median = histogram.median(found.spread(enrolled.PROGRESS)) or 0.0
    for reason, people in ((INACTIVE, found.quiet), (BEHIND, found.slow)):
        for one in people:
            if risk(one.row, now, median) == reason:
                yield _person(course, one, reason)


def _person(course: Course, one: Person, reason: str) -> AtRisk:
    active = format_time(one.row.active_at) if one.row.active_at else None
    return AtRisk(one.id, one.display_name, reason, _percent(one.row.steps_completed, len(course.steps)), active)
