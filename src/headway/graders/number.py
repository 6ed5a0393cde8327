"""The grader for a number, compared exactly or within a tolerance."""

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple

from headway.domain.faults import Fault, show
from headway.domain.fields import Fields, exact_number, kind_of
from headway.graders.configuration import comments_by_answer, opened
from headway.graders.verdict import ResponseInvalid, Verdict, decided

TEXT_MAX: Final = 100
# More than a float can hold; a number such as 1e999999999 would be written out digit by digit.
SIZE_MAX: Final = Decimal("1e400")
_EXPONENT_MIN: Final = -500
_TEXT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


class _Expected(NamedTuple):
    answer: Fraction
    tolerance: Fraction
    comments: Mapping[Fraction, str]


def check(config: Mapping[str, Any]) -> list[Fault]:
    """The faults of a configuration: `answer`, and `tolerance` or `tolerance_percent`; of both, the wider counts."""
    fields = opened(config, ("answer", "tolerance", "tolerance_percent", "feedback"))
    if fields.require("answer") is not None:
        _check_number(fields, "answer", config["answer"])
    for name in ("tolerance", "tolerance_percent"):
        if config.get(name) is not None:
            _check_tolerance(fields, name, config[name])
    for number in comments_by_answer(fields):
        _check_number(fields, "feedback", number)
    return fields.faults.listed()


def grade(config: Mapping[str, Any], response: object) -> Verdict:
    """The verdict on a number, or a text such as 3.5 or -1.2e3: right or wrong."""
    given = _given(response)
    feedback = config.get("feedback") or {}
    expected = _expected(
        config["answer"], config.get("tolerance"), config.get("tolerance_percent"), tuple(feedback.items())
    )
    right = abs(given - expected.answer) <= expected.tolerance
    return decided(config, right, expected.comments.get(given))


def public(config: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - every grader is called alike
    """What learners may see: that the answer is a number."""
    return {"type": "number"}


def exact(value: object) -> Fraction | None:
    """The value of a number, or of a text that writes one with a decimal point; None if it is none or out of bounds."""
    if isinstance(value, str):
        text = value.strip()
        number = Decimal(text) if len(text) <= TEXT_MAX and _TEXT.fullmatch(text) else None
    else:
        number = exact_number(value)
    if not number:
        return None if number is None else Fraction(0)
    # copy_abs, because abs would round to the 28 digits of the decimal context.
    in_bounds = number.copy_abs() <= SIZE_MAX and number.adjusted() >= _EXPONENT_MIN
    return Fraction(number) if in_bounds else None


def _given(response: object) -> Fraction:
    given = exact(response)
    if given is not None:
        return given
    if not isinstance(response, str):
        raise ResponseInvalid(f"response must be a number of at most 400 digits, not {kind_of(response)}")
    if "," in response:
        raise ResponseInvalid("response must be a number with a decimal point and no commas, such as 3.5 or 1200")
    raise ResponseInvalid(f"response must be a number, such as 3.5 or -1.2e3; {show(response)} is none")


@lru_cache(maxsize=1024)
def _expected(answer: Any, tolerance: Any, percent: Any, feedback: tuple[tuple[str, str], ...]) -> _Expected:
    value = exact(answer) or Fraction(0)
    absolute, relative = (exact(one) or Fraction(0) for one in (tolerance, percent))
    comments = {number: comment for text, comment in feedback if (number := exact(text)) is not None}
    return _Expected(value, max(absolute, abs(value) * relative / 100), comments)


def _check_number(fields: Fields, name: str, value: object) -> Fraction | None:
    number = exact(value)
    if number is None:
        what = show(value) if isinstance(value, str) else kind_of(value)
        fields.fault(name, f"must be a number of at most 400 digits, such as 3.5 or -1.2e3, not {what}")
    return number


def _check_tolerance(fields: Fields, name: str, value: object) -> None:
    number = _check_number(fields, name, value)
    if number is not None and number < 0:
        fields.fault(name, "must not be below 0; write how far an answer may be off either way")
