"""Counted numbers: how many there are of each, and which lie in the middle, exactly."""

from collections.abc import Mapping
from typing import TypeAlias

Counted: TypeAlias = Mapping[int, int]


def size(counted: Counted) -> int:
    """How many numbers there are."""
    return sum(counted.values())


def total(counted: Counted) -> int:
    """What they add up to."""
    return sum(value * n for value, n in counted.items())


def number_at(counted: Counted, place: int) -> int:
    """The number at a place, from 0, of all in order; LookupError where there are not so many."""
    for value in sorted(counted):
        place -= counted[value]
        if place < 0:
            return value
    raise LookupError("there are not so many numbers")


def middle(counted: Counted) -> tuple[int, int] | None:
    """The two numbers whose mean is the median, which are one and the same where their number is odd; None of none."""
    n = size(counted)
    return (number_at(counted, (n - 1) // 2), number_at(counted, n // 2)) if n > 0 else None


def median(counted: Counted) -> float | None:
    """The true median; None where there are none."""
    found = middle(counted)
    return None if found is None else sum(found) / 2
