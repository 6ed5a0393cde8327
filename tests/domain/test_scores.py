"""A3 of the mission: one scale for every client's scores. The tables are the requirement, line by line."""

import json
import tracemalloc
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.scores import (
    FULL,
    ScoreInvalid,
    cut,
    fraction,
    mean_percent,
    normalize_score,
    percent,
    ratio_percent,
)


@pytest.mark.parametrize(
    ("sent", "millionths"),
    [
        # 0 to 1 stays.
        (0, 0),
        (0.0, 0),
        (-0.0, 0),
        (0.5, 500_000),
        (0.85, 850_000),
        (1, FULL),
        (1.0, FULL),
        # Above 1 up to 100 is a percentage.
        (1.5, 15_000),
        (2, 20_000),
        (85, 850_000),
        (79.995, 799_950),
        (99.99999, FULL),
        (99.99994, 999_999),
        (100, FULL),
        (100.0, FULL),
        # What lies outside is cut off.
        (100.0001, FULL),
        (101, FULL),
        (10**4000, FULL),
        (1e308, FULL),
        (-0.1, 0),
        (-1, 0),
        (-(10**4000), 0),
        # Numeric text.
        ("85", 850_000),
        ("0.85", 850_000),
        (" 85 ", 850_000),
        ("+85", 850_000),
        ("-5", 0),
        (".5", 500_000),
        ("1.", FULL),
        ("8.5e1", 850_000),
        ("79.995", 799_950),
        ("1e308", FULL),
        ("1e999999", FULL),
        ("-1e999999", 0),
        ("1e-999999", 0),
        ("0e999999", 0),
        # Nothing stays nothing.
        (None, None),
        # Rounded once, to the nearest millionth, halves up.
        (5e-324, 0),
        (0.0000004, 0),
        (0.0000005, 1),
        (0.1234565, 123_457),
        (12.34565, 123_457),
        ("0.12345649999999999999999999999999999", 123_456),
        ("12.345649999999999999999999999999999999", 123_456),
        ("0." + "9" * 60, FULL),
    ],
)
def test_a_bare_score_comes_to_its_millionths(sent: object, millionths: int | None) -> None:
    assert normalize_score(sent) == millionths


@pytest.mark.parametrize(
    ("sent", "millionths"),
    [
        ({"raw": 1, "max": 100}, 10_000),
        ({"raw": 1, "max": 1}, FULL),
        ({"raw": 85, "max": 100}, 850_000),
        ({"raw": 1, "max": 3}, 333_333),
        ({"raw": 2, "max": 3}, 666_667),
        ({"raw": "2", "min": "0", "max": "3"}, 666_667),
        ({"raw": 0, "min": -10, "max": 10}, 500_000),
        ({"raw": 15, "min": 10, "max": 20}, 500_000),
        ({"raw": 5, "min": 10, "max": 20}, 0),
        ({"raw": 25, "min": 10, "max": 20}, FULL),
        ({"raw": 79.995, "max": 100}, 799_950),
        ({"raw": 1e15, "max": 1e15}, FULL),
        ({"raw": 1e-15, "max": 2e-15}, 500_000),
        ({"raw": 5.551115123125783e-17, "max": 1}, 0),
        ({"raw": "1e-999999", "max": 1}, 0),
        ({"scaled": 0.5}, 500_000),
        ({"scaled": 1}, FULL),
        ({"scaled": 1.5}, FULL),
        ({"scaled": 85}, FULL),
        ({"scaled": -0.5}, 0),
        ({"scaled": "0.25"}, 250_000),
        ({"scaled": "1e999999"}, FULL),
        ({"scaled": "1e-999999"}, 0),
    ],
)
def test_a_score_that_says_its_scale_is_not_guessed(sent: object, millionths: int) -> None:
    assert normalize_score(sent) == millionths


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (float("nan"), "score"),
        (float("inf"), "score"),
        (float("-inf"), "score"),
        ("NaN", "score"),
        ("sNaN", "score"),
        ("Infinity", "score"),
        ("-inf", "score"),
        ("full marks", "score"),
        ("", "score"),
        (" ", "score"),
        ("85%", "score"),
        ("85 %", "score"),
        ("8,5", "score"),
        ("1_000", "score"),
        ("0x10", "score"),
        ("1e9999999", "score"),
        ("1/2", "score"),
        ("٨٥", "score"),
        ("\ud800", "score"),
        ("5\0", "score"),
        ("1" * 65, "score"),
        (True, "score"),
        (False, "score"),
        ([], "score"),
        ([85], "score"),
        (b"85", "score"),
        ({}, "score"),
        ({"raw": 5}, "score"),
        ({"max": 5}, "score"),
        ({"min": 0, "max": 5}, "score"),
        ({"raw": 1, "max": 2, "scaled": 0.5}, "score"),
        ({"scaled": 0.5, "min": 0}, "score"),
        ({"raw": 1, "max": 2, "extra": 3}, "score"),
        ({"raw": None, "max": 2}, "score.raw"),
        ({"raw": True, "max": 2}, "score.raw"),
        ({"raw": float("nan"), "max": 2}, "score.raw"),
        ({"raw": 1, "min": None, "max": 2}, "score.min"),
        ({"raw": 1, "max": "most"}, "score.max"),
        ({"raw": 1, "max": float("inf")}, "score.max"),
        ({"scaled": None}, "score.scaled"),
        ({"scaled": False}, "score.scaled"),
        ({"scaled": {"scaled": 1}}, "score.scaled"),
        ({"raw": 1, "max": 0}, "score.max"),
        ({"raw": 1, "min": 2, "max": 2}, "score.max"),
        ({"raw": 1, "min": 3, "max": 2}, "score.max"),
        ({"raw": 1, "max": "1e999999"}, "score"),
    ],
)
def test_anything_else_is_refused_and_says_where(sent: object, field: str) -> None:
    with pytest.raises(ScoreInvalid) as refusal:
        normalize_score(sent)
    assert refusal.value.field == field
    assert refusal.value.detail


@pytest.mark.parametrize(
    "sent", ["1e999999", "-1e999999", "1e-999999", {"scaled": "1e999999"}, {"raw": "1e9", "max": 3}]
)
def test_no_score_is_written_out_with_its_million_digits(sent: object) -> None:
    tracemalloc.start()
    try:
        normalize_score(sent)
        assert tracemalloc.get_traced_memory()[1] < 20_000
    finally:
        tracemalloc.stop()


@given(st.fractions(0, 1, max_denominator=10**6))
def test_a_raw_score_of_a_maximum_is_the_nearest_millionth(share: Fraction) -> None:
    score = normalize_score({"raw": share.numerator, "max": share.denominator})
    assert score is not None
    assert abs(Fraction(score, FULL) - share) <= Fraction(1, 2 * FULL)


@given(st.decimals(0, 1, places=8) | st.decimals("1.00000001", 100, places=8))
def test_text_number_and_percentage_agree(value: Decimal) -> None:
    exact = Fraction(value) if value <= 1 else Fraction(value) / 100
    nearest = (exact.numerator * FULL * 2 + exact.denominator) // (exact.denominator * 2)
    assert normalize_score(str(value)) == normalize_score(float(value)) == nearest


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.dictionaries(st.sampled_from(["raw", "min", "max", "scaled", "x"]), inner) | st.lists(inner),
        max_leaves=5,
    )
)
def test_whatever_is_sent_comes_to_a_score_or_a_refusal(sent: Any) -> None:
    try:
        score = normalize_score(sent)
    except ScoreInvalid:
        return
    assert score is None or 0 <= score <= FULL


@pytest.mark.parametrize(
    ("millionths", "shown"),
    [
        (None, None),
        (0, 0),
        (10_000, 1),
        (799_950, 80),
        (799_940, 79.99),
        (333_333, 33.33),
        (999_999, 99.99),
        (FULL, 100),
    ],
)
def test_a_percentage_is_0_to_100_and_only_a_perfect_run_says_100(millionths: int | None, shown: float | None) -> None:
    assert percent(millionths) == shown
    if shown is not None:
        assert json.dumps(shown) == json.dumps(round(shown, 2))


def test_a_mean_is_worked_out_once_from_whole_numbers() -> None:
    assert mean_percent(700_000 + 800_000 + 900_000, 3) == 80
    assert mean_percent(1, 3) == 0
    assert mean_percent(0, 0) is None
    assert mean_percent(3 * FULL - 1, 3) == 99.99
    assert ratio_percent(1, 3) == 33.33
    assert ratio_percent(2, 3) == 66.67


@given(st.integers(0, FULL), st.integers(0, 100))
def test_a_percentage_that_is_cut_stands_on_its_side_of_a_mark(millionths: int, mark: int) -> None:
    told = [cut(100 * millionths / FULL, places) for places in (0, 1, 2)]
    assert [one >= mark for one in told] == [millionths * 100 >= mark * FULL] * len(told)


def test_a_score_is_given_out_as_0_to_1() -> None:
    assert fraction(None) is None
    assert fraction(799_950) == 0.79995
