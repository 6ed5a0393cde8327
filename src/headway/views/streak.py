"""The days in a row on which a learner was active, the freezes and pauses that keep them, and milestones."""

from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain import streaks
from headway.domain.errors import Invalid
from headway.domain.streaks import STANDARD, Streak, StreakRules
from headway.domain.times import day_of, local_day, ordinal
from headway.store import figures
from headway.store.figures import NO_STREAK
from headway.views.subject import Subject

DAYS_SHOWN: Final = 366
DAYS_SHOWN_MAX: Final = 3_660


class StreakSummary(Struct):
    """A streak in the overview; `freezes` is how many are held."""

    current: int
    longest: int
    last_active_on: str | None
    active_today: bool
    freezes: int


class MilestoneShown(Struct):
    """A length of a streak, and the first day on which the learner reached it; null if they have not."""

    days: int
    reached_on: str | None


class PauseShown(Struct):
    """A pause: from its first to its last day, both included, it ends no streak and uses no freeze."""

    id: str
    first_on: str = msgspec.field(name="from")
    last_on: str = msgspec.field(name="to")


class StreakProgress(Struct):
    """A streak with its days, freezes, pauses and milestones, oldest first.

    `next_freeze_in` is how many days earn the next freeze; null if `freezes_max` are held. `imported_longest` is a
    longer streak that another system recorded, without its events; null if there is none.
    """

    current: int
    longest: int
    last_active_on: str | None
    active_today: bool
    time_zone: str
    freezes: int
    freezes_max: int
    next_freeze_in: int | None
    days: list[str]
    freezes_earned_on: list[str]
    freezes_spent_on: list[str]
    pauses: list[PauseShown]
    milestones: list[MilestoneShown]
    imported_longest: int | None


def read_streak(
    connection: Connection, subject: Subject, now: int, days: int = DAYS_SHOWN, rules: StreakRules = STANDARD
) -> StreakProgress:
    """A learner's streak at a time, with the active days, freezes and pauses of the last `days` days."""
    if not 1 <= days <= DAYS_SHOWN_MAX:
        raise Invalid(f"days must be from 1 to {DAYS_SHOWN_MAX}", field="days")
    known, rests, elsewhere = (
        NO_STREAK if subject.learner_id is None else figures.streak(connection, subject.learner_id)
    )
    today = local_day(now, subject.time_zone)
    found = streaks.streak(known, today, rules)
    first = ordinal(today) - days
    return StreakProgress(
        found.current,
        found.longest,
        found.last_active_on,
        found.active_today,
        subject.time_zone,
        found.freezes,
        rules.freezes_max,
        found.next_freeze_in,
        [day_of(day) for day in sorted(known.active) if day > first],
        [day for day in found.earned_on if ordinal(day) > first],
        [day for day in found.spent_on if ordinal(day) > first],
        [PauseShown(*one) for one in rests if ordinal(one.last_on) > first],
        [MilestoneShown(*one) for one in found.milestones],
        elsewhere if elsewhere > found.longest else None,
    )


def summary(found: Streak) -> StreakSummary:
    """Return a streak for the overview."""
    return StreakSummary(found.current, found.longest, found.last_active_on, found.active_today, found.freezes)
