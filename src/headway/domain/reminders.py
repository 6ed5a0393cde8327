"""Reminders, which nothing that a learner does brings about: a streak that ends tonight, the summary of a week."""

from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from headway.domain.notices import STREAK_AT_RISK, WEEKLY_SUMMARY
from headway.domain.progress import PeriodSum
from headway.domain.scores import mean_percent
from headway.domain.streaks import StreakDays, StreakRules, current, last_kept
from headway.domain.times import SECOND, day_of, local_day, ordinal, zone

EVENING_HOUR: Final = 19
MORNING_HOUR: Final = 8
WEEK: Final = 7
_MONDAY: Final = 1


def came_within(zone_name: str, hour: int, since: int, until: int) -> str | None:
    """The day whose `hour` struck in the zone after `since` and up to `until` (less than a day apart), else None."""
    day = local_day(until, zone_name)
    year, month, of_month = map(int, day.split("-"))
    struck = datetime(year, month, of_month, hour, tzinfo=zone(zone_name) if zone_name != "UTC" else UTC)
    return day if since < int(struck.timestamp()) * SECOND <= until else None


def streak_at_risk(days: StreakDays, today: str, rules: StreakRules) -> int | None:
    """The length of the streak that ends with today unless the learner becomes active; None where none does.

    A streak that a freeze or a pause keeps is not at risk.
    """
    now, kept = ordinal(today), last_kept(days, rules)
    if kept is None or kept.day >= now:
        return None
    length = current(kept, now, days.paused, rules)
    return length if length and not current(kept, now + 1, days.paused, rules) else None


def at_risk(length: int, today: str) -> dict[str, Any]:
    """The reminder that a streak ends tonight, as it is told."""
    return {"type": STREAK_AT_RISK, "current": length, "day": today}


def is_monday(day: str) -> bool:
    """Whether a day is a Monday."""
    return ordinal(day) % WEEK == _MONDAY


class Week(NamedTuple):
    """A week that is over: its first and last day; `before` is the first day of the week before it."""

    first: str
    last: str
    before: str


def week_before(monday: str) -> Week:
    """The week that ended before a Monday."""
    return Week(*(day_of(ordinal(monday) - days) for days in (WEEK, 1, 2 * WEEK)))


class WeekDone(NamedTuple):
    """What a learner did in two weeks: sums by day, and points of achievements by day."""

    days: list[tuple[str, PeriodSum]]
    earned: list[tuple[str, int]]

    def within(self, first: str, last: str) -> "WeekDone":
        """Only the days from first to last."""
        days = [one for one in self.days if first <= one[0] <= last]
        return WeekDone(days, [one for one in self.earned if first <= one[0] <= last])


def summary(week: Week, done: WeekDone, streak: int) -> dict[str, Any] | None:
    """The summary of a week, and of the one before, as it is told; None where the learner was not active in it."""
    figures = _figures(done.within(week.first, week.last))
    if not figures["active_days"]:
        return None
    told = {"type": WEEKLY_SUMMARY, "from": week.first, "to": week.last, "streak": streak}
    return told | figures | {"week_before": _figures(done.within(week.before, day_of(ordinal(week.first) - 1)))}


def _figures(done: WeekDone) -> dict[str, Any]:
    total = sum((one for _, one in done.days), PeriodSum())
    return {
        "active_days": len({day for day, one in done.days if one.activities}),
        "steps_completed": total.steps_completed,
        "exercises_completed": total.exercises_completed,
        "attempts": total.attempts,
        "average_percent": mean_percent(total.score_total, total.scores),
        "duration_s": total.duration_ms / 1000,
        "points": total.points + sum(points for _, points in done.earned),
    }
