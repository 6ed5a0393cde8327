"""What is earned once; like all sums, these add up in any order."""

from typing import NamedTuple, Self


class Achievement(NamedTuple):
    """When a learner earned an achievement, on which local day, and with how many points; the earliest stands."""

    at: int
    event_id: str
    day: str
    points: int

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        return min(self, other)


class LevelReached(NamedTuple):
    """When a learner was told of a level, and the level before it; the earliest stands."""

    at: int
    event_id: str
    previous: str

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        return min(self, other)


class ImportedStreak(NamedTuple):
    """The longest streak, in days, that another system recorded of a learner."""

    longest: int

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        return max(self, other)
