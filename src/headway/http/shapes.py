"""The shapes that several resources give: results, a step's progress, a learner."""

from msgspec import UNSET, Struct, UnsetType

from headway.domain.errors import Busy
from headway.domain.scores import fraction
from headway.domain.times import format_time
from headway.graders.registry import GraderFault
from headway.http.problems import Problem, problem_of
from headway.ledger.submission import Result, TouchedStep


class EventResult(Struct, omit_defaults=True):
    """What became of one event: recorded, duplicate or refused; then `problem` says why."""

    id: str | None
    status: str
    problem: Problem | UnsetType = UNSET
    flags: tuple[str, ...] | UnsetType = UNSET


class StepProgress(Struct):
    """How a learner stands on a step. Scores are 0 to 1."""

    course: str
    step: str
    status: str
    attempts: int
    best_score: float | None
    latest_score: float | None
    first_score: float | None
    completed: bool
    completed_at: str | None
    duration_s: float
    hints: int
    updated_at: str | None


def result_of(result: Result) -> EventResult:
    """The result of an event as the API shows it.

    Raises GraderFault or Busy if the event could not be graded, which refuses nothing.
    """
    if result.problem is not None:
        if isinstance(result.problem, GraderFault | Busy):
            raise result.problem.with_traceback(None)
        return EventResult(result.id, result.status, problem_of(result.problem), result.flags or UNSET)
    return EventResult(result.id, result.status, UNSET, result.flags or UNSET)


def progress_of(touched: TouchedStep) -> StepProgress:
    """A step as it stands after the commit."""
    one = touched.sum
    return StepProgress(
        touched.key.course,
        touched.name,
        touched.status,
        one.attempts,
        fraction(one.best_said),
        fraction(one.latest.score) if one.latest else None,
        fraction(one.first.score) if one.first else None,
        one.completion is not None,
        format_time(one.completion.at) if one.completion else None,
        one.duration_ms / 1000,
        one.hints,
        format_time(one.updated_at) if one.updated_at else None,
    )
