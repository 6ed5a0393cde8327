"""Periods of a learner's calendar, and how strong a learner is in a topic."""

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias

from headway.domain.errors import Invalid

Period: TypeAlias = Literal["day", "week", "month", "all"]
Strength: TypeAlias = Literal["strong", "even", "weak"]
PERIODS: Final = ("day", "week", "month", "all")
STRONG_FROM: Final = 800_000
WEAK_BELOW: Final = 600_000
# With fewer scores than these, strength is not judged.
SCORES_MIN: Final = 3


class Range(NamedTuple):
    """A range of days, first and last included."""

    first: str
    last: str


EVER: Final = Range("0001-01-01", "9999-12-31")


def parse_period(text: str) -> Period:
    """The period of that name; Invalid where there is none."""
    found = next((one for one in PERIODS if one == text), None)
    if found is None:
        raise Invalid(f"period must be one of {', '.join(PERIODS)}", field="period")
    return found


@lru_cache(maxsize=4096)
def iso_week(day: str) -> str:
    """The ISO week that a day lies in, as 2026-W09."""
    year, week, _ = date.fromisoformat(day).isocalendar()
    return f"{year:04}-W{week:02}"


def range_of(period: Period, today: str) -> Range:
    """The whole day, ISO week or month in which today lies; or all days."""
    day = date.fromisoformat(today)
    if period == "day":
        return Range(today, today)
    if period == "week":
        monday = day - timedelta(days=day.weekday())
        return Range(monday.isoformat(), (monday + timedelta(days=6)).isoformat())
    if period == "month":
        last = day.replace(day=monthrange(day.year, day.month)[1])
        return Range(day.replace(day=1).isoformat(), last.isoformat())
    return EVER


def strength(score_total: int, scores: int) -> Strength:
    """The strength of somebody with so many scores of this total (millionths)."""
    if scores < SCORES_MIN:
        return "even"
    if score_total >= STRONG_FROM * scores:
        return "strong"
    return "weak" if score_total < WEAK_BELOW * scores else "even"
