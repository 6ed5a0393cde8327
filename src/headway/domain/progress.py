"""Progress adds up: sums with a zero and a commutative `+`, which is defined here and nowhere else."""

from collections.abc import Iterable
from operator import add
from typing import NamedTuple, Self, TypeVar

from headway.domain.facts import Fact, Graded, Overridden
from headway.domain.overrides import Override

FIRST_RUN = 1
_T = TypeVar("_T", int, "Scored", "Completion", Override, "Grant", "Revocation", "GivenGrade")


class Contribution(NamedTuple):
    """What one event adds to the sums, fixed when it is recorded.

    `at` is the effective time (microseconds), `day` the learner's local day, `score` in millionths; `topics` are those
    of the step in the course's `version`. `is_graded` says that the server vouches for the score; `fact` is the content
    of an entry of the server's own; `imported` marks history from elsewhere; `part` is the part of day: early, late or
    "".
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
    is_graded: bool = False
    fact: Fact | None = None
    imported: bool = False
    part: str = ""

    @property
    def completes(self) -> bool:
        """Whether the event completes its step."""
        return self.passed or self.type == "completed"

    @property
    def worked_on(self) -> str:
        """The local day of the work that the entry is about: a grade's is the attempt's."""
        return self.fact.day if isinstance(self.fact, Graded) else self.day

    @property
    def done_at(self) -> int:
        """The time of the work that the entry is about, in microseconds: a grade's is the attempt's."""
        return self.fact.attempted_at if isinstance(self.fact, Graded) else self.at

    @property
    def worked_topics(self) -> tuple[str, ...]:
        """The topics of the work that the entry is about: a grade's are those of the step at the attempt."""
        then = self.fact.topics if isinstance(self.fact, Graded) else None
        return self.topics if then is None else then

    @property
    def waits(self) -> bool:
        """Whether the event is an attempt that waits for a person's grade."""
        return self.score is None and self.is_graded and self.type == "attempted"

    @property
    def is_activity(self) -> bool:
        """Whether the event makes its day an active one."""
        return self.type in ("attempted", "completed")


class Scored(NamedTuple):
    """One score with its place in time; ordered by (time, event id), which no two events share.

    `version` is set on a step's first score only: the version that scored it, 0 where that was not recorded.
    """

    at: int
    event_id: str
    score: int
    version: int = 0


class Completion(NamedTuple):
    """The first completion of a step, and the course version that it was under, which says what it is worth."""

    at: int
    event_id: str
    day: str
    version: int


class StepSum(NamedTuple):
    """A learner's sum of a step in a run.

    `events` are the learner's own; `unscored` attempts wait for a grade; `best` is the learner's best score,
    `graded_best` the best of those that the server vouches for. What a person said of the step is in `override` alone,
    so that it can be replaced. `is_done` says that the learner completed the step, whether or not a person did too.
    """

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
    unscored: int = 0
    graded_best: int | None = None
    override: Override | None = None
    is_done: bool = False

    @property
    def first_try(self) -> tuple[int, bool] | None:
        """The version that scored the first try, and whether it passed; None where that is unknown.

        None too where the step was complete before its first score, by a person's word or without a try.
        """
        first, done = self.first, self.completion
        if first is None or not first.version or (done is not None and done[:2] < first[:2]):
            return None
        return first.version, done is not None and done.event_id == first.event_id

    @property
    def best_said(self) -> int | None:
        """The best score, the learner's or that of the override in force; None where there is none."""
        said = self.override
        if said is None or not said.is_score or (self.is_done and self.best is None and not said.final):
            return self.best
        return _greatest(self.best, said.score)

    @property
    def vouched_best(self) -> int | None:
        """The best score that the server or a person vouches for; None where none does."""
        said = self.override
        return self.graded_best if said is None or said.lifts else _greatest(self.graded_best, said.score)

    @classmethod
    def of(cls, event: Contribution) -> Self:
        """The sum of a single event."""
        if event.fact is not None:
            return cls._of_fact(event)
        at, event_id, score, attempt = event.at, event.event_id, event.score, event.type == "attempted"
        scored = None if score is None else Scored(at, event_id, score)
        return cls(
            1,
            int(attempt),
            int(attempt and event.passed),
            0 if score is None else 1,
            score or 0,
            score,
            scored and Scored(at, event_id, scored.score, event.version),
            scored,
            Completion(at, event_id, event.day, event.version) if event.completes else None,
            event.duration_ms,
            event.hints,
            at,
            int(event.waits),
            score if event.is_graded else None,
            is_done=event.completes,
        )

    @classmethod
    def _of_fact(cls, event: Contribution) -> Self:
        at, score, fact = event.at, event.score, event.fact
        if isinstance(fact, Graded) and score is not None:
            # Replaces the score that the attempt had; of two scores of one attempt, the higher stands.
            scored = Scored(fact.attempted_at, fact.attempt, score)
            first = scored._replace(version=event.version)
            done = Completion(fact.attempted_at, fact.attempt, fact.day, event.version) if event.passed else None
            more = (int(event.passed) - int(fact.passed_before), int(fact.before is None), score - (fact.before or 0))
            return cls(0, 0, *more, score, first, scored, done, 0, 0, at, -fact.waited, score, None, event.passed)
        if isinstance(fact, Overridden) and score is not None:
            done = Completion(at, event.event_id, event.day, event.version) if event.passed else None
            override = Override(at, event.event_id, score, fact.final, fact.waived)
            # Not an event of the learner's: a waiver does not open a locked module.
            return cls(completion=done, updated_at=at, override=override)
        return cls()

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two sums that have no event in common."""
        return type(self)(  # by position: naming the fields costs more than adding them up
            self.events + other.events,
            self.attempts + other.attempts,
            self.passed_attempts + other.passed_attempts,
            self.scores + other.scores,
            self.score_total + other.score_total,
            _greatest(self.best, other.best),
            _first(self.first, other.first),
            _greatest(self.latest, other.latest),
            _least(self.completion, other.completion),
            self.duration_ms + other.duration_ms,
            self.hints + other.hints,
            max(self.updated_at, other.updated_at),
            self.unscored + other.unscored,
            _greatest(self.graded_best, other.graded_best),
            _greatest(self.override, other.override),
            self.is_done or other.is_done,
        )


def _first(one: Scored | None, other: Scored | None) -> Scored | None:
    """The earlier of two scores; of two of the same attempt, which was graded again, the higher."""
    if one is None or other is None:
        return other if one is None else one
    return min(other, one, key=lambda scored: (scored.at, scored.event_id, -scored.score, scored.version))


def _least(one: _T | None, other: _T | None) -> _T | None:
    if one is None or other is None:
        return other if one is None else one
    return min(other, one)


def _greatest(one: _T | None, other: _T | None) -> _T | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


class GivenGrade(NamedTuple):
    """A score given to an attempt after it was recorded, in millionths; of several the highest stands, then the last.

    `at` is when it was given, `event_id` the entry that gave it.
    """

    score: int
    passed: bool
    at: int
    event_id: str


class AttemptGrade(NamedTuple):
    """An attempt that waits for a grade, or was given one after it was recorded.

    `at` is the attempt's time; `waited` says that a person was to grade it.
    """

    course: str
    run: int
    step: str
    at: int
    waited: bool
    given: GivenGrade | None = None

    @classmethod
    def of(cls, event: Contribution) -> Self:
        """The sum of a single event: the attempt, or a grade of it."""
        place, fact = (event.course, event.run, event.step), event.fact
        if not isinstance(fact, Graded):
            return cls(*place, event.at, waited=True)
        given = GivenGrade(event.score or 0, event.passed, event.at, event.event_id)
        return cls(*place, fact.attempted_at, fact.waited, given)

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        first = min(self, other, key=lambda one: one[:4])
        return first._replace(waited=self.waited or other.waited, given=_greatest(self.given, other.given))


class Worth(NamedTuple):
    """What completing a step is worth; on leaderboards, only if a graded score reaches `graded_from` (millionths)."""

    points: int
    exercise: bool
    topics: tuple[str, ...]
    graded_from: int | None = None


class PeriodSum(NamedTuple):
    """What a learner did on a day or in a topic; `scores` and `score_total` are those of attempts.

    The last three fields follow the steps' completions, and move when a completion moves; events do not add to them.
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
        if isinstance(event.fact, Graded) and score is not None:
            before, passed_before = event.fact.before, event.fact.passed_before
            return cls(0, int(event.passed) - int(passed_before), int(before is None), score - (before or 0))
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
        """What a completion adds to its day and topics, or (sign -1) takes from those it moves away from."""
        return cls(steps_completed=sign, exercises_completed=sign * int(worth.exercise), points=sign * worth.points)

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        return tuple.__new__(type(self), map(add, self, other))  # what _make does, without counting again

    @classmethod
    def total(cls, all_: Iterable[Self]) -> Self:
        """The sum of many, added field by field, which takes a fraction of the time."""
        return sum_ if (sum_ := tuple.__new__(cls, map(sum, zip(*all_, strict=True)))) else cls()


class EnrollmentSum(NamedTuple):
    """Whether a learner is enrolled, by the latest entry in (time, id), whatever the order of arrival."""

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
        return later._replace(first_enrolled_at=_least(self.first_enrolled_at, other.first_enrolled_at))


class RunSum(NamedTuple):
    """A run of a course: when it began (what the learner `said` goes first), and was last active in (0: never)."""

    started_at: int
    said: bool = False
    active_at: int = 0

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        one = other if (not other.said, other.started_at) < (not self.said, self.started_at) else self
        return type(self)(one.started_at, one.said, max(self.active_at, other.active_at))


class Grant(NamedTuple):
    """What a rule granted, when, and by which version; the earliest stands. `score` in millionths, rounded down."""

    at: int
    event_id: str
    score: int | None
    version: int

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        return min(self, other)


class Revocation(NamedTuple):
    """When and why a certificate became void; the earliest stands."""

    at: int
    event_id: str
    reason: str


class Certificate(NamedTuple):
    """A certificate: the run of the course that it is for, its score (millionths), and its revocation, if any."""

    course: str
    run: int
    issued_at: int | None = None
    score: int | None = None
    version: int | None = None
    revocation: Revocation | None = None

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two: the issue and the revocation, in either order."""
        issue = self if other.issued_at is None else other
        return issue._replace(revocation=_least(self.revocation, other.revocation))
