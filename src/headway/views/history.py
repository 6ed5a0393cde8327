"""What a learner did day by day, each with all that was done up to it."""

from datetime import date
from typing import Any, Final, NamedTuple

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.errors import Invalid
from headway.domain.progress import PeriodSum
from headway.domain.scores import mean_percent
from headway.domain.streaks import STANDARD, StreakRules, streaks_over
from headway.domain.times import days_between, local_day, ordinal, parse_day
from headway.store import figures
from headway.store.figures import NO_DAYS
from headway.views.subject import Subject

DAYS_SHOWN: Final = 30
DAYS_MAX: Final = 3_660
_NOTHING: Final = PeriodSum()


class Figures(Struct, kw_only=True):
    """What was done in a period; `average_percent` is that of the attempts made in it."""

    exercises_completed: int
    steps_completed: int
    attempts: int
    duration_s: float
    hints: int
    average_percent: float | None
    points: int
    achievements_unlocked: int


class HistoryDay(Figures, kw_only=True):
    """One day: its own figures, the streak as it stood, and `cumulative` all since the beginning."""

    day: str
    streak: int
    cumulative: Figures


class History(Struct):
    """Every day of a range, oldest first."""

    days: list[HistoryDay]


class AskedRange(NamedTuple):
    """The range as it was asked for: two days, each of which may be left out, or a number of days up to today."""

    first: str | None = None
    last: str | None = None
    days: int | None = None


def read_history(
    connection: Connection, subject: Subject, now: int, asked: AskedRange, rules: StreakRules = STANDARD
) -> History:
    """A learner's days in a range; Invalid names what is wrong with it."""
    first, last = _range(asked, local_day(now, subject.time_zone))
    known = NO_DAYS if subject.learner_id is None else figures.days(connection, subject.learner_id, last)
    by_day = dict(known.done)
    total = sum((one for day, one in known.done if day < first), _NOTHING)
    streaks = streaks_over(known.streak, ordinal(first), ordinal(last), rules)
    days = []
    for day, streak in zip(days_between(first, last), streaks, strict=True):
        own = by_day.get(day, _NOTHING)
        total += own
        days.append(HistoryDay(**_figures(own), day=day, streak=streak, cumulative=Figures(**_figures(total))))
    return History(days)


def _figures(one: PeriodSum) -> dict[str, Any]:
    return {
        "exercises_completed": one.exercises_completed,
        "steps_completed": one.steps_completed,
        "attempts": one.attempts,
        "duration_s": one.duration_ms / 1000,
        "hints": one.hints,
        "average_percent": mean_percent(one.score_total, one.scores),
        "points": one.points,
        "achievements_unlocked": 0,
    }


def _range(asked: AskedRange, today: str) -> tuple[str, str]:
    """The first and the last day; a side that is left out is today, or 30 days before the other."""
    if asked.days is not None and (asked.first is not None or asked.last is not None):
        raise Invalid("days goes without from and to; send either", field="days")
    if asked.days is not None and not 1 <= asked.days <= DAYS_MAX:
        raise Invalid(f"days must be from 1 to {DAYS_MAX}", field="days")
    last = today if asked.last is None else parse_day(asked.last, field="to")
    if asked.first is None:
        return _first_of(last, asked.days or DAYS_SHOWN), last
    first = parse_day(asked.first, field="from")
    if first > last:
        raise Invalid(f"from must not lie after {last}, the last day", field="from")
    if ordinal(last) - ordinal(first) >= DAYS_MAX:
        raise Invalid(f"the range is longer than {DAYS_MAX} days; ask for less at a time", field="from")
    return first, last


def _first_of(last: str, days: int) -> str:
    """The first of some days up to the last; the calendar has none before the year 1."""
    return date.fromordinal(max(1, ordinal(last) - days + 1)).isoformat()
