"""Medians and quartiles against those of the standard library."""

from fractions import Fraction
from statistics import median, quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.spread import Spread, spread


def test_of_nothing_there_is_no_middle() -> None:
    assert spread([]) is None


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([7], (7, 7, 7)),
        ([2, 1], (Fraction(5, 4), Fraction(3, 2), Fraction(7, 4))),
        ([3, 1, 2], (Fraction(3, 2), 2, Fraction(5, 2))),
        ([0, 0, 0, 1_000_000], (0, 0, 250_000)),
        ([1, 2, 3, 4, 5], (2, 3, 4)),
    ],
)
def test_the_middle_of_few_is_where_anybody_would_look_for_it(
    numbers: list[int], expected: tuple[Fraction, ...]
) -> None:
    assert spread(numbers) == Spread(*map(Fraction, expected))


@given(st.lists(st.integers(0, 1_000_000), min_size=2, max_size=60))
def test_quartiles_are_those_of_the_standard_library(numbers: list[int]) -> None:
    exact = [Fraction(one) for one in numbers]
    found = spread(numbers)
    assert found is not None
    assert list(found) == quantiles(exact, n=4, method="inclusive")
    assert found.median == median(exact)
