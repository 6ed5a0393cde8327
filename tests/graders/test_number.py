"""A number, compared exactly, within a tolerance."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.graders.registry import public_grader
from tests.graders.configurations import graded, only_fault, refusal, short

FULL = 1_000_000
NAN, INFINITY = float("nan"), float("inf")


def number(answer: object, **fields: Any) -> dict[str, Any]:
    return {"type": "number", "answer": answer, **fields}


@pytest.mark.parametrize(
    ("config", "response", "right"),
    [
        (number(42), 42, True),
        (number(42), 42.0, True),
        (number(42), "42", True),
        (number(42), " +42.00 ", True),
        (number(42), "4.2e1", True),
        (number("42"), 42, True),
        (number(42), 43, False),
        (number(0), "-0.0", True),
        (number(0), "0e-999", True),
        (number(-1.5), "-1.5", True),
        (number(0.5), ".5", True),
        (number(5), "5.", True),
        (number(0.3), "0.30000000000000004", False),
        (number("0.1000000000000000000000000000000001"), "0.1", False),
        (number("0.1000000000000000000000000000000001"), "0.1000000000000000000000000000000001", True),
        (number(3.14, tolerance=0.01), 3.15, True),
        (number(3.14, tolerance=0.01), 3.13, True),
        (number(3.14, tolerance=0.01), "3.1500000000000000000000001", False),
        (number(1.1, tolerance=0.1), 1.2, True),
        (number(0.3, tolerance=0.1), 0.4, True),
        (number(200, tolerance_percent=5), 210, True),
        (number(200, tolerance_percent=5), 210.0001, False),
        (number(-200, tolerance_percent=5), -190, True),
        (number(0, tolerance_percent=5), 0.0001, False),
        (number(100, tolerance=1, tolerance_percent=5), 105, True),
        (number(100, tolerance=10, tolerance_percent=5), 109, True),
        (number(100, tolerance=0), 100, True),
        (number(100, tolerance=None), 100, True),
        (number(1), 10**300, False),
        (number(1e300), 10**300, True),
        (number(5e-324), 5e-324, True),
        (number(1), "1e-400", False),
    ],
    ids=short,
)
def test_a_response_is_right_within_the_tolerance(config: dict[str, Any], response: object, right: bool) -> None:
    assert graded(config, response).score == (FULL if right else 0)


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ("3,5", "response must be a number with a decimal point and no commas, such as 3.5 or 1200"),
        ("1,200", "no commas"),
        ("three", "'three' is none"),
        ("", "'' is none"),
        ("1 000", "'1 000' is none"),
        ("1/2", "'1/2' is none"),
        ("0x10", "'0x10' is none"),
        ("1_000", "'1_000' is none"),
        ("NaN", "'NaN' is none"),
        ("Infinity", "'Infinity' is none"),
        ("٣", "'٣' is none"),
        ("1e999999999", "is none"),
        ("1e401", "'1e401' is none"),
        ("1e-9999", "is none"),
        ("9" * 101, "is none"),
        ("\ud800", "'\\ud800' is none"),
        (NAN, "not infinity or no number at all"),
        (INFINITY, "not infinity or no number at all"),
        (-INFINITY, "not infinity or no number at all"),
        (True, "not true or false"),
        (False, "not true or false"),
        (None, "not null"),
        ([3], "not a list"),
        (10**5000, "a number of at most 400 digits"),
    ],
    ids=short,
)
def test_a_response_that_is_no_number_is_refused(response: object, said: str) -> None:
    assert said in refusal(number(3.5, tolerance=0.1), response)


def test_numbers_right_and_wrong_can_have_comments() -> None:
    config = number(42, feedback={"24": "Turned round.", "42.0": "That is it."}, when_wrong="No.")
    assert graded(config, 24.0) == (0, "Turned round.")
    assert graded(config, "42") == (FULL, "That is it.")
    assert graded(config, 1) == (0, "No.")


def test_a_learner_sees_no_answer() -> None:
    assert public_grader(number(42, tolerance=3, feedback={"1": "x"})) == {"type": "number"}


@pytest.mark.parametrize(
    ("config", "path", "said"),
    [
        ({"type": "number"}, "answer", "is missing"),
        (number("3,5"), "answer", "such as 3.5 or -1.2e3, not '3,5'"),
        (number(True), "answer", "not true or false"),
        (number([1]), "answer", "not a list"),
        (number(NAN), "answer", "not infinity or no number at all"),
        (number("1e500"), "answer", "at most 400 digits"),
        (number(1, tolerance=-1), "tolerance", "must not be below 0"),
        (number(1, tolerance="wide"), "tolerance", "not 'wide'"),
        (number(1, tolerance=False), "tolerance", "not true or false"),
        (number(1, tolerance_percent=-0.1), "tolerance_percent", "must not be below 0"),
        (number(1, tolerance_percent=INFINITY), "tolerance_percent", "not infinity"),
        (number(1, tolerence=1), "tolerence", "did you mean 'tolerance'?"),
        (number(1, feedback={"one": "x"}), "feedback", "not 'one'"),
    ],
    ids=short,
)
def test_a_fault_is_named(config: dict[str, Any], path: str, said: str) -> None:
    found_path, message = only_fault(config)
    assert found_path == path
    assert said in message


DECIMALS = st.decimals(-(10**9), 10**9, places=6)


@given(DECIMALS, DECIMALS, st.decimals(0, 1_000, places=6), st.decimals(0, 100, places=3))
def test_it_is_right_exactly_where_fractions_say_so(
    answer: Decimal, response: Decimal, tolerance: Decimal, percent: Decimal
) -> None:
    config = number(str(answer), tolerance=str(tolerance), tolerance_percent=str(percent))
    allowed = max(Fraction(tolerance), abs(Fraction(answer)) * Fraction(percent) / 100)
    near = answer + tolerance
    for sent in (response, near, near + Decimal("0.000001")):
        right = abs(Fraction(sent) - Fraction(answer)) <= allowed
        assert graded(config, f"{sent:f}").score == (FULL if right else 0)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_answers_itself(value: float) -> None:
    assert graded(number(value), value).score == FULL
    assert graded(number(value), repr(value)).score == FULL
