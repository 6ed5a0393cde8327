"""A learner's days while events are counted one by one, and the streak as of any of them."""

from typing import NamedTuple

from headway.domain.streaks import StreakDay, StreakDays, StreakRules, current, follow, last_kept


class _Last(NamedTuple):
    """The streak as of the end of the last active day, by these rules."""

    rules: StreakRules
    kept: StreakDay | None


class Attendance:
    """Active days, those only imported among them, and paused ones; all as ordinals."""

    __slots__ = ("_last", "active", "imported", "paused")

    def __init__(self) -> None:
        self.active: set[int] = set()
        self.imported: set[int] = set()
        self.paused: set[int] = set()
        # Worked out when first asked for, then carried on from day to day.
        self._last: _Last | None = None

    def add(self, days: StreakDays) -> None:
        """Add days; those so early that no streak will be asked for them may be left out."""
        self.active |= days.active
        self.imported |= days.imported
        self.paused |= days.paused
        self._last = None

    def count(self, day: int, *, imported: bool) -> None:
        """Count an attempt or a completion."""
        if day in self.active:
            if not imported and day in self.imported:
                self.imported.discard(day)
                self._last = None
            return
        self.active.add(day)
        if imported:
            self.imported.add(day)
        last = self._last
        if last is not None:
            is_behind = last.kept is None or last.kept.day < day
            self._last = _Last(last.rules, follow(last.kept, day, self._days, last.rules)) if is_behind else None

    def pause(self, paused: set[int]) -> None:
        """Replace the paused days by these."""
        self.paused = paused
        self._last = None

    def streak(self, today: int, rules: StreakRules) -> int:
        """The current streak as of today."""
        if self._last is None or self._last.rules != rules:
            self._last = _Last(rules, last_kept(self._days, rules))
        return current(self._last.kept, today, self.paused, rules)

    @property
    def _days(self) -> StreakDays:
        return StreakDays(self.active, self.imported, self.paused)
