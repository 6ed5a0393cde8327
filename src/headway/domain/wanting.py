"""What a module still wants for its completion, in words: "12.4 points: two quizzes not attempted"."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from headway.domain.course import Module
from headway.domain.module_scores import Lack, ModuleScore, StepSums
from headway.domain.progress import StepSum
from headway.domain.scores import FULL

_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_PLURALS: Final[Mapping[str, str]] = {"quiz": "quizzes"}
_UNTOUCHED: Final = StepSum()


def points_to_go(module: Module, scored: ModuleScore) -> Fraction:
    """What the score lacks to the pass mark, 0 to 1; 0 where the module is completed by its steps."""
    if module.complete_by == "steps":
        return Fraction(0)
    return max(Fraction(module.pass_mark, FULL) - scored.score, Fraction(0))


def reason(module: Module, missing: Sequence[Lack], sums: StepSums) -> str:
    """Which steps stand between the learner and the completion, counted by kind; empty where none does."""
    untouched = [one for one in missing if not _is_scored(one, sums)]
    below = [one for one in missing if _is_scored(one, sums)]
    undone = "not attempted" if module.complete_by == "score" else "not completed"
    short = "below a full score" if module.complete_by == "score" else "not completed"
    if module.complete_by == "steps":
        untouched, below = list(missing), []
    parts = [f"{_counted(some)} {said}" for some, said in ((untouched, undone), (below, short)) if some]
    return ", ".join(parts)


def _is_scored(lack: Lack, sums: StepSums) -> bool:
    one = sums.get(lack.step.key, _UNTOUCHED)
    return bool(one.scores) or one.completion is not None or one.override is not None


def _counted(some: Sequence[Lack]) -> str:
    kinds = Counter(one.step.kind for one in some)
    *others, last = [f"{_number(count)} {_named(kind, count)}" for kind, count in kinds.items()]
    return f"{', '.join(others)} and {last}" if others else last


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def _named(kind: str, count: int) -> str:
    return kind if count == 1 else _PLURALS.get(kind, f"{kind}s")
