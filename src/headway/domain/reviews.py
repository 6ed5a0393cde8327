"""Reviews: when an exercise is to be practiced again, by FSRS-6 as py-fsrs 6.3 works it out, a review a day.

Free Spaced Repetition Scheduler, Ye et al., A stochastic shortest path algorithm for optimizing spaced repetition
scheduling (KDD 2022), with its default weights: no chance, no clock.
"""

from collections.abc import Iterable
from math import exp
from typing import Final, NamedTuple

AGAIN, HARD, GOOD = 1, 2, 3
_EASY: Final = 4
# The weights w0 to w20, fitted by the model's authors to some hundred million reviews.
_W: Final = (
    *(0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666, 0.796, 1.4835, 0.0614, 0.2629),
    *(1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542),
)
# Practice is due when nine in ten would still know it.
_RETENTION: Final = 0.9
_DECAY: Final = -_W[20]
_FACTOR: Final = _RETENTION ** (1 / _DECAY) - 1
_STABILITY_MIN: Final = 0.001
_DIFFICULTY_MIN, _DIFFICULTY_MAX = 1.0, 10.0
_INTERVAL_MAX: Final = 36_500


class Practice(NamedTuple):
    """What was attempted of an exercise on a day (its ordinal); `unscored` wait for a grade."""

    day: int
    attempts: int
    passed: int
    unscored: int
    hints: int


class Card(NamedTuple):
    """How well an exercise is remembered: `stability` in days until nine in ten know it, `difficulty` 1 to 10."""

    stability: float
    difficulty: float
    day: int

    @property
    def due(self) -> int:
        """The day on which to practice again."""
        return self.day + min(max(round(self.stability), 1), _INTERVAL_MAX)

    def retrievability(self, day: int) -> float:
        """How likely it is still known on a day, 0 to 1."""
        return float((1 + _FACTOR * max(0, day - self.day) / self.stability) ** _DECAY)


def rating(one: Practice) -> int | None:
    """What a day's attempts say of what was remembered; None where none of them is scored yet.

    Nothing passed: again; passed after failures or with hints: hard; else good. How light it was nobody said.
    """
    if one.attempts <= one.unscored:
        return None
    if not one.passed:
        return AGAIN
    return HARD if one.hints or one.passed < one.attempts - one.unscored else GOOD


def card(practiced: Iterable[Practice]) -> Card | None:
    """The card of an exercise that was practiced on these days, each named once, in any order; None without a score."""
    known: Card | None = None
    for one in sorted(practiced):
        grade = rating(one)
        if grade is not None:
            known = _first(one.day, grade) if known is None else _next(known, one.day, grade)
    return known


def _first(day: int, grade: int) -> Card:
    return Card(max(_W[grade - 1], _STABILITY_MIN), _bounded(_initial_difficulty(grade)), day)


def _next(known: Card, day: int, grade: int) -> Card:
    forgotten = 1 - known.retrievability(day)
    if grade == AGAIN:
        stability = _after_forgetting(known, forgotten)
    else:
        growth = exp(_W[8]) * (11 - known.difficulty) * known.stability ** -_W[9] * (exp(forgotten * _W[10]) - 1)
        stability = known.stability * (1 + growth * (_W[15] if grade == HARD else 1))
    eased = known.difficulty - _W[6] * (grade - GOOD) * (_DIFFICULTY_MAX - known.difficulty) / 9
    difficulty = _W[7] * _initial_difficulty(_EASY) + (1 - _W[7]) * eased
    return Card(max(stability, _STABILITY_MIN), _bounded(difficulty), day)


def _after_forgetting(known: Card, forgotten: float) -> float:
    long = _W[11] * known.difficulty ** -_W[12] * ((known.stability + 1) ** _W[13] - 1) * exp(forgotten * _W[14])
    return float(min(long, known.stability / exp(_W[17] * _W[18])))


def _initial_difficulty(grade: int) -> float:
    return _W[4] - exp(_W[5] * (grade - 1)) + 1


def _bounded(difficulty: float) -> float:
    return min(max(difficulty, _DIFFICULTY_MIN), _DIFFICULTY_MAX)
