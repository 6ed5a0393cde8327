"""Resets: what a learner clears to begin anew, and events from before a reset that arrive late."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, Self, TypeAlias

from headway.domain.facts import CERTIFIED, Achieved, Graded, Granted, Leveled, Overridden, Reset, StreakImported
from headway.domain.progress import FIRST_RUN, Contribution

# In place of a course's id in the mark of a reset of all courses: for courses that nothing is known of yet.
ALL_COURSES: Final = ""


class ResetKey(NamedTuple):
    """A run of a course, in the learner's own ledger (`ledger` is empty) or in that of a guest moved into it."""

    ledger: str
    course: str
    run: int


class ResetMark(NamedTuple):
    """The effective time (microseconds) up to which everything is cleared."""

    up_to: int

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        return max(self, other)


Marks: TypeAlias = Mapping[ResetKey, ResetMark]


class Cleared(NamedTuple):
    """What a reset cleared: steps with events, attempts, active days, and steps with nothing but an override."""

    steps: int = 0
    attempts: int = 0
    days: int = 0
    said: int = 0


def last_reset(marks: Marks, course: str) -> ResetMark | None:
    """The latest mark for a course in the learner's own ledger: events effective up to it that come now add nothing."""
    return max((one for key, one in marks.items() if not key.ledger and key.course in (course, "")), default=None)


def is_late(marks: Marks, event: Contribution) -> bool:
    """Whether an event is late: work from before a reset, or a grade of such work; it adds nothing."""
    if not marks or not event.step or not (event.fact is None or isinstance(event.fact, Graded)):
        return False
    mark = last_reset(marks, event.course)
    return mark is not None and event.done_at <= mark.up_to


class Surviving:
    """The entries of a ledger that still count, in their order: not cleared by a reset, and not late."""

    def __init__(self) -> None:
        self._runs: dict[str, int] = {}
        self._marks: dict[ResetKey, ResetMark] = {}

    def of(self, made: Iterable[Contribution]) -> list[Contribution]:
        """The contributions that count, without the resets themselves."""
        kept: list[Contribution] = []
        for one in made:
            if isinstance(one.fact, Reset):
                kept = self._cleared(one, one.fact, kept)
                continue
            if is_late(self._marks, one):
                continue
            if one.course:
                self._runs[one.course] = max(one.run, self._runs.get(one.course, FIRST_RUN))
            kept.append(one)
        return kept

    def _cleared(self, reset: Contribution, fact: Reset, kept: list[Contribution]) -> list[Contribution]:
        for course in [reset.course] if reset.course else [*self._runs, ALL_COURSES]:
            self._marks[ResetKey("", course, self._runs.get(course, FIRST_RUN))] = ResetMark(reset.at)
        return [one for one in kept if not self._covers(reset, fact, one)]

    def _covers(self, reset: Contribution, fact: Reset, one: Contribution) -> bool:
        if isinstance(one.fact, StreakImported):
            return not reset.course
        if isinstance(one.fact, Achieved):
            return not reset.course and one.fact.achievement not in fact.kept
        if isinstance(one.fact, Leveled):
            return (one.fact.topic, one.fact.level) not in fact.levels
        if reset.course not in ("", one.course) or one.run < self._runs.get(one.course, FIRST_RUN):
            return False
        if isinstance(one.fact, Granted):
            return one.type != CERTIFIED
        return bool(one.step) and (one.fact is None or isinstance(one.fact, Graded | Overridden))
