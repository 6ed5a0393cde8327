"""Ranges of days in requests."""

from datetime import date
from typing import Final, NamedTuple

from headway.domain.errors import Invalid
from headway.domain.periods import Range
from headway.domain.times import ordinal, parse_day

DAYS_SHOWN: Final = 30


class AskedRange(NamedTuple):
    """A requested range: two days, each of which may be left out, or a number of days up to today."""

    first: str | None = None
    last: str | None = None
    days: int | None = None


def range_asked(asked: AskedRange, today: str, days_max: int) -> Range:
    """Return the first and the last day of a requested range.

    Without a last day it ends today; without a first it has `days` days, 30 unless given. Raise Invalid for a wrong
    range, and for more than `days_max` days.
    """
    if asked.days is not None and (asked.first is not None or asked.last is not None):
        raise Invalid("days goes without from and to; send either", field="days")
    if asked.days is not None and not 1 <= asked.days <= days_max:
        raise Invalid(f"days must be from 1 to {days_max}", field="days")
    last = today if asked.last is None else parse_day(asked.last, field="to")
    if asked.first is None:
        return Range(_first_of(last, asked.days or DAYS_SHOWN), last)
    first = parse_day(asked.first, field="from")
    if first > last:
        raise Invalid(f"from must not lie after {last}, the last day", field="from")
    if ordinal(last) - ordinal(first) >= days_max:
        raise Invalid(f"the range is longer than {days_max} days; ask for less at a time", field="from")
    return Range(first, last)


def _first_of(last: str, days: int) -> str:
    """Return the first of `days` days up to the last, not before the year 1."""
    return date.fromordinal(max(1, ordinal(last) - days + 1)).isoformat()
