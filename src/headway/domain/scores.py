"""Scores on one scale, 0 to 1 in whole millionths, so that sums of them are exact in any order."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from math import floor

from headway.domain.errors import Invalid

FULL = 1_000_000
_DECIMAL = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,6})?\s*", re.ASCII)
_TEXT_MAX = 64
_DUST = Decimal("1e-15")
_MILLIONTH = Decimal("0.000001")


class ScoreInvalid(Invalid):
    """The score is no score."""


def normalize_score(sent: object) -> int | None:
    """A score as a client sent it, in millionths; ScoreInvalid where it is none.

    Numbers and numeric text: 0 to 1 stay, above 1 up to 100 is a percentage, anything beyond is cut off.
    `{raw, min?, max}` and `{scaled}` state their scale, so that nothing is guessed. None stays None.
    """
    if sent is None:
        return None
    if type(sent) is float or type(sent) is int:
        return _of_number(sent)
    if isinstance(sent, Mapping):
        return _stated(sent)
    return _guessed(_number(sent, "score"))


# The scores of a course are few and come again and again.
@lru_cache(maxsize=4096)
def _of_number(sent: float) -> int:
    return _guessed(_number(sent, "score"))


def _guessed(value: Decimal) -> int:
    """A number without a scale: up to 1 it is the score, above it a percentage."""
    if value <= 1 or value >= 100:  # cut off first: 1e999999 as a fraction has a million digits
        return _millionths(value)
    return _millionths(Fraction(value) / 100)


def _stated(sent: Mapping[object, object]) -> int:
    keys = set(sent)
    if keys == {"scaled"}:
        return _millionths(_number(sent["scaled"], "score.scaled"))
    if not {"raw", "max"} <= keys <= {"raw", "min", "max"}:
        raise ScoreInvalid("score as an object is {raw, max}, {raw, min, max} or {scaled}", field="score")
    parts = sent["raw"], sent.get("min", 0), sent["max"]
    return _on_known_scale(*parts) if _ARE_NUMBERS.issuperset(map(type, parts)) else _on_scale(*parts)


def _on_scale(sent_raw: object, sent_low: object, sent_high: object) -> int:
    sent = {"raw": sent_raw, "min": sent_low, "max": sent_high}
    raw, low, high = (_number(one, f"score.{name}") for name, one in sent.items())
    if high <= low:
        raise ScoreInvalid("score.max must be above score.min", field="score.max")
    bottom = Fraction(_bounded(low))
    # A raw score such as 0.1 + 0.2 - 0.3 is a floating-point error and means 0.
    raw = Decimal(0) if abs(raw) < _DUST else raw
    return _millionths((Fraction(_bounded(raw)) - bottom) / (Fraction(_bounded(high)) - bottom))


_ARE_NUMBERS = frozenset({int, float})
# The cache takes 1 and 1.0 for one key, and they are the same score.
_on_known_scale = lru_cache(maxsize=4096)(_on_scale)


def _number(sent: object, field: str) -> Decimal:
    if isinstance(sent, bool) or not isinstance(sent, int | float | str):
        raise _no_number(field)
    if isinstance(sent, str) and (len(sent) > _TEXT_MAX or not _DECIMAL.fullmatch(sent)):
        raise _no_number(field)
    try:
        # repr of a float is the shortest decimal that means it: 79.995 stays 79.995.
        value = Decimal(repr(sent) if isinstance(sent, float) else sent)
    except InvalidOperation:
        raise _no_number(field) from None
    if not value.is_finite():
        raise _no_number(field)
    return value


def _no_number(field: str) -> ScoreInvalid:
    return ScoreInvalid(f"{field} must be a finite number (0 to 1, or a percentage up to 100), or null", field=field)


def _bounded(value: Decimal) -> Decimal:
    """The value; ScoreInvalid beyond any sensible scale: exact arithmetic would make a million digits of 1e999999."""
    if abs(value) > 1 / _DUST or (value and abs(value) < _DUST):
        raise ScoreInvalid("score.raw, score.min and score.max must lie between 1e-15 and 1e15 in size", field="score")
    return value


def _millionths(value: Decimal | Fraction) -> int:
    if value <= 0:
        return 0
    if value >= 1:
        return FULL
    if isinstance(value, Fraction):
        return (value.numerator * FULL * 2 + value.denominator) // (value.denominator * 2)
    # Not multiplied first, which would round twice: a text may have more digits than arithmetic keeps.
    return int(value.quantize(_MILLIONTH, ROUND_HALF_UP).scaleb(6))


def percent(millionths: int | None) -> float | None:
    """Millionths as a percentage with two decimals; a score below full is never shown as 100."""
    if millionths is None:
        return None
    return ratio_percent(millionths, FULL)


def mean_percent(total: int, count: int) -> float | None:
    """The mean, as a percentage, of `count` scores that sum to `total` millionths; None where there are none."""
    return ratio_percent(total, count * FULL) if count else None


def ratio_percent(part: int, whole: int) -> float:
    """Part of whole as a percentage with two decimals, rounded once; 100 only if the whole was reached."""
    hundredths = (part * 20_000 + whole) // (whole * 2)
    if part < whole and hundredths >= 10_000:
        hundredths = 9_999
    return hundredths / 100


def cut(percent: float, places: int) -> float:
    """A percentage with fewer decimals for display, cut and not rounded, so that it never shows a mark not reached."""
    scale = 10.0**places
    # 100 * 0.29 is slightly below 29, so round first; percentages have at most four decimals.
    return floor(round(percent * scale, 6)) / scale


def fraction(millionths: int | None) -> float | None:
    """Millionths as a number from 0 to 1, which is what the API's contract calls a score."""
    return None if millionths is None else millionths / FULL
