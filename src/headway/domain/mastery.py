"""Mastery: how likely a learner gets an exercise of a topic right now, and how certain that is.

The proportion of successes with an exponential kernel, which predicted best of those compared by Galyardt and Goldin,
Move your lamp post: recent data reflects learner knowledge better than older data, Journal of Educational Data Mining
7(2), 2015; here read as a Beta posterior that discounts older evidence, which gives the bounds as well.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from math import exp, lgamma, log, log1p
from typing import Final, NamedTuple, TypeAlias

from headway.domain.scores import FULL

# An answer weighs half as much as one HALF_LIFE answers later; those beyond ANSWERS_MAX would weigh next to nothing.
HALF_LIFE: Final = 10
ANSWERS_MAX: Final = 100
# A uniform prior: of a learner about whom nothing is known, every proportion is equally likely.
_PRIOR: Final = 1.0
_TAIL: Final = 0.05
_WEIGHTS: Final = tuple(0.5 ** (n / HALF_LIFE) for n in range(ANSWERS_MAX))
_CLOSE: Final = 1e-9
_TINY: Final = 1e-300
_TERMS_MAX: Final = 500


# An answer to an exercise: (time, event id, score in millionths).
Answer: TypeAlias = tuple[int, str, int]


class Mastery(NamedTuple):
    """The estimate and the bounds of its 90 % interval; all from 0 to 1, rounded to four decimals."""

    estimate: float
    low: float
    high: float


def mastery(answers: Iterable[Answer]) -> Mastery | None:
    """The mastery shown by answers to exercises of one topic, given in any order; None without answers."""
    latest = sorted(answers, reverse=True)[:ANSWERS_MAX]
    if not latest:
        return None
    weight = sum(_WEIGHTS[: len(latest)])
    right = sum(each * score for each, (_, _, score) in zip(_WEIGHTS, latest, strict=False)) / FULL
    return _posterior(_PRIOR + right, _PRIOR + max(0.0, weight - right))


@lru_cache(maxsize=4096)
def _posterior(right: float, wrong: float) -> Mastery:
    """The mean of a Beta distribution, and its quantiles at 5 and 95 %."""
    found = (right / (right + wrong), beta_quantile(right, wrong, _TAIL), beta_quantile(right, wrong, 1 - _TAIL))
    return Mastery(*(round(one, 4) for one in found))


def beta_quantile(a: float, b: float, share: float) -> float:
    """The quantile of a Beta distribution (a and b at least 1) at the probability `share`."""
    norm = lgamma(a + b) - lgamma(a) - lgamma(b)
    low, high, at = 0.0, 1.0, a / (a + b)
    while high - low > _CLOSE:
        off = beta_cdf(a, b, at) - share
        low, high = (low, at) if off > 0 else (at, high)
        density = exp(norm + (a - 1) * log(at) + (b - 1) * log1p(-at))
        step = at - off / density if density > _TINY else low
        if abs(step - at) < _CLOSE:
            return step
        # Newton's step while it stays within the bracket, else bisection.
        at = step if low < step < high else (low + high) / 2
    return at


def beta_cdf(a: float, b: float, x: float) -> float:
    """The share of a Beta distribution that lies below x: its continued fraction, DLMF 8.17.22."""
    if not 0.0 < x < 1.0:
        return float(x >= 1.0)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front / (a * _fraction(lambda n: _coefficient(a, b, x, n)))
    return 1 - front / (b * _fraction(lambda n: _coefficient(b, a, 1 - x, n)))


def _coefficient(a: float, b: float, x: float, n: int) -> float:
    m, is_odd = divmod(n, 2)
    if is_odd:
        return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))


def _fraction(coefficient: Callable[[int], float]) -> float:
    """1 + c1 / (1 + c2 / (1 + …)), by Lentz's method as modified by Thompson and Barnett (1986)."""
    value, c, d = 1.0, 1.0, 0.0
    for n in range(1, _TERMS_MAX):
        each = coefficient(n)
        d = 1 + each * d
        c = 1 + each / c
        d, c = 1 / (d or _TINY), c or _TINY
        value *= c * d
        if abs(c * d - 1) < _CLOSE / 1000:
            break
    return value
