"""How a learner stands in a course, and in each of its modules."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.course import Course, Module, Step
from headway.domain.errors import HeadwayError, UnknownCourse
from headway.domain.events import SLUG_MAX
from headway.domain.module_scores import (
    KindScore,
    Lack,
    ModuleScore,
    StepSums,
    is_completed,
    missing,
    score_course,
    score_module,
    shown_percent,
)
from headway.domain.progress import FIRST_RUN, StepSum
from headway.domain.scores import fraction, ratio_percent
from headway.domain.times import format_time
from headway.store import figures
from headway.store.catalog import Catalog
from headway.views.subject import Subject

OPEN, IN_PROGRESS, COMPLETED = "open", "in_progress", "completed"
_UNTOUCHED = StepSum()


class UnknownModule(HeadwayError):
    """The course has no such module."""

    code = "unknown-module"


class StepStanding(Struct):
    """How a learner stands on a step; scores are 0 to 1."""

    id: str
    kind: str
    title: str
    status: str
    attempts: int
    best_score: float | None
    latest_score: float | None
    completed: bool
    completed_at: str | None


class KindShare(Struct):
    """What the steps of one weight gave: `contribution` of the module's percent. Exercises stand under assignment."""

    kind: str
    weight: float
    percent: float
    contribution: float


class MissingStep(Struct):
    """A step between the learner and the module's completion: its percent, and what the module could gain by it."""

    step: str
    kind: str
    title: str
    percent: float
    gain_percent: float


class ModuleProgress(Struct):
    """How a learner stands in a module."""

    id: str
    title: str
    status: str
    score_percent: float
    completed_at: str | None
    breakdown: list[KindShare]
    missing: list[MissingStep]
    steps: list[StepStanding]


class CourseProgress(Struct):
    """How a learner stands in a course; `percent` is the completed steps of all steps of the version in force."""

    course: str
    version: int
    enrolled: bool
    status: str
    percent: float
    score_percent: float
    completed_at: str | None
    certificate: str | None
    modules: list[ModuleProgress]


class ModuleStanding(NamedTuple):
    """What the rules say of a module."""

    module: Module
    scored: ModuleScore
    status: str
    completed_at: int | None


class CourseStanding(NamedTuple):
    """What the rules say of a course."""

    course: Course
    modules: list[ModuleStanding]
    status: str
    steps_completed: int


def read_course(connection: Connection, catalog: Catalog, subject: Subject, course_id: str) -> CourseProgress:
    """A learner's progress in the version of a course that is in force; UnknownCourse where there is none."""
    version, course, sums = _read(connection, catalog, subject, course_id)
    standing = stand(course, sums)
    enrolled = subject.learner_id is not None and figures.is_enrolled(connection, subject.learner_id, course_id)
    score = score_course(course, [one.scored for one in standing.modules])
    return CourseProgress(
        course=course.id,
        version=version,
        enrolled=enrolled,
        status=standing.status,
        percent=percent_of(standing),
        score_percent=shown_percent(score, course.pass_mark),
        completed_at=_shown_time(_last(one.completed_at for one in standing.modules)),
        certificate=None,
        modules=[_module_progress(one, sums) for one in standing.modules],
    )


def read_module(
    connection: Connection, catalog: Catalog, subject: Subject, course_id: str, module_id: str
) -> ModuleProgress:
    """A learner's progress in one module; UnknownCourse or UnknownModule where there is none."""
    _, course, sums = _read(connection, catalog, subject, course_id)
    module = next((one for one in course.modules if one.id == module_id), None)
    if module is None:
        raise UnknownModule("the course has no module of that name; its outline lists them", field="module")
    return _module_progress(_module_standing(module, sums), sums)


def stand(course: Course, sums: StepSums) -> CourseStanding:
    """Where the sums of its steps put a learner in a course."""
    modules = [_module_standing(module, sums) for module in course.modules]
    done = sum(_sum_of(step, sums).completion is not None for step in course.steps)
    begun = any(one.events for one in sums.values())
    status = _status(all(one.status == COMPLETED for one in modules), begun)
    return CourseStanding(course, modules, status, done)


def percent_of(standing: CourseStanding) -> float:
    """The completed steps of all steps, 0 to 100."""
    return ratio_percent(standing.steps_completed, len(standing.course.steps))


def _read(
    connection: Connection, catalog: Catalog, subject: Subject, course_id: str
) -> tuple[int, Course, dict[str, StepSum]]:
    # What cannot be an id names nothing; PostgreSQL would not even take a NUL.
    valid = len(course_id) <= SLUG_MAX and course_id.isprintable()
    found = catalog.in_force(connection, [course_id]).get(course_id) if valid else None
    if found is None:
        raise UnknownCourse("there is no course of that name", field="course")
    sums = {}
    if subject.learner_id is not None:
        sums = figures.course_steps(connection, subject.learner_id, course_id, FIRST_RUN)
    return *found, sums


def _module_standing(module: Module, sums: StepSums) -> ModuleStanding:
    scored = score_module(module, sums)
    done = is_completed(module, scored, sums)
    begun = any(_sum_of(step, sums).events for step in module.steps)
    return ModuleStanding(module, scored, _status(done, begun), _completed_at(module, sums))


def _completed_at(module: Module, sums: StepSums) -> int | None:
    """When a module came to be completed: by steps, with the last of them; by score, no sum can tell."""
    if module.complete_by == "score":
        return None
    completions = (_sum_of(step, sums).completion for step in module.steps)
    return _last(one and one.at for one in completions)


def _last(times: Iterable[int | None]) -> int | None:
    """The last of the times; None where one is not known."""
    found = list(times)
    known = [one for one in found if one is not None]
    return max(known) if known and len(known) == len(found) else None


def _module_progress(standing: ModuleStanding, sums: StepSums) -> ModuleProgress:
    module, scored = standing.module, standing.scored
    return ModuleProgress(
        module.id,
        module.title,
        standing.status,
        shown_percent(scored.score, module.pass_mark),
        _shown_time(standing.completed_at),
        [_kind_share(one) for one in scored.kinds],
        [_missing_step(one) for one in missing(module, scored, sums)],
        [_step_standing(step, _sum_of(step, sums)) for step in module.steps],
    )


def _kind_share(one: KindScore) -> KindShare:
    return KindShare(one.kind, shown_percent(one.weight), shown_percent(one.score), shown_percent(one.contribution))


def _missing_step(one: Lack) -> MissingStep:
    step = one.step
    return MissingStep(step.id, step.kind, step.title, shown_percent(one.score), shown_percent(one.gain))


def _step_standing(step: Step, one: StepSum) -> StepStanding:
    return StepStanding(
        step.id,
        step.kind,
        step.title,
        _status(one.completion is not None, one.events > 0),
        one.attempts,
        fraction(one.best),
        fraction(one.latest.score) if one.latest else None,
        one.completion is not None,
        _shown_time(one.completion and one.completion.at),
    )


def _status(completed: bool, begun: bool) -> str:
    return COMPLETED if completed else IN_PROGRESS if begun else OPEN


def _sum_of(step: Step, sums: StepSums) -> StepSum:
    return sums.get(step.key, _UNTOUCHED)


def _shown_time(at: int | None) -> str | None:
    return None if at is None else format_time(at)
