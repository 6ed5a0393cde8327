"""What a request hands to the ledger, and what it gets back."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self, TypeAlias

from headway.domain.changes import Change
from headway.domain.course import Course
from headway.domain.errors import HeadwayError
from headway.domain.events import Event
from headway.domain.progress import StepSum
from headway.domain.recording import REPORTED
from headway.domain.step_status import COMPLETED, OPEN, step_status
from headway.domain.streaks import STANDARD, StreakRules
from headway.domain.sums import StepKey
from headway.graders.verdict import Verdict

RECORDED, DUPLICATE, REFUSED = "recorded", "duplicate", "refused"
AHEAD_FLAG = "clock-ahead"
CORRECTED_FLAG = "clock-corrected"
# The event is from before a reset: it is kept, and adds nothing.
LATE_FLAG = "before-reset"
# A grader's verdict on an answer, or why there is none.
GradingOutcome: TypeAlias = Verdict | HeadwayError
# By version and body: the body names course, step and response, and the version the step's grader.
Verdicts: TypeAlias = Mapping[tuple[int, str], GradingOutcome]
NO_VERDICTS: Final[Verdicts] = MappingProxyType({})


class Newcomer(NamedTuple):
    """A guest who is created with the first event recorded: the rows of `learner` and `session`."""

    learner: Mapping[str, Any]
    session: Mapping[str, Any]


class Submission(NamedTuple):
    """The events of one request by one learner; times are microseconds.

    `token_hash` is the session that the request came with, checked again in the transaction; None for commands.
    `verdicts` are those on answers graded beforehand; a missing one, or one by another version, is made up for when
    recording. `streak_rules` are the rules for the streaks that changes tell.
    """

    learner_id: str
    events: tuple[Event, ...]
    received_at: int
    clock_skew: int = 0
    source: str = REPORTED
    token_hash: str | None = None
    newcomer: Newcomer | None = None
    verdicts: Verdicts = NO_VERDICTS
    streak_rules: StreakRules = STANDARD


class Result(NamedTuple):
    """What became of one event: recorded, duplicate or refused (`problem` says why).

    `score` (millionths) and `passed` are the event's own verdict, by the given version of its course.
    """

    id: str
    status: str
    problem: HeadwayError | None = None
    flags: tuple[str, ...] = ()
    score: int | None = None
    passed: bool = False
    version: int = 0


class TouchedStep(NamedTuple):
    """A step of a request's events, under its present id, as it stands after the commit."""

    key: StepKey
    name: str
    status: str
    sum: StepSum

    @classmethod
    def of(cls, course: Course, key: StepKey, one: StepSum) -> Self:
        """A step by the version of its course in force, which may have dropped it."""
        step = course.step(key.step)
        if step is None:
            return cls(key, key.step, COMPLETED if one.completion else OPEN, one)
        return cls(key, step.id, step_status(step, one), one)


class StatusChange(NamedTuple):
    """A module's new status, or the course's if `module` is empty; `reason` is the id of what brought it."""

    learner_id: str
    course: str
    run: int
    module: str
    status: str
    score: float | None
    reason: str


class Receipt(NamedTuple):
    """The answer to a submission; it exists only if the transaction was committed."""

    results: list[Result]
    steps: list[TouchedStep]
    changes: list[Change]
    statuses: Sequence[StatusChange] = ()
