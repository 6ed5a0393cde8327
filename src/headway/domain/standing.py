"""Where a learner stands: the sums and the days, moved by one event at a time. Record, audit and rebuild share it."""

from collections.abc import Iterable

from headway.domain import changes
from headway.domain.changes import Change
from headway.domain.events import ENROLLMENT_TYPES
from headway.domain.facts import Granted
from headway.domain.progress import Contribution, EnrollmentSum
from headway.domain.streaks import current_streak
from headway.domain.sums import GrantKey, Sums, WorthOf
from headway.domain.times import ordinal


class Standing:
    """A learner's sums and active days."""

    def __init__(self, worth_of: WorthOf) -> None:
        self.sums = Sums(worth_of)
        self.active: set[int] = set()

    def add_active_days(self, days: Iterable[str]) -> None:
        """Make days known; those before which no streak will be asked for may be left out."""
        self.active |= {ordinal(day) for day in days}

    def apply(self, event: Contribution, *, step: str, today: str) -> list[Change]:
        """Count an event that was not counted before, on the learner's `today`; returns what it brought about.

        `step` is the name that the step has now.
        """
        if event.type in ENROLLMENT_TYPES:
            enrolled = self.sums.enrollments.get(event.course, EnrollmentSum())
            self.sums.add(event)
            return changes.enrollment_changed(event.course, enrolled, self.sums.enrollments[event.course])
        told = self._told_of_fact(event, step)
        told += changes.step_completed(event.course, step, *self.sums.add(event))
        day = ordinal(event.day)
        if event.is_activity and day not in self.active:
            now = ordinal(today)
            streak = current_streak(self.active, now)
            self.active.add(day)
            told += changes.streak_extended(event.day, streak, current_streak(self.active, now))
        return told

    def _told_of_fact(self, event: Contribution, step: str) -> list[Change]:
        if event.fact is None:
            return []
        if isinstance(event.fact, Granted):
            key = GrantKey(event.course, event.run, event.type, event.fact.module)
            return [] if key in self.sums.grants else changes.of_fact(event, step)
        return changes.of_fact(event, step)

    def take_in(self, event: Contribution) -> None:
        """Count an event that was told of before, by a guest who is now part of this learner."""
        self.sums.add(event)
        if event.is_activity:
            self.active.add(ordinal(event.day))
