"""A learner's standing: sums and active days, moved by one event at a time. Record, audit and rebuild share it."""

from collections.abc import Iterable

from headway.domain import changes
from headway.domain.attendance import Attendance
from headway.domain.changes import Change
from headway.domain.events import ENROLLMENT_TYPES
from headway.domain.facts import BACKFILL, Achieved, Graded, Granted, Leveled, Paused, Reset, Resumed
from headway.domain.progress import Contribution, EnrollmentSum
from headway.domain.resets import Marks, ResetKey, is_late, last_reset
from headway.domain.streaks import STANDARD, StreakRules, days_of, streak_days_of
from headway.domain.sums import GrantKey, LevelKey, Sums, WorthOf
from headway.domain.times import ordinal


class Standing:
    """A learner's sums and active days."""

    def __init__(self, worth_of: WorthOf) -> None:
        self.sums = Sums(worth_of)
        self.attendance = Attendance()
        # Days that events counted here made active.
        self.gained: set[int] = set()
        # Guests moved into the learner so far, whose ledgers a reset clears as well.
        self.guests: list[str] = []

    def apply(self, event: Contribution, *, name: str, today: str, rules: StreakRules = STANDARD) -> list[Change]:
        """Count an event that was not counted before, as of the learner's `today`; return the changes it brought about.

        `name` is the present id of its step or module, `rules` are those by which streaks are told.
        """
        if event.type in ENROLLMENT_TYPES:
            enrolled = self.sums.enrollments.get(event.course, EnrollmentSum())
            self.sums.add(event)
            return changes.enrollment_changed(event.course, enrolled, self.sums.enrollments[event.course])
        if isinstance(event.fact, Reset):
            return self._reset(event, event.fact)
        if self.is_late(event):
            self._note_late(event)
            return []
        told = self._told_of_fact(event, name)
        told += changes.step_completed(event.course, name, *self.sums.add(event))
        if event.is_activity and ordinal(event.day) not in self.attendance.active:
            before = self.attendance.streak(ordinal(today), rules)
            self._count_day(event)
            after = self.attendance.streak(ordinal(today), rules)
            told += changes.streak_extended(event.day, before, after, rules.milestones)
        else:
            self._count_day(event)
        return told

    def is_late(self, event: Contribution) -> bool:
        """Whether an event comes from before a reset: it is kept, and adds nothing."""
        return is_late(self.sums.resets, event)

    def _note_late(self, event: Contribution) -> None:
        """Mark the event's run as cleared: it was unknown at the reset, and readers of the ledger ask by run."""
        mark = last_reset(self.sums.resets, event.course)
        if mark is not None:
            self.sums.resets[ResetKey("", event.course, event.run)] = mark

    def _reset(self, event: Contribution, fact: Reset) -> list[Change]:
        kept = None if event.course else fact.kept
        cleared = self.sums.clear(event.course, event.at, self.guests, kept)
        self.sums.keep_levels(fact.levels, (event.at, event.event_id))
        days = ((key.day, one.activities) for key, one in self.sums.days.items())
        imported = ((key.day, one.activities) for key, one in self.sums.imported_days.items())
        self.attendance, self.gained = Attendance(), set()
        self.attendance.add(streak_days_of(days, imported, self.sums.pauses.values()))
        return changes.progress_reset(event, cleared, fact)

    def _count_day(self, event: Contribution) -> None:
        """Update the days that streaks are computed from: an active day, or a change of pauses."""
        if event.is_activity:
            day = ordinal(event.day)
            if day not in self.attendance.active:
                self.gained.add(day)
            self.attendance.count(day, imported=event.imported)
        elif isinstance(event.fact, Paused | Resumed):
            self.attendance.pause(days_of(self.sums.pauses.values()))

    def _told_of_fact(self, event: Contribution, name: str) -> list[Change]:
        if event.fact is None:
            return []
        if isinstance(event.fact, Granted):
            key = GrantKey(event.course, event.run, event.type, event.fact.module)
            return [] if key in self.sums.grants else changes.of_fact(event, name)
        if isinstance(event.fact, Achieved) and event.fact.achievement in self.sums.achievements:
            return []
        if isinstance(event.fact, Leveled) and self._is_no_news(event.fact):
            return []
        return changes.of_fact(event, name)

    def _is_no_news(self, told: Leveled) -> bool:
        """Whether a level was told of before, or was reached before levels were told at all."""
        return told.cause == BACKFILL or LevelKey(told.topic, told.level) in self.sums.levels

    def take_in(self, brought: Iterable[Contribution]) -> set[str]:
        """Count the events of a guest who is moved into this learner; return the ids of those that count.

        A grade counts with the attempt that it was given to. Where the learner had sent that attempt too, the guest's
        grade replaces the attempt's grade here if it is better, so that no attempt is scored twice.
        """
        taken = set[str]()
        for event in brought:
            counted: Contribution | None = event
            if isinstance(event.fact, Graded) and event.fact.attempt not in taken:
                counted = self._as_here(event, event.fact)
            if counted is not None:
                self.sums.add(counted)
                taken.add(event.event_id)
                self._count_day(counted)
        return taken

    def take_in_resets(self, guest: str, theirs: Marks) -> None:
        """Note the resets of a guest who is moved into this learner; they concern the guest's ledger alone."""
        self.guests.append(guest)
        self.sums.resets |= {key._replace(ledger=guest): mark for key, mark in theirs.items() if not key.ledger}

    def _as_here(self, event: Contribution, grade: Graded) -> Contribution | None:
        """A guest's grade of an attempt that the learner sent too, as it counts here; None where it does not."""
        known = self.sums.grades.get(grade.attempt)
        if known is None:
            return None
        given = known.given
        if (given and given.score, bool(given and given.passed)) == (grade.before, grade.passed_before):
            return event
        if given is None or (event.score or 0, event.passed) <= (given.score, given.passed):
            return None
        here = grade._replace(before=given.score, passed_before=given.passed, waited=False, attempted_at=known.at)
        return event._replace(passed=event.passed or given.passed, fact=here)
