"""What a module still lacks for its completion, in words: "12.4 points: two quizzes not attempted"."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from headway.domain.course import Module, Step
from headway.domain.module_scores import Lack, ModuleScore, StepSums
from headway.domain.progress import StepSum
from headway.domain.scores import FULL
from headway.domain.step_status import SUBMITTED, step_status

_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_PLURALS: Final[Mapping[str, str]] = {"quiz": "quizzes"}
_UNTOUCHED: Final = StepSum()
_UNTRIED, _UNDONE, _SHORT = "not attempted", "not completed", "below a full score"
_WAITING: Final = "waiting for a grade"
_LACKS: Final = (_UNTRIED, _UNDONE, _SHORT, _WAITING)


def points_to_go(module: Module, scored: ModuleScore) -> Fraction:
    """How far the score is below the pass mark, 0 to 1; 0 where the module is completed by its steps."""
    if module.complete_by == "steps":
        return Fraction(0)
    return max(Fraction(module.pass_mark, FULL) - scored.score, Fraction(0))


def reason(module: Module, missing: Sequence[Lack], sums: StepSums) -> str:
    """The missing steps, counted by what they lack and by kind, in words; empty where nothing is missing."""
    found: dict[str, list[Lack]] = {said: [] for said in _LACKS}
    for one in missing:
        found[_said(module, one.step, sums.get(one.step.key, _UNTOUCHED))].append(one)
    return ", ".join(f"{_counted(some)} {said}" for said, some in found.items() if some)


def _said(module: Module, step: Step, one: StepSum) -> str:
    if step_status(step, one) == SUBMITTED:
        return _WAITING
    if module.complete_by == "steps":
        return _UNDONE
    is_said = one.override is not None and one.override.is_score
    return _SHORT if one.attempts or one.completion is not None or is_said else _UNTRIED


def _counted(some: Sequence[Lack]) -> str:
    kinds = Counter(one.step.kind for one in some)
    *others, last = [f"{_number(count)} {_named(kind, count)}" for kind, count in kinds.items()]
    return f"{', '.join(others)} and {last}" if others else last


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def _named(kind: str, count: int) -> str:
    return kind if count == 1 else _PLURALS.get(kind, f"{kind}s")
