"""Progress adds up: sums with a zero and a `+` that knows no order. The `+` stands here and nowhere else."""

from operator import add
from typing import NamedTuple, Self

FIRST_RUN = 1
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
        at, event_id, score, attempt = event.at, event.event_id, event.score, event.is_attempt
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
        best = other.best if self.best is None else self.best if other.best is None else max(self.best, other.best)
        return type(self)(
            events=self.events + other.events,
            attempts=self.attempts + other.attempts,
            passed_attempts=self.passed_attempts + other.passed_attempts,
            scores=self.scores + other.scores,
            score_total=self.score_total + other.score_total,
            best=best,
            first=min(self.first, other.first) if self.first and other.first else self.first or other.first,
            latest=max(self.latest, other.latest) if self.latest and other.latest else self.latest or other.latest,
            completion=(
                min(self.completion, other.completion)
                if self.completion and other.completion
                else self.completion or other.completion
            ),
            duration_ms=self.duration_ms + other.duration_ms,
            hints=self.hints + other.hints,
            updated_at=max(self.updated_at, other.updated_at),
        )


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
        attempt = event.is_attempt
        scored = attempt and event.score is not None
        return cls(
            int(attempt),
            int(attempt and event.passed),
            int(scored),
            (event.score or 0) if scored else 0,
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
