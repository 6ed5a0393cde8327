"""Predictions: when a learner reaches a goal at the pace of the last four weeks, or why that cannot be predicted."""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Final, NamedTuple

DAYS: Final = 28
_WEEK: Final = 7
# A prediction takes at least ACTIVE_MIN days with something done, and reaches at most AHEAD_MAX days ahead.
ACTIVE_MIN: Final = 3
AHEAD_MAX: Final = 730
TOO_LITTLE: Final = f"not enough to say: nothing of this on {ACTIVE_MIN} days of the last four weeks"
TOO_FAR: Final = "not enough to say: at this pace it lies more than two years ahead"


class Forecast(NamedTuple):
    """The expected day, and the range in which it lies; all as ordinals."""

    expected: int
    low: int
    high: int


def forecast(remaining: int, done: Mapping[int, int], today: int) -> Forecast | str:
    """When `remaining` is done, given how much was done on each day (ordinal); or why that cannot be predicted.

    The pace is the mean of the last 28 days, or of those since the first day with anything done, but of 7 at least.
    The earliest day takes the best week's pace, the latest the worst week's, but at least half of the mean.
    """
    recent = {day: much for day, much in done.items() if today - DAYS < day <= today and much > 0}
    if len(recent) < ACTIVE_MIN:
        return TOO_LITTLE
    span = min(DAYS, max(_WEEK, today - min(day for day, much in done.items() if much > 0) + 1))
    mean = Fraction(sum(recent.values()), span)
    weeks = [_in_week(recent, today - _WEEK * n) for n in range(span // _WEEK)]
    fast, slow = max(mean, *weeks), min(mean, max(mean / 2, min(weeks)))
    found = Forecast(*(today + ceil(max(0, remaining) / pace) for pace in (mean, fast, slow)))
    return TOO_FAR if found.expected - today > AHEAD_MAX else found


def _in_week(recent: Mapping[int, int], last: int) -> Fraction:
    """The daily pace of the seven days that end with `last`."""
    return Fraction(sum(much for day, much in recent.items() if last - _WEEK < day <= last), _WEEK)
