"""What one enrolled learner adds to the figures of a course; the course's counters are the sums over learners.

A learner's runs of the course are added up into one: a step counts once, however often the course is taken.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from headway.domain.course import Course, Module
from headway.domain.facts import COURSE_COMPLETED, MODULE_COMPLETED
from headway.domain.module_scores import Exact, step_score
from headway.domain.periods import iso_week
from headway.domain.progress import EnrollmentSum, Grant, RunSum, StepSum
from headway.domain.scores import FULL, ratio_percent
from headway.domain.step_status import COMPLETED, IN_PROGRESS, OPEN
from headway.domain.sums import GrantKey, RunKey, StepKey
from headway.domain.times import offset_day

# What a counter counts: (figure, the step, module or week that it is about or "", a value).
Count: TypeAlias = tuple[str, str, int]
ENROLLED: Final = "enrolled"
COURSE_DONE: Final = "completed"
PROGRESS: Final = "progress"
SCORE: Final = "score"
STOPPED: Final = "stopped"
COHORT: Final = "cohort"
COHORT_DONE: Final = "cohort_completed"
COHORT_STEPS: Final = "cohort_steps"
REACHED: Final = "reached"
MODULE_DONE: Final = "module_completed"
MODULE_SCORE: Final = "module_score"
MODULE_SCORE_EXACT: Final = "module_score_exact"
TRIES: Final = "tries"
TIME: Final = "time"
FIRST_TRY: Final = "first_try"
FIRST_TRY_PASSED: Final = "first_try_passed"
TRIES_MAX: Final = 100


class Enrolled(NamedTuple):
    """An enrolled learner as the course's roster shows them, computed by a course `version` (0: not yet computed).

    Scores are millionths and times microseconds, 0 for none. Learners are sorted by `name`; `last_step` is the key of
    the last step, in the course's order, that was reached; `score_total` sums the modules' scores times their weights;
    `granted_score` is the score at the course's completion, below which `score` never falls.
    """

    version: int
    name: str
    enrolled_at: int
    steps_completed: int = 0
    last_step: str = ""
    score_total: int = 0
    granted_score: int = 0
    score: int = 0
    active_at: int = 0
    completed_at: int = 0
    status: str = OPEN


class StepFigures(NamedTuple):
    """What a learner adds to the figures of a step; `best_total` in millionths."""

    learners: int
    attempts: int
    passed_attempts: int
    completed: int
    scored: int
    best_total: int


class ModuleFigure(NamedTuple):
    """A module that a learner reached: whether it is completed, and its score in millionths, rounded down."""

    completed: bool
    score: int


class Record(NamedTuple):
    """What a learner did in a course: steps by key and grants by (kind, module), each over all runs."""

    steps: Mapping[str, StepSum]
    grants: Mapping[tuple[str, str], Grant]
    active_at: int


def record_of(
    course_id: str,
    steps: Iterable[tuple[StepKey, StepSum]],
    grants: Iterable[tuple[GrantKey, Grant]],
    runs: Iterable[tuple[RunKey, RunSum]],
) -> Record:
    """A learner's record in a course, out of the sums of all courses."""
    by_key: dict[str, StepSum] = {}
    for key, one in steps:
        if key.course == course_id:
            by_key[key.step] = by_key[key.step] + one if key.step in by_key else one
    held: dict[tuple[str, str], Grant] = {}
    for grant, given in grants:
        if grant.course == course_id and grant.kind in (MODULE_COMPLETED, COURSE_COMPLETED):
            place = grant.kind, grant.module
            held[place] = _both(held[place], given) if place in held else given
    return Record(by_key, held, max((one.active_at for key, one in runs if key.course == course_id), default=0))


def _both(one: Grant, other: Grant) -> Grant:
    """The earlier of two grants, with the better score of both."""
    return min(one, other)._replace(score=max(one.score or 0, other.score or 0))


def is_touched(one: StepSum) -> bool:
    """Whether the learner did anything in the step, or somebody overrode it."""
    return one.events > 0 or one.completion is not None or one.override is not None


def of_step(one: StepSum) -> StepFigures:
    """What a step's sum adds to the step's counters; whoever completed the step counts as one who touched it."""
    best = one.best_said
    return StepFigures(
        int(is_touched(one)),
        one.attempts,
        one.passed_attempts,
        int(one.completion is not None),
        int(best is not None),
        best or 0,
    )


def spread_of_step(key: str, one: StepSum) -> Iterator[Count]:
    """A learner's values in the distributions of a step: tries (failed attempts plus one, if it was passed), and time.

    Also the course version of the first try, and of a first try that passed.
    """
    if one.passed_attempts > 0:
        yield TRIES, key, min(one.attempts - one.passed_attempts + 1, TRIES_MAX)
    if one.duration_ms > 0:
        yield TIME, key, two_digits((one.duration_ms + 500) // 1000)
    if (first := one.first_try) is not None:
        yield FIRST_TRY, key, first[0]
        if first[1]:
            yield FIRST_TRY_PASSED, key, first[0]


def two_digits(number: int) -> int:
    """A number rounded to two significant digits, half up."""
    unit: int = 10 ** max(len(str(number)) - 2, 0)
    return (number + unit // 2) // unit * unit


def module_figure(module: Module, steps: Mapping[str, StepSum], grant: Grant | None) -> ModuleFigure | None:
    """A learner's figure of a module; None where it was not reached."""
    touched = any(is_touched(steps[key]) for key in module.keys if key in steps)
    reached = sum(one.parts * step_score(steps[one.key], one.policy) for one in module.shares if one.key in steps)
    return figure_of(module, reached, grant, touched=touched)


def figure_of(module: Module, reached: Exact, grant: Grant | None, *, touched: bool) -> ModuleFigure | None:
    """The same as `module_figure`, given how many parts of the module's whole were reached."""
    if not touched and grant is None:
        return None
    granted = 0 if grant is None or grant.score is None else grant.score
    return ModuleFigure(grant is not None, max(int(reached // module.whole), granted))


def of_module(key: str, one: ModuleFigure | None) -> Iterator[Count]:
    """What a module's figure adds to its counters; the score in whole percent, and in hundredths of a percent."""
    if one is None:
        return
    yield REACHED, key, 0
    if one.completed:
        yield MODULE_DONE, key, 0
    hundredths = round(ratio_percent(one.score, FULL) * 100)
    yield MODULE_SCORE, key, hundredths // 100
    yield MODULE_SCORE_EXACT, key, hundredths


def of_learner(row: Enrolled) -> Iterator[tuple[Count, int]]:
    """What a learner's roster row adds to the counters of the course, as (counter, amount)."""
    done = row.completed_at > 0
    week = week_of(row.enrolled_at)
    yield (ENROLLED, "", 0), 1
    yield (PROGRESS, "", row.steps_completed), 1
    yield (SCORE, "", row.score * 10 // FULL), 1
    yield (COHORT, week, 0), 1
    if row.steps_completed:
        yield (COHORT_STEPS, week, 0), row.steps_completed
    if done:
        yield (COURSE_DONE, "", 0), 1
        yield (COHORT_DONE, week, 0), 1
    elif row.last_step:
        yield (STOPPED, row.last_step, 0), 1


def week_of(at: int) -> str:
    """The ISO week of a time, in UTC, as 2026-W09."""
    return iso_week(offset_day(at, 0))


def sort_name(display_name: str | None, external_id: str | None) -> str:
    """The text that a learner is sorted and searched by: the name, or else the external id."""
    return (display_name or external_id or "").casefold()[:200]


class Whole(NamedTuple):
    """All that a learner adds to a course: the roster row, the record, and the module figures by key."""

    row: Enrolled
    record: Record
    modules: Mapping[str, ModuleFigure | None]


def modules_of(course: Course, record: Record) -> dict[str, ModuleFigure | None]:
    """A learner's figures of the modules of a version, by their keys."""
    grants = record.grants
    return {
        one.key: module_figure(one, record.steps, grants.get((MODULE_COMPLETED, one.key))) for one in course.modules
    }


def whole_of(version: int, course: Course, name: str, enrollment: EnrollmentSum, record: Record) -> Whole:
    """What a learner adds to a course, by this version of it."""
    modules = modules_of(course, record)
    known = [(course.numbers[key], one) for key, one in record.steps.items() if key in course.numbers]
    last = max((n for n, one in known if is_touched(one)), default=-1)
    row = Enrolled(
        version,
        name,
        enrollment.first_enrolled_at or 0,
        sum(one.completion is not None for _, one in known),
        course.steps[last].key if last >= 0 else "",
        sum(one.weight * figure.score for one in course.modules if (figure := modules[one.key]) is not None),
        active_at=record.active_at,
    )
    return Whole(concluded(row, course, record.grants.get((COURSE_COMPLETED, ""))), record, modules)


def concluded(row: Enrolled, course: Course, grant: Grant | None) -> Enrolled:
    """The row with the score and status computed, and the course's completion set where there is a grant."""
    granted, completed_at = row.granted_score, row.completed_at
    if grant is not None:
        granted, completed_at = grant.score or 0, max(grant.at, 1)
    score = max(_mean(row.score_total, sum(one.weight for one in course.modules)), granted)
    status = COMPLETED if completed_at else IN_PROGRESS if row.last_step or row.active_at else OPEN
    return row._replace(granted_score=granted, score=score, completed_at=completed_at, status=status)


def _mean(total: int, weights: int) -> int:
    """The mean of the modules' scores, rounded up because each of them was rounded down; FULL only if all are full.

    So the mean of a third and two thirds is exactly one half, and not a millionth less, in the band below.
    """
    return FULL if total >= FULL * weights else min(-(-total // weights), FULL - 1)
