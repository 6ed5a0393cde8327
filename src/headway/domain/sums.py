"""All sums of one learner, and the one way in which an event moves them."""

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

from headway.domain.days import ENDLESS, ImportedDay, PartOfDay, Pause, StepDay
from headway.domain.earned import Achievement, ImportedStreak, LevelReached
from headway.domain.events import ENROLLMENT_TYPES
from headway.domain.facts import (
    CERTIFIED,
    GRADED,
    Achieved,
    Graded,
    Granted,
    Leveled,
    Paused,
    Resumed,
    Revoked,
    RunStarted,
    StreakImported,
)
from headway.domain.levels import LEVELS
from headway.domain.progress import (
    FIRST_RUN,
    AttemptGrade,
    Certificate,
    Completion,
    Contribution,
    EnrollmentSum,
    Grant,
    PeriodSum,
    Revocation,
    RunSum,
    StepSum,
    Worth,
)
from headway.domain.resets import ALL_COURSES, Cleared, ResetKey, ResetMark


class StepKey(NamedTuple):
    """A step of a run of a course."""

    course: str
    run: int
    step: str


class DayKey(NamedTuple):
    """A local day within a run of a course."""

    day: str
    course: str
    run: int


class TopicKey(NamedTuple):
    """A topic within a run of a course."""

    topic: str
    course: str
    run: int


class RunKey(NamedTuple):
    """A run of a course."""

    course: str
    run: int


class GrantKey(NamedTuple):
    """A grant that a run can have once: `kind` is the entry's type; `module` is empty where it is the course's."""

    course: str
    run: int
    kind: str
    module: str


class LevelKey(NamedTuple):
    """A level in a topic, over all courses."""

    topic: str
    level: str


class PartKey(NamedTuple):
    """A part of a local day, within a run of a course."""

    part: str
    day: str
    course: str
    run: int


class StepDayKey(NamedTuple):
    """A step of a run of a course, on a local day."""

    course: str
    run: int
    step: str
    day: str


class FirstCompletion(NamedTuple):
    """The earliest completion of a step over all runs, and the run that it lies in."""

    completion: Completion
    key: StepKey


WorthOf: TypeAlias = Callable[[str, int, str], Worth]


class Sums:
    """The sums of one learner; a missing key stands for zero.

    `worth_of(course, version, step)` returns the worth of a completion.
    """

    def __init__(self, worth_of: WorthOf) -> None:
        self.steps: dict[StepKey, StepSum] = {}
        self.days: dict[DayKey, PeriodSum] = {}
        self.topics: dict[TopicKey, PeriodSum] = {}
        self.enrollments: dict[str, EnrollmentSum] = {}
        self.runs: dict[RunKey, RunSum] = {}
        self.grants: dict[GrantKey, Grant] = {}
        self.certificates: dict[str, Certificate] = {}
        self.grades: dict[str, AttemptGrade] = {}
        self.imported_days: dict[DayKey, ImportedDay] = {}
        self.pauses: dict[str, Pause] = {}
        self.achievements: dict[str, Achievement] = {}
        self.imported_streaks: dict[str, ImportedStreak] = {}
        self.resets: dict[ResetKey, ResetMark] = {}
        self.levels: dict[LevelKey, LevelReached] = {}
        self.parts: dict[PartKey, PartOfDay] = {}
        self.step_days: dict[StepDayKey, StepDay] = {}
        self.worth_of = worth_of

    def add(self, event: Contribution) -> tuple[StepSum, StepSum]:
        """Count an event that was not counted before; return its step's sum before and after, both zero for no step."""
        if not event.step:
            self._add_to_course(event)
            return _NO_STEP, _NO_STEP
        self._add_run(event)
        key = StepKey(event.course, event.run, event.step)
        first = self.first_completion(event.course, event.step) if event.completes else None
        before = self.steps.get(key, _NO_STEP)
        after = StepSum.of(event) if before is _NO_STEP else before + StepSum.of(event)
        self.steps[key] = after
        moved, gained = PeriodSum.of(event), _NOTHING
        # Counts of steps follow the first completion over all runs: move them here if this event is now the first.
        done = after.completion
        if done is not None and done != before.completion and (first is None or done < first.completion):
            gained = PeriodSum.of_completion(self.worth_of(event.course, event.version, event.step))
            if first is not None:
                worth = self.worth_of(event.course, first.completion.version, event.step)
                self._move(first.key, first.completion.day, worth.topics, PeriodSum.of_completion(worth, -1))
        if event.worked_topics == event.topics:
            moved = moved if gained is _NOTHING else moved + gained
        elif event.completes:
            # Even with nothing gained: whether the row exists must not depend on the order of events.
            self._move(key, event.worked_on, event.topics, gained)
        self._move(key, event.worked_on, event.worked_topics, moved)
        if event.type in PRACTICED:
            self._add_practice(event)
        if event.imported or event.part:
            self._add_activity(event)
        return before, after

    def current_run(self, course: str) -> int:
        """The number of the learner's newest run of the course."""
        newest = FIRST_RUN
        for one, run in self.runs:
            if run > newest and one == course:
                newest = run
        return newest

    def of_run(self, run: RunKey) -> tuple[dict[str, StepSum], dict[tuple[str, str], Grant]]:
        """A run's step sums by key, and its grants by (kind, module)."""
        steps = {key.step: one for key, one in self.steps.items() if key[:2] == run}
        return steps, {(key.kind, key.module): one for key, one in self.grants.items() if key[:2] == run}

    def first_completion(self, course: str, step: str) -> "FirstCompletion | None":
        """The first completion of a step in any run: a step counts once, however often the course is taken."""
        first: FirstCompletion | None = None
        for run in range(FIRST_RUN, self.current_run(course) + 1):
            key = StepKey(course, run, step)
            known = self.steps.get(key)
            if known is not None and known.completion is not None:
                found = FirstCompletion(known.completion, key)
                first = found if first is None else min(first, found)
        return first

    def _add_activity(self, event: Contribution) -> None:
        """Count an activity in the sums of imported days and of early or late hours."""
        if event.imported and event.is_activity:
            day, one = DayKey(event.day, event.course, event.run), ImportedDay(1)
            self.imported_days[day] = self.imported_days[day] + one if day in self.imported_days else one
        if event.part:
            part, once = PartKey(event.part, event.day, event.course, event.run), PartOfDay(1)
            self.parts[part] = self.parts[part] + once if part in self.parts else once

    def _add_practice(self, event: Contribution) -> None:
        """Count an attempt, or the grade of one, on the attempt's day; note the grade, or the wait for it."""
        day, one = StepDayKey(event.course, event.run, event.step, event.worked_on), StepDay.of(event)
        self.step_days[day] = self.step_days[day] + one if day in self.step_days else one
        if event.waits or isinstance(event.fact, Graded):
            self._add_grade(event)

    def _add_grade(self, event: Contribution) -> None:
        attempt = event.fact.attempt if isinstance(event.fact, Graded) else event.event_id
        one = AttemptGrade.of(event)
        self.grades[attempt] = self.grades[attempt] + one if attempt in self.grades else one

    def _add_to_course(self, event: Contribution) -> None:
        if event.type in ENROLLMENT_TYPES:
            enrollment = self.enrollments.get(event.course, EnrollmentSum())
            self.enrollments[event.course] = enrollment + EnrollmentSum.of(event)
        elif isinstance(event.fact, Granted):
            self._add_grant(event, event.fact.module)
        elif isinstance(event.fact, Revoked):
            revoked = Revocation(event.at, event.event_id, event.fact.reason)
            self._add_certificate(event.fact.certificate, Certificate(event.course, event.run, revocation=revoked))
        elif isinstance(event.fact, RunStarted):
            self._add_run(event)
        elif isinstance(event.fact, Paused | Resumed | StreakImported):
            self._add_of_streak(event.event_id, event.fact)
        elif isinstance(event.fact, Achieved | Leveled):
            self._add_earned(event, event.fact)

    def _add_of_streak(self, event_id: str, fact: Paused | Resumed | StreakImported) -> None:
        if isinstance(fact, Paused):
            self._add_pause(event_id, Pause(*fact))
        elif isinstance(fact, Resumed):
            self._add_pause(fact.pause, Pause(ENDLESS, fact.last_on))
        else:
            self.imported_streaks[event_id] = ImportedStreak(fact.longest)

    def _add_run(self, event: Contribution) -> None:
        key, said = RunKey(event.course, event.run), isinstance(event.fact, RunStarted)
        known = self.runs.get(key)
        active_at = event.at if event.fact is None else 0  # an entry of the server's own is no activity
        if known is None or said or active_at > known.active_at or event.done_at < known.started_at:
            one = RunSum(event.done_at, said, active_at)
            self.runs[key] = one if known is None else known + one

    def _add_grant(self, event: Contribution, module: str) -> None:
        key = GrantKey(event.course, event.run, event.type, module)
        one = Grant(event.at, event.event_id, event.score, event.version)
        self.grants[key] = self.grants[key] + one if key in self.grants else one
        if event.type == CERTIFIED:
            issued = Certificate(event.course, event.run, event.at, event.score, event.version)
            self._add_certificate(event.event_id, issued)

    def _add_certificate(self, certificate_id: str, one: Certificate) -> None:
        known = self.certificates.get(certificate_id)
        self.certificates[certificate_id] = known + one if known else one

    def _add_pause(self, pause_id: str, one: Pause) -> None:
        self.pauses[pause_id] = self.pauses[pause_id] + one if pause_id in self.pauses else one

    def _add_earned(self, event: Contribution, fact: Achieved | Leveled) -> None:
        if isinstance(fact, Leveled):
            level, told = LevelKey(fact.topic, fact.level), LevelReached(event.at, event.event_id, fact.previous)
            self.levels[level] = self.levels[level] + told if level in self.levels else told
            return
        key, one = fact.achievement, Achievement(event.at, event.event_id, event.day, fact.points)
        self.achievements[key] = self.achievements[key] + one if key in self.achievements else one

    def clear(self, course: str, up_to: int, ledgers: Iterable[str], kept: Collection[str] | None = None) -> Cleared:
        """Clear the learner's current run of a course, or of every course where `course` is empty.

        `up_to` is in microseconds; `ledgers` are those of the guests moved in so far; `kept` are the achievements that
        stay (None: all).
        """
        places = [course] if course else sorted(self._courses())
        runs = {one: self.current_run(one) for one in places}
        steps = {key: one for key, one in self.steps.items() if runs.get(key.course) == key.run}
        days = {key.day for key, one in self.days.items() if runs.get(key.course) == key.run and one.activities}
        attempts = sum(one.attempts for one in steps.values())
        done = sum(one.events > 0 for one in steps.values())
        cleared = Cleared(done, attempts, len(days), len(steps) - done)
        for key in steps:
            self._clear_step(key)
        for found in (self.days, self.topics, self.imported_days, self.parts, self.step_days):
            _drop(found, [key for key in found if runs.get(key.course) == key.run])
        _drop(self.grades, [name for name, one in self.grades.items() if runs.get(one.course) == one.run])
        # A certificate stays, and a run has at most one.
        granted = [key for key in self.grants if runs.get(key.course) == key.run and key.kind != CERTIFIED]
        _drop(self.grants, granted)
        # The first run begins with its first event; later ones began by the learner's own request, which stays.
        _drop(self.runs, [key for key in self.runs if runs.get(key.course) == key.run == FIRST_RUN])
        stay = {key: one._replace(active_at=0) for key, one in self.runs.items() if runs.get(key.course) == key.run}
        self.runs |= stay
        if kept is not None:
            _drop(self.achievements, [name for name in self.achievements if name not in kept])
            self.imported_streaks.clear()
        for one, run in (runs if course else {**runs, ALL_COURSES: FIRST_RUN}).items():
            self.resets |= {ResetKey(name, one, run): ResetMark(up_to) for name in ("", *ledgers)}
        return cleared

    def keep_levels(self, kept: Iterable[tuple[str, str]], reset: tuple[int, str]) -> None:
        """Keep these (topic, level) alone; one that was not told itself is told as of `reset` (time, entry id)."""
        told = LevelReached(*reset, LEVELS[0].name)
        self.levels = {key: self.levels.get(key, told) for key in (LevelKey(*one) for one in kept)}

    def _courses(self) -> set[str]:
        known = {key.course for key in self.resets if key.course}
        return known | {key.course for kind in (self.steps, self.days, self.runs, self.grants) for key in kind}

    def _clear_step(self, key: StepKey) -> None:
        """Remove a step's sum; where its first completion was here, the step counts at the next one in another run."""
        first = self.first_completion(key.course, key.step)
        del self.steps[key]
        now = self.first_completion(key.course, key.step)
        if first is not None and now is not None and first.key == key:
            worth = self.worth_of(key.course, now.completion.version, key.step)
            self._move(now.key, now.completion.day, worth.topics, PeriodSum.of_completion(worth))

    def active_days(self) -> set[str]:
        """The local days with at least one attempt or completion."""
        return {key.day for key, one in self.days.items() if one.activities}

    def _move(self, key: StepKey, day: str, topics: tuple[str, ...], by: PeriodSum) -> None:
        day_key = DayKey(day, key.course, key.run)
        self.days[day_key] = by + self.days[day_key] if day_key in self.days else by
        for topic in topics:
            topic_key = TopicKey(topic, key.course, key.run)
            self.topics[topic_key] = by + self.topics[topic_key] if topic_key in self.topics else by


def _drop(found: dict[Any, Any], keys: Iterable[Any]) -> None:
    for key in keys:
        del found[key]


# The types of events on attempts: an attempt, and a grade of one.
PRACTICED: Final = ("attempted", GRADED)
_NO_STEP = StepSum()
_NOTHING = PeriodSum()
