"""Exact medians and quartiles of whole numbers, for averages alone say little."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of some numbers, and the bounds of their middle half."""

    low: Fraction
    median: Fraction
    high: Fraction


def spread(numbers: Sequence[int]) -> Spread | None:
    """The quartiles of numbers in any order; None where there are none.

    Between two numbers they are interpolated: method 7 of Hyndman and Fan, Sample quantiles in statistical packages
    (1996), which is what spreadsheets and numpy do.
    """
    if not numbers:
        return None
    ordered = sorted(numbers)
    return Spread(*(_quartile(ordered, quarter) for quarter in (1, 2, 3)))


def _quartile(ordered: Sequence[int], quarter: int) -> Fraction:
    place, rest = divmod((len(ordered) - 1) * quarter, 4)
    if not rest:
        return Fraction(ordered[place])
    return Fraction(ordered[place] * (4 - rest) + ordered[place + 1] * rest, 4)
