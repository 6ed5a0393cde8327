"""Exact statistics of counted whole numbers, given as {number: how often it occurs}."""

from collections.abc import Mapping
from typing import TypeAlias

Counted: TypeAlias = Mapping[int, int]


def size(counted: Counted) -> int:
    """How many numbers there are."""
    return sum(counted.values())


def total(counted: Counted) -> int:
    """The sum of all numbers."""
    return sum(value * n for value, n in counted.items())


def number_at(counted: Counted, place: int) -> int:
    """The number at an index, from 0, of all in ascending order; LookupError where there are too few."""
    for value in sorted(counted):
        place -= counted[value]
        if place < 0:
            return value
    raise LookupError("there are not so many numbers")


def middle(counted: Counted) -> tuple[int, int] | None:
    """The two middle numbers, whose mean is the median (twice the same for an odd count); None where there are none."""
    n = size(counted)
    return (number_at(counted, (n - 1) // 2), number_at(counted, n // 2)) if n > 0 else None


def median(counted: Counted) -> float | None:
    """The exact median; None where there are no numbers."""
    found = middle(counted)
    return None if found is None else sum(found) / 2
