"""What is earned once: as everything of a learner, it adds up in any order."""

from typing import NamedTuple, Self


class Achievement(NamedTuple):
    """What a learner earned, when, on which local day, and with how many points; the earliest stands."""

    at: int
    event_id: str
    day: str
    points: int

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        return min(self, other)


class LevelReached(NamedTuple):
    """When a learner was told of a level, and which one it followed; the earliest stands."""

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
