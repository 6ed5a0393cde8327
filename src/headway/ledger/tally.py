"""The changes of courses' counters, collected in a transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from headway.domain.enrolled import (
    Count,
    Enrolled,
    ModuleFigure,
    StepFigures,
    Whole,
    of_learner,
    of_module,
    of_step,
    spread_of_step,
)
from headway.domain.progress import StepSum
from headway.store.roster import Counters

UNTOUCHED: Final = StepSum()
_NOTHING: Final = StepFigures(0, 0, 0, 0, 0, 0)


class Tally:
    """The changes of counters."""

    def __init__(self) -> None:
        self.by = Counters({}, {})

    def step(self, course_id: str, key: str, before: StepSum, after: StepSum) -> None:
        """Add the change of a learner's step."""
        was = _NOTHING if before is UNTOUCHED else of_step(before)
        figures = self.by.steps.setdefault((course_id, key), [0] * len(_NOTHING))
        for n, (one, other) in enumerate(zip(was, of_step(after), strict=True)):
            figures[n] += other - one
        before_in, after_in = list(spread_of_step(key, before)), list(spread_of_step(key, after))
        if before_in != after_in:
            self.moved(course_id, [(one, 1) for one in before_in], [(one, 1) for one in after_in])

    def counts(self, course_id: str, found: Iterable[tuple[Count, int]], sign: int = 1) -> None:
        """Add counts, or with `sign` -1 subtract them."""
        counts = self.by.counts
        for count, n in found:
            key = course_id, count
            counts[key] = counts.get(key, 0) + n * sign

    def moved(self, course_id: str, before: Sequence[tuple[Count, int]], after: Sequence[tuple[Count, int]]) -> None:
        """Subtract the counts before and add those after; what is in both stays."""
        self.counts(course_id, (one for one in before if one not in after), -1)
        self.counts(course_id, (one for one in after if one not in before))

    def whole(self, course_id: str, one: Whole, sign: int) -> None:
        """Add a learner's whole to a course, or with `sign` -1 subtract it."""
        for key, step in one.record.steps.items():
            self.step(course_id, key, *((UNTOUCHED, step) if sign > 0 else (step, UNTOUCHED)))
        for key, figure in one.modules.items():
            self.counts(course_id, ((count, 1) for count in of_module(key, figure)), sign)
        self.counts(course_id, of_learner(one.row), sign)

    def modules(
        self, course_id: str, before: Mapping[str, ModuleFigure | None], after: Mapping[str, ModuleFigure | None]
    ) -> None:
        """Add the changes of a learner's figures of modules, by module key."""
        for key in before.keys() | after.keys():
            was, now = ([(one, 1) for one in of_module(key, figures.get(key))] for figures in (before, after))
            self.moved(course_id, was, now)

    def learner(self, course_id: str, before: Enrolled, after: Enrolled) -> None:
        """Add the change of a learner's row in the roster."""
        self.moved(course_id, list(of_learner(before)), list(of_learner(after)))
