"""The days in a row on which a learner was active."""

from typing import Final

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain import streaks
from headway.domain.errors import Invalid
from headway.domain.streaks import Streak
from headway.domain.times import local_day, ordinal
from headway.store import sums
from headway.views.subject import Subject

DAYS_SHOWN: Final = 366
DAYS_SHOWN_MAX: Final = 3_660


class StreakSummary(Struct):
    """A streak as the overview has it; `freezes` is 0 until there are any."""

    current: int
    longest: int
    last_active_on: str | None
    active_today: bool
    freezes: int


class StreakProgress(Struct):
    """A streak, and the active days behind it, oldest first."""

    current: int
    longest: int
    last_active_on: str | None
    active_today: bool
    time_zone: str
    freezes: int
    days: list[str]


def read_streak(connection: Connection, subject: Subject, now: int, days: int = DAYS_SHOWN) -> StreakProgress:
    """A learner's streak at a time, with the active days among the last `days` days."""
    if not 1 <= days <= DAYS_SHOWN_MAX:
        raise Invalid(f"days must be from 1 to {DAYS_SHOWN_MAX}", field="days")
    active = _active_days(connection, subject)
    today = local_day(now, subject.time_zone)
    found = streaks.streak(active, today)
    first = ordinal(today) - days
    shown = sorted(day for day in active if ordinal(day) > first)
    return StreakProgress(
        found.current, found.longest, found.last_active_on, found.active_today, subject.time_zone, 0, shown
    )


def summary(found: Streak) -> StreakSummary:
    """A streak as the overview has it."""
    return StreakSummary(*found, freezes=0)


def _active_days(connection: Connection, subject: Subject) -> set[str]:
    if subject.learner_id is None:
        return set()
    return sums.active_days(connection, [subject.learner_id]).get(subject.learner_id, set())
