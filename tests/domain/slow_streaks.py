"""A streak lived through day by day, with freezes in a drawer: the slow model that the rules are held against."""

from collections.abc import Set as AbstractSet
from typing import NamedTuple


class Lived(NamedTuple):
    """How it stands when today begins to be lived."""

    current: int
    longest: int
    held: int
    earned: list[int]
    spent: list[int]


def live(
    active: AbstractSet[int],
    today: int,
    *,
    imported: AbstractSet[int] = frozenset(),
    paused: AbstractSet[int] = frozenset(),
    freeze_days: int = 7,
    freezes_max: int = 2,
) -> Lived:
    """Live through every day from the first active one to the last, or to today."""
    length = longest = drawer = toward_next = 0
    earned, spent = list[int](), list[int]()
    last = max([today, *active])
    for day in range(min([today, *active]), last + 1):
        if day in active:
            length += 1
            longest = max(longest, length)
            if day not in imported and drawer < freezes_max:
                toward_next += 1
            if toward_next == freeze_days:
                drawer, toward_next = drawer + 1, 0
                earned.append(day)
        elif day == last or day in paused or length == 0:
            pass  # not over yet; a rest; nothing to lose
        elif drawer:
            drawer -= 1
            spent.append(day)
        else:
            length = toward_next = 0
    return Lived(length, longest, drawer, earned, spent)
