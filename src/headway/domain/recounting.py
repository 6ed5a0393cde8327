"""What a new version changes in an enrolled learner's figures of a course, while no step of theirs moves.

Most of a large course stays as it is: only modules that differ, or that the version completes, are looked at.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from headway.domain.course import Course, Module
from headway.domain.enrolled import Enrolled, ModuleFigure, concluded, is_touched, module_figure
from headway.domain.facts import COURSE_COMPLETED, MODULE_COMPLETED
from headway.domain.progress import Grant, StepSum

# By (kind, module key).
Grants: TypeAlias = Mapping[tuple[str, str], Grant]
Figures: TypeAlias = Mapping[str, ModuleFigure | None]


class Recounted(NamedTuple):
    """A learner's row by the new version, and by the old and the new the figures of the modules that were looked at."""

    row: Enrolled
    before: Figures
    after: Figures


class Recount:
    """A version of a course, and the one by which learners were counted."""

    def __init__(self, before: Course, after: Course) -> None:
        self.before = before
        self.after = after
        was, now = ({one.key: one for one in course.modules} for course in (before, after))
        self._differs = frozenset(key for key in was.keys() | now.keys() if was.get(key) != now.get(key))
        self._known: dict[frozenset[str], tuple[list[Module], list[Module]]] = {}
        common = before.numbers.keys() & after.numbers.keys()
        orders = ([one.key for one in course.steps if one.key in common] for course in (before, after))
        self._keeps_order = next(orders) == next(orders)

    def takes_all(self, row: Enrolled) -> bool:
        """Whether all steps must be known: the last one that was reached cannot be told from the row."""
        return bool(row.last_step) and (not self._keeps_order or row.last_step not in self.after.numbers)

    def modules(self, new: Grants) -> frozenset[str]:
        """The keys of the modules to look at, given the learner's new grants."""
        return self._differs.union(key for kind, key in new if kind == MODULE_COMPLETED)

    def steps(self, modules: frozenset[str]) -> set[str]:
        """The keys of the steps to read for these modules."""
        return {key for looked_at in self._looked_at(modules) for one in looked_at for key in one.keys}

    def counted(
        self, row: Enrolled, version: int, steps: Mapping[str, StepSum], held: Grants, new: Grants
    ) -> Recounted:
        """A learner's figures by the new version, whose number is `version`, from the row by the old one.

        `held` are the earlier grants, of the modules that are looked at and of the course; `steps` the sums of those
        that `steps()` names, or of more.
        """
        grants = {**held, **new}
        was, now = self._looked_at(self.modules(new))
        before, after = _figures(was, steps, held), _figures(now, steps, grants)
        known = [key for key in steps if is_touched(steps[key])] + ([] if self.takes_all(row) else [row.last_step])
        numbers = self.after.numbers
        moved = row._replace(
            version=version,
            steps_completed=row.steps_completed + _completed(now, steps) - _completed(was, steps),
            last_step=max((key for key in known if key in numbers), key=numbers.__getitem__, default=""),
            score_total=row.score_total + _score(now, after) - _score(was, before),
        )
        return Recounted(concluded(moved, self.after, grants.get((COURSE_COMPLETED, ""))), before, after)

    def _looked_at(self, keys: frozenset[str]) -> tuple[list[Module], list[Module]]:
        """The modules of these keys in the old version and in the new one; cached, as most learners share them."""
        known = self._known.get(keys)
        if known is None:
            known = self._known[keys] = _of(self.before, keys), _of(self.after, keys)
        return known


def _of(course: Course, keys: Collection[str]) -> list[Module]:
    return [one for one in course.modules if one.key in keys]


def _completed(modules: Collection[Module], steps: Mapping[str, StepSum]) -> int:
    return sum(steps[key].completion is not None for one in modules for key in one.keys if key in steps)


def _score(modules: Collection[Module], figures: Figures) -> int:
    return sum(one.weight * figure.score for one in modules if (figure := figures[one.key]) is not None)


def _figures(modules: Iterable[Module], steps: Mapping[str, StepSum], held: Grants) -> Figures:
    return {one.key: module_figure(one, steps, held.get((MODULE_COMPLETED, one.key))) for one in modules}
