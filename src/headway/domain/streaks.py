"""Days in a row: a function of the set of active days alone."""

from collections.abc import Collection
from itertools import pairwise
from typing import Final, NamedTuple

from headway.domain.times import ordinal

# The day of an event and a learner's today are at most two days apart: offsets and zones span less than 48 hours.
AHEAD_DAYS_MAX: Final = 2


class Streak(NamedTuple):
    """Consecutive active days; alive while the last of them is today or yesterday."""

    current: int
    longest: int
    last_active_on: str | None
    active_today: bool


def streak(active_days: Collection[str], today: str) -> Streak:
    """The streak as of the learner's today. A day ahead of it (activity from further east) counts as today."""
    days = sorted(active_days)
    if not days:
        return Streak(0, 0, None, False)
    longest = length = 1
    for before, after in pairwise(days):
        length = length + 1 if ordinal(after) - ordinal(before) == 1 else 1
        longest = max(longest, length)
    alive = ordinal(today) - ordinal(days[-1]) <= 1
    return Streak(length if alive else 0, longest, days[-1], days[-1] >= today)


def current_streak(active: Collection[int], today: int) -> int:
    """`streak(…).current` of day ordinals, in time that grows with the streak alone."""
    last = next((day for day in range(today + AHEAD_DAYS_MAX, today - 2, -1) if day in active), None)
    if last is None:
        return 0
    first = last
    while first - 1 in active:
        first -= 1
    return last - first + 1


def streaks_over(active: Collection[int], first: int, last: int) -> list[int]:
    """The current streak as it was on each day from first to last, all as day ordinals; no day sees a later one."""
    length = 0
    while first - 1 - length in active:
        length += 1
    found = []
    for day in range(first, last + 1):
        before, length = length, length + 1 if day in active else 0
        found.append(length or before)
    return found
