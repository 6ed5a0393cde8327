"""How a learner stands in a course, and in each of its modules."""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.course import Course, Module, Step
from headway.domain.errors import HeadwayError, UnknownCourse
from headway.domain.facts import CERTIFIED, COURSE_COMPLETED, MODULE_COMPLETED
from headway.domain.gating import HeldGrants, score_of_module, score_of_modules, status_of_course, status_of_module
from headway.domain.gating import lacking as locked_by
from headway.domain.module_scores import (
    KindScore,
    Lack,
    ModuleScore,
    StepSums,
    cut_percent,
    missing,
    score_module,
    shown_percent,
)
from headway.domain.progress import FIRST_RUN, EnrollmentSum, Grant, StepSum
from headway.domain.scores import fraction, ratio_percent
from headway.domain.step_status import LOCKED, is_manual, status_of, step_status
from headway.domain.sums import GrantKey, StepKey
from headway.domain.times import format_time
from headway.domain.wanting import points_to_go, reason
from headway.store.catalog import Catalog
from headway.store.figures import CourseFigures, of_course
from headway.store.grades import feedback
from headway.store.worked import Courses
from headway.views.people import decode_said
from headway.views.subject import Subject

NOTHING: Final = CourseFigures({}, {}, {}, {})
_NOT_ENROLLED: Final = EnrollmentSum()
_UNTOUCHED: Final = StepSum()


class UnknownModule(HeadwayError):
    """The course has no such module."""

    code = "unknown-module"


class UnknownRun(HeadwayError):
    """The learner has begun no such run of the course."""

    code = "unknown-run"


class StepStanding(Struct):
    """How a learner stands on a step; scores are 0 to 1, `feedback` is that given to the latest graded attempt."""

    id: str
    kind: str
    title: str
    status: str
    attempts: int
    best_score: float | None
    latest_score: float | None
    completed: bool
    completed_at: str | None
    feedback: str | None


class KindShare(Struct):
    """What the steps of one weight gave: `contribution` is in percent of the module. Exercises count as assignments."""

    kind: str
    weight: float
    percent: float
    contribution: float


class MissingStep(Struct):
    """A step that is missing for the module's completion: its percent, and what the module could gain by it."""

    step: str
    kind: str
    title: str
    percent: float
    gain_percent: float


class ToGo(Struct):
    """What a module still needs: the percentage points missing to its pass mark, and which steps could bring them."""

    percent: float
    reason: str


class ModuleProgress(Struct):
    """How a learner stands in a module; `locked_by` are the modules to complete before it opens."""

    id: str
    title: str
    status: str
    score_percent: float
    completed_at: str | None
    locked_by: list[str]
    to_go: ToGo | None
    breakdown: list[KindShare]
    missing: list[MissingStep]
    steps: list[StepStanding]


class CourseProgress(Struct):
    """How a learner stands in a run of a course; `percent` is completed steps over steps, by the version in force.

    `certificate` is the id under which anybody may verify it.
    """

    course: str
    version: int
    run: int
    enrolled: bool
    status: str
    percent: float
    score_percent: float
    completed_at: str | None
    certificate: str | None
    modules: list[ModuleProgress]


class Run(NamedTuple):
    """A learner's steps and grants in a run of a course."""

    course: Course
    number: int
    steps: StepSums
    held: HeldGrants
    # The feedback of the latest grade on each step, by the step's key.
    feedback: Mapping[str, str | None] = MappingProxyType({})

    @property
    def status(self) -> str:
        """The course's status in this run."""
        return status_of_course(self.steps, self.held)

    @property
    def steps_completed(self) -> int:
        """The number of completed steps of the version in force."""
        return sum(_sum_of(step, self.steps).completion is not None for step in self.course.steps)

    @property
    def percent(self) -> float:
        """Completed steps over all steps, 0 to 100."""
        return ratio_percent(self.steps_completed, len(self.course.steps))


def read_course(
    connection: Connection, catalog: Catalog, subject: Subject, course_id: str, run: int | None = None
) -> CourseProgress:
    """Return a learner's progress by the version of a course in force, in the current run or the one asked for.

    Raise UnknownCourse or UnknownRun if there is none.
    """
    version, enrolled, found = _read(connection, catalog, subject, course_id, run)
    found = _with_feedback(connection, subject, found)
    completed = found.held.get((COURSE_COMPLETED, ""))
    certificate = found.held.get((CERTIFIED, ""))
    scored = [score_module(module, found.steps) for module in found.course.modules]
    total = score_of_modules(found.course, [one.score for one in scored], found.held)
    return CourseProgress(
        course=found.course.id,
        version=version,
        run=found.number,
        enrolled=enrolled,
        status=found.status,
        percent=found.percent,
        score_percent=shown_percent(total, found.course.pass_mark),
        completed_at=_shown_time(completed and completed.at),
        certificate=certificate and certificate.event_id,
        modules=[_module_progress(*one, found) for one in zip(found.course.modules, scored, strict=True)],
    )


def read_module(
    connection: Connection,
    catalog: Catalog,
    subject: Subject,
    course_id: str,
    module_id: str,
    run: int | None = None,
) -> ModuleProgress:
    """A learner's progress in one module; UnknownCourse, UnknownModule or UnknownRun where there is none."""
    _, _, found = _read(connection, catalog, subject, course_id, run)
    module = found.course.module(module_id)
    if module is None:
        raise UnknownModule("the course has no module of that name; its outline lists them", field="module")
    return _module_progress(module, score_module(module, found.steps), _with_feedback(connection, subject, found))


def _with_feedback(connection: Connection, subject: Subject, run: Run) -> Run:
    """Add the feedback on the learner's attempts: one statement, only for courses that people grade."""
    if subject.learner_id is None or not any(map(is_manual, run.course.steps)):
        return run
    bodies = feedback(connection, subject.learner_id, run.course.id, run.number)
    return run._replace(feedback={key: decode_said(body).feedback for key, body in bodies.items()})


def in_force(connection: Connection, catalog: Catalog, course_id: str) -> tuple[int, Course]:
    """Return the version of a course in force, with its number; UnknownCourse if there is none."""
    found = catalog.in_force(connection, [course_id]).get(course_id)
    if found is None:
        raise UnknownCourse("there is no course of that name", field="course")
    return found


def _read(
    connection: Connection, catalog: Catalog, subject: Subject, course_id: str, number: int | None
) -> tuple[int, bool, Run]:
    version, course = in_force(connection, catalog, course_id)
    figures = NOTHING if subject.learner_id is None else of_course(connection, subject.learner_id, course_id)
    current = max((key.run for key in figures.runs), default=FIRST_RUN)
    if number is not None and not FIRST_RUN <= number <= current:
        raise UnknownRun(f"there is no run {number} of this course; the latest is {current}", field="run")
    enrolled = figures.enrollments.get(course_id, _NOT_ENROLLED).enrolled
    return version, enrolled, run_of(course, number or current, figures.steps, figures.grants)


def run_of(course: Course, number: int, steps: Mapping[StepKey, StepSum], grants: Mapping[GrantKey, Grant]) -> Run:
    """Return a run of a course, from a learner's figures."""
    place = (course.id, number)
    mine = {key.step: one for key, one in steps.items() if key[:2] == place}
    held = {(key.kind, key.module): one for key, one in grants.items() if key[:2] == place}
    return Run(course, number, mine, held)


class RunWorked(NamedTuple):
    """What the overview and predictions say of a run.

    `done` are the local days on which steps were completed, by step key, with steps that the version in force has
    dropped.
    """

    course: Course
    is_completed: bool
    is_begun: bool
    done: Mapping[str, str]

    @property
    def status(self) -> str:
        """The course's status in this run."""
        return status_of(self.is_completed, self.is_begun)

    @property
    def steps_completed(self) -> int:
        """The number of completed steps of the version in force."""
        return len(self.course.numbers.keys() & self.done.keys())

    @property
    def percent(self) -> float:
        """Completed steps over all steps, 0 to 100."""
        return ratio_percent(self.steps_completed, len(self.course.steps))


def run_worked(course: Course, found: Courses) -> RunWorked:
    """Return the learner's current run of a course."""
    place = (course.id, found.runs.get(course.id, FIRST_RUN))
    mine = [one for one in found.steps if one[:2] == place]
    done = {one.step: one.done_on for one in mine if one.done_on is not None}
    is_begun = any(one.events or one.override is not None for one in mine)
    return RunWorked(course, place in found.completed, is_begun, done)


def _module_progress(module: Module, scored: ModuleScore, run: Run) -> ModuleProgress:
    completed = run.held.get((MODULE_COMPLETED, module.key))
    status = status_of_module(module, run.steps, run.held)
    lacking = [run.course.module_id(key) for key in locked_by(module, run.held)] if status == LOCKED else []
    wanting = [] if completed else missing(module, run.steps)
    shown = shown_percent(score_of_module(module, scored.score, run.held), module.pass_mark)
    return ModuleProgress(
        module.id,
        module.title,
        status,
        shown,
        _shown_time(completed and completed.at),
        lacking,
        ToGo(_to_go(points_to_go(module, scored)), reason(module, wanting, run.steps)) if wanting else None,
        [_kind_share(one, is_short=shown != round(shown, 2)) for one in scored.kinds],
        [_missing_step(one) for one in wanting],
        [_step_standing(step, run, locked=bool(lacking)) for step in module.steps],
    )


def _to_go(points: Fraction) -> float:
    """Return percentage points, rounded up, so that what is missing is never shown as nothing."""
    return ceil(points * 10_000) / 100


def _kind_share(one: KindScore, *, is_short: bool) -> KindShare:
    """Return a kind's share of a score.

    With `is_short`, the score lacks less than is shown to its mark: then figures are cut, not rounded up.
    """
    shown = cut_percent if is_short else shown_percent
    return KindShare(one.kind, shown_percent(one.weight), shown(one.score), shown(one.contribution))


def _missing_step(one: Lack) -> MissingStep:
    step = one.step
    return MissingStep(step.id, step.kind, step.title, shown_percent(one.score), shown_percent(one.gain))


def _step_standing(step: Step, run: Run, *, locked: bool) -> StepStanding:
    one = _sum_of(step, run.steps)
    return StepStanding(
        step.id,
        step.kind,
        step.title,
        # A completed step stays completed where its module is locked.
        LOCKED if locked and one.completion is None else step_status(step, one),
        one.attempts,
        fraction(one.best_said),
        fraction(one.latest.score) if one.latest else None,
        one.completion is not None,
        _shown_time(one.completion and one.completion.at),
        run.feedback.get(step.key),
    )


def _sum_of(step: Step, sums: StepSums) -> StepSum:
    return sums.get(step.key, _UNTOUCHED)


def _shown_time(at: int | None) -> str | None:
    return None if at is None else format_time(at)
