"""Sums of days besides the activity itself: imports, early and late hours, pauses, single exercises."""

from operator import add
from typing import Final, NamedTuple, Self

from headway.domain.facts import Graded
from headway.domain.progress import Contribution


class ImportedDay(NamedTuple):
    """How many of a day's attempts and completions were imported."""

    activities: int

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        return type(self)(self.activities + other.activities)


class Pause(NamedTuple):
    """The days on which a streak rests, first and last included; none where the last lies before the first."""

    first_on: str
    last_on: str

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two: what made a pause and what ended it."""
        return type(self)(min(self.first_on, other.first_on), min(self.last_on, other.last_on))


# The first day of the addend that ends a pause: it leaves the pause's own first day as it is.
ENDLESS: Final = "9999-12-31"


class PartOfDay(NamedTuple):
    """How many attempts and completions lie in a part of a day."""

    activities: int

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        return type(self)(self.activities + other.activities)


class StepDay(NamedTuple):
    """Attempts at a step on a day; `unscored` ones wait for a grade. Reviews become due by these."""

    attempts: int = 0
    passed_attempts: int = 0
    unscored: int = 0
    hints: int = 0

    @classmethod
    def of(cls, event: Contribution) -> Self:
        """The sum of a single attempt, or of the grade of one."""
        if isinstance(event.fact, Graded):
            return cls(0, int(event.passed) - int(event.fact.passed_before), -int(event.fact.waited), 0)
        return cls(1, int(event.passed), int(event.waits), event.hints)

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        return tuple.__new__(type(self), map(add, self, other))  # what _make does, without counting again
