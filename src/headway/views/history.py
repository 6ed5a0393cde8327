"""What a learner did day by day, with the running totals."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.progress import PeriodSum
from headway.domain.scores import mean_percent
from headway.domain.streaks import STANDARD, StreakRules, streaks_over
from headway.domain.times import days_between, local_day, ordinal
from headway.store import figures
from headway.store.achievements import Earned
from headway.store.figures import NO_PAST
from headway.views.asked_range import AskedRange, range_asked
from headway.views.subject import Subject

DAYS_MAX: Final = 3_660


class Figures(Struct, kw_only=True):
    """What was done in a period; `average_percent` is the average of the attempts made in it."""

    exercises_completed: int
    steps_completed: int
    attempts: int
    duration_s: float
    hints: int
    average_percent: float | None
    points: int
    achievements_unlocked: int


class HistoryDay(Figures, kw_only=True):
    """One day: its own figures, the streak as it stood, and in `cumulative` the totals since the beginning."""

    day: str
    streak: int
    cumulative: Figures


class History(Struct):
    """Every day of a range, oldest first."""

    days: list[HistoryDay]


def read_history(
    connection: Connection, subject: Subject, now: int, asked: AskedRange, rules: StreakRules = STANDARD
) -> History:
    """Return a learner's days in a range; Invalid if the range is wrong."""
    first, last = range_asked(asked, local_day(now, subject.time_zone), DAYS_MAX)
    known = NO_PAST if subject.learner_id is None else figures.past(connection, subject.learner_id, first, last)
    by_day = _by_day(known.done, (one for one in known.earned if one.day >= first))
    total = sum((_earned(one) for one in known.earned if one.day < first), _Done(known.before))
    streaks = streaks_over(known.streak, ordinal(first), ordinal(last), rules)
    days, sum_shown = [], _figures(total)
    for day, streak in zip(days_between(first, last), streaks, strict=True):
        own = by_day.get(day)
        if own is not None:
            total += own
            sum_shown = _figures(total)
        shown = _NONE_SHOWN if own is None else _figures(own)
        days.append(HistoryDay(**shown, day=day, streak=streak, cumulative=Figures(**sum_shown)))
    return History(days)


class _Done(NamedTuple):
    """What was done in a period, with the points of achievements, and how many achievements were earned."""

    sum: PeriodSum
    earned: int = 0

    def __add__(self, other: "_Done") -> "_Done":  # type: ignore[override]  # a sum of sums, not a longer tuple
        return _Done(self.sum + other.sum, self.earned + other.earned)


_NOTHING: Final = _Done(PeriodSum())


def _by_day(done: Iterable[tuple[str, PeriodSum]], earned: Iterable[Earned]) -> dict[str, _Done]:
    by_day = {day: _Done(one) for day, one in done}
    for one in earned:
        by_day[one.day] = by_day.get(one.day, _NOTHING) + _earned(one)
    return by_day


def _earned(one: Earned) -> _Done:
    return _Done(PeriodSum(points=one.points), 1)


def _figures(done: _Done) -> dict[str, Any]:
    one = done.sum
    return {
        "exercises_completed": one.exercises_completed,
        "steps_completed": one.steps_completed,
        "attempts": one.attempts,
        "duration_s": one.duration_ms / 1000,
        "hints": one.hints,
        "average_percent": mean_percent(one.score_total, one.scores),
        "points": one.points,
        "achievements_unlocked": done.earned,
    }


_NONE_SHOWN: Final = _figures(_NOTHING)
