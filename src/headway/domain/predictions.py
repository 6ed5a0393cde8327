"""Predictions: when a learner comes to something who goes on as in the last four weeks, or why that is not said."""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Final, NamedTuple

DAYS: Final = 28
_WEEK: Final = 7
# Of fewer days with anything in them nothing is said, nor of what lies further ahead.
ACTIVE_MIN: Final = 3
AHEAD_MAX: Final = 730
TOO_LITTLE: Final = f"not enough to say: nothing of this on {ACTIVE_MIN} days of the last four weeks"
TOO_FAR: Final = "not enough to say: at this pace it lies more than two years ahead"


class Forecast(NamedTuple):
    """On which day (its number) something is to be expected, and between which it lies."""

    expected: int
    low: int
    high: int


def forecast(remaining: int, done: Mapping[int, int], today: int) -> Forecast | str:
    """When so much more is done, by how much was done on each day; or the reason why that cannot be said.

    The pace is the mean of the last 28 days, or of those since the first on which anything was done, a week at least.
    The earliest day goes by the best week among them, the latest by the worst, which is half the mean pace at least.
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
    """The pace of the seven days up to the last."""
    return Fraction(sum(much for day, much in recent.items() if last - _WEEK < day <= last), _WEEK)
