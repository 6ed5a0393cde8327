"""Reviews: when to practice an exercise again, by FSRS-6 as in py-fsrs 6.3, with one review a day.

Free Spaced Repetition Scheduler, Ye et al., A stochastic shortest path algorithm for optimizing spaced repetition
scheduling (KDD 2022), with its default weights; no randomness and no clock.
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
# A review is due when the retrievability has fallen to this.
_RETENTION: Final = 0.9
_DECAY: Final = -_W[20]
_FACTOR: Final = _RETENTION ** (1 / _DECAY) - 1
_STABILITY_MIN: Final = 0.001
_DIFFICULTY_MIN, _DIFFICULTY_MAX = 1.0, 10.0
_INTERVAL_MAX: Final = 36_500


class Practice(NamedTuple):
    """Attempts at an exercise on a day (an ordinal); `unscored` ones wait for a grade."""

    day: int
    attempts: int
    passed: int
    unscored: int
    hints: int


class Card(NamedTuple):
    """How well an exercise is remembered: `stability` in days until retrievability is 0.9, `difficulty` 1 to 10."""

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
    """The FSRS rating of a day's attempts; None where none of them is scored yet.

    None passed: again; passed after failures or with hints: hard; else good. Easy is never given: nobody says how easy
    it was.
    """
    _, attempts, passed, unscored, hints = one
    if attempts <= unscored:
        return None
    if not passed:
        return AGAIN
    return HARD if hints or passed < attempts - unscored else GOOD


def card(practiced: Iterable[Practice]) -> Card | None:
    """The card of an exercise practiced on these days, each given once, in any order; None where none has a rating."""
    last, stability, difficulty = 0, 0.0, 0.0
    for one in sorted(practiced):
        grade = rating(one)
        if grade is None:
            continue
        if not stability:
            stability, difficulty = _STABILITY_FIRST[grade], _DIFFICULTY_FIRST[grade]
        else:
            stability, difficulty = _next(stability, difficulty, one[0] - last, grade)
        last = one[0]
    return Card(stability, difficulty, last) if stability else None


def _next(stability: float, difficulty: float, days: int, grade: int) -> tuple[float, float]:
    """Stability and difficulty after a review so many days after the one before.

    Kept fast: a learner of many years has ten thousand reviews, all of which are computed whenever reviews are read.
    """
    forgotten = 1.0 - float((1.0 + _FACTOR * days / stability) ** _DECAY)
    eased = difficulty - _EASING[grade] * (_DIFFICULTY_MAX - difficulty)
    if grade == AGAIN:
        long = _W[11] * difficulty ** -_W[12] * ((stability + 1.0) ** _W[13] - 1.0) * exp(forgotten * _W[14])
        after = float(min(long, stability / _LAPSE))
    else:
        growth = _GROWTH[grade] * (11.0 - difficulty) * stability ** -_W[9] * (exp(forgotten * _W[10]) - 1.0)
        after = float(stability * (1.0 + growth))
    then = _REVERTED + (1.0 - _W[7]) * eased
    bounded = _DIFFICULTY_MIN if then < _DIFFICULTY_MIN else min(then, _DIFFICULTY_MAX)
    return max(after, _STABILITY_MIN), bounded


def _initial_difficulty(grade: int) -> float:
    return _W[4] - exp(_W[5] * (grade - 1)) + 1


# By grade, computed once.
_GRADES: Final = (AGAIN, HARD, GOOD)
_STABILITY_FIRST: Final = {grade: max(_W[grade - 1], _STABILITY_MIN) for grade in _GRADES}
_DIFFICULTY_FIRST: Final = {
    grade: min(max(_initial_difficulty(grade), _DIFFICULTY_MIN), _DIFFICULTY_MAX) for grade in _GRADES
}
_EASING: Final = {grade: _W[6] * (grade - GOOD) / 9 for grade in _GRADES}
_GROWTH: Final = {HARD: exp(_W[8]) * _W[15], GOOD: exp(_W[8])}
_LAPSE: Final = exp(_W[17] * _W[18])
_REVERTED: Final = _W[7] * _initial_difficulty(_EASY)
