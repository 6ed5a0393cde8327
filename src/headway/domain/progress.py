"""Progress adds up: sums with a zero and a `+` that knows no order. The `+` stands here and nowhere else."""

from operator import add
from typing import NamedTuple, Self, TypeVar

FIRST_RUN = 1
_T = TypeVar("_T", int, "Scored", "Completion")
DURATION_MS_MAX = 3_600_000


class Contribution(NamedTuple):
    """What one event adds: fixed when it is recorded, whatever becomes of course, zone or pass mark later.

    `at` is the effective time (microseconds), `day` the learner's local day, `score` in millionths.
    `topics` are those of the step in the course's `version`.
    """

    event_id: str
    type: str
    course: str
    run: int
    step: str
    version: int
    at: int
    day: str
    score: int | None
    passed: bool
    duration_ms: int
    hints: int
    topics: tuple[str, ...]

    @property
    def is_attempt(self) -> bool:
        """Whether the event is a grading."""
        return self.type == "attempted"

    @property
    def completes(self) -> bool:
        """Whether the event completes its step."""
        return self.passed or self.type == "completed"

    @property
    def is_activity(self) -> bool:
        """Whether the event makes its day an active one."""
        return self.type in ("attempted", "completed")


class Scored(NamedTuple):
    """One score with its place in time; ordered by (time, event id), which no two events share."""

    at: int
    event_id: str
    score: int


class Completion(NamedTuple):
    """When a step was first completed, and under which version of its course (which says what it was worth)."""

    at: int
    event_id: str
    day: str
    version: int


class StepSum(NamedTuple):
    """All that is known of a learner on a step of a run."""

    events: int = 0
    attempts: int = 0
    passed_attempts: int = 0
    scores: int = 0
    score_total: int = 0
    best: int | None = None
    first: Scored | None = None
    latest: Scored | None = None
    completion: Completion | None = None
    duration_ms: int = 0
    hints: int = 0
    updated_at: int = 0

    @classmethod
    def of(cls, event: Contribution) -> Self:
        """The sum of a single event."""
        at, event_id, score, attempt = event.at, event.event_id, event.score, event.type == "attempted"
        scored = None if score is None else Scored(at, event_id, score)
        return cls(
            1,
            int(attempt),
            int(attempt and event.passed),
            0 if score is None else 1,
            score or 0,
            score,
            scored,
            scored,
            Completion(at, event_id, event.day, event.version) if event.completes else None,
            event.duration_ms,
            event.hints,
            at,
        )

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two sums that have no event in common."""
        return type(self)(  # by place: naming twelve fields costs more than adding them up
            self.events + other.events,
            self.attempts + other.attempts,
            self.passed_attempts + other.passed_attempts,
            self.scores + other.scores,
            self.score_total + other.score_total,
            _greatest(self.best, other.best),
            _least(self.first, other.first),
            _greatest(self.latest, other.latest),
            _least(self.completion, other.completion),
            self.duration_ms + other.duration_ms,
            self.hints + other.hints,
            max(self.updated_at, other.updated_at),
        )


def _least(one: _T | None, other: _T | None) -> _T | None:
    if one is None or other is None:
        return other if one is None else one
    return min(other, one)


def _greatest(one: _T | None, other: _T | None) -> _T | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


class Worth(NamedTuple):
    """What the completion of a step counts for."""

    points: int
    exercise: bool
    topics: tuple[str, ...]


class PeriodSum(NamedTuple):
    """What a learner did on a day or in a topic; `scores` and `score_total` are those of attempts.

    The last three count steps: they are moved when a step's completion moves, never added up from events.
    """

    attempts: int = 0
    passed_attempts: int = 0
    scores: int = 0
    score_total: int = 0
    duration_ms: int = 0
    hints: int = 0
    activities: int = 0
    steps_completed: int = 0
    exercises_completed: int = 0
    points: int = 0

    @classmethod
    def of(cls, event: Contribution) -> Self:
        """The sum of a single event."""
        attempt, score = event.type == "attempted", event.score
        return cls(
            int(attempt),
            int(attempt and event.passed),
            int(attempt and score is not None),
            score or 0 if attempt else 0,
            event.duration_ms,
            event.hints,
            int(event.is_activity),
        )

    @classmethod
    def of_completion(cls, worth: Worth, sign: int = 1) -> Self:
        """What a completion adds where it comes to lie, or takes from where it lay (sign -1)."""
        return cls(steps_completed=sign, exercises_completed=sign * int(worth.exercise), points=sign * worth.points)

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        return tuple.__new__(type(self), map(add, self, other))  # what _make does, without counting again


class EnrollmentSum(NamedTuple):
    """Whether a learner is enrolled: what the latest entry by (time, id) says, whatever the order of arrival."""

    enrolled: bool = False
    changed_at: int = -1
    changed_by: str = ""
    first_enrolled_at: int | None = None

    @classmethod
    def of(cls, event: Contribution) -> Self:
        """The sum of a single `enrolled` or `left`."""
        enrolled = event.type == "enrolled"
        return cls(enrolled, event.at, event.event_id, event.at if enrolled else None)

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        later = max(self, other, key=lambda one: (one.changed_at, one.changed_by))
        firsts = [one.first_enrolled_at for one in (self, other) if one.first_enrolled_at is not None]
        return later._replace(first_enrolled_at=min(firsts, default=None))


def counted_duration_ms(sent_ms: int) -> int:
    """What of a duration counts: at most an hour an event, so that a forgotten tab adds nothing absurd."""
    return min(sent_ms, DURATION_MS_MAX)
