"""Resets: what a learner clears and begins anew, and what comes late from before it."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, Self, TypeAlias

from headway.domain.facts import CERTIFIED, Achieved, Graded, Granted, Leveled, Overridden, Reset, StreakImported
from headway.domain.progress import FIRST_RUN, Contribution

# What a reset of all courses says of those of which nothing is known yet.
ALL_COURSES: Final = ""


class ResetKey(NamedTuple):
    """A run of a course, in the learner's own ledger, where `ledger` is empty, or in a guest's."""

    ledger: str
    course: str
    run: int


class ResetMark(NamedTuple):
    """Up to which effective time (microseconds) all is cleared."""

    up_to: int

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        return max(self, other)


Marks: TypeAlias = Mapping[ResetKey, ResetMark]


class Cleared(NamedTuple):
    """What a reset cleared: steps with events, attempts, active days, and steps of which a person alone spoke."""

    steps: int = 0
    attempts: int = 0
    days: int = 0
    said: int = 0


def last_reset(marks: Marks, course: str) -> ResetMark | None:
    """Up to when a course was cleared by the learner: what is effective by then and comes now adds nothing."""
    return max((one for key, one in marks.items() if not key.ledger and key.course in (course, "")), default=None)


def is_late(marks: Marks, event: Contribution) -> bool:
    """Whether an event comes from before a reset, and adds nothing: what was done, or the grade of it."""
    if not marks or not event.step or not (event.fact is None or isinstance(event.fact, Graded)):
        return False
    mark = last_reset(marks, event.course)
    return mark is not None and event.done_at <= mark.up_to


class Surviving:
    """What of a ledger still counts: its entries in their order, without what resets cleared or found late."""

    def __init__(self) -> None:
        self._runs: dict[str, int] = {}
        self._marks: dict[ResetKey, ResetMark] = {}

    def of(self, made: Iterable[Contribution]) -> list[Contribution]:
        """Those of the contributions that count, resets themselves left out."""
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
