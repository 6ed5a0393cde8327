"""What a new version changes of what an enrolled learner adds to a course's figures, while no step of theirs moves.

Most of a large course stays as it is: only the modules are looked at that differ, or that something was granted of.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from headway.domain.course import Course, Module
from headway.domain.enrolled import Enrolled, ModuleFigure, concluded, is_touched, module_figure
from headway.domain.facts import COURSE_COMPLETED, MODULE_COMPLETED
from headway.domain.progress import Grant, StepSum

# By kind and module.
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
        self._differs = {key for key in was.keys() | now.keys() if was.get(key) != now.get(key)}
        common = before.numbers.keys() & after.numbers.keys()
        orders = ([one.key for one in course.steps if one.key in common] for course in (before, after))
        self._keeps_order = next(orders) == next(orders)

    def takes_all(self, row: Enrolled) -> bool:
        """Whether all steps must be known: the last one that was reached cannot be told from the row."""
        return bool(row.last_step) and (not self._keeps_order or row.last_step not in self.after.numbers)

    def steps(self, grants: tuple[Grants, Grants]) -> set[str]:
        """The keys of the steps that it takes, where grants were and are these."""
        granted = _granted(grants)
        looked_at = (*self._looked_at(self.before, granted), *self._looked_at(self.after, granted))
        return {key for one in looked_at for key in one.keys}

    def counted(
        self, row: Enrolled, version: int, steps: Mapping[str, StepSum], grants: tuple[Grants, Grants]
    ) -> Recounted:
        """What a learner comes to, whose row there is, by the number of the new version.

        `grants` as they were and as they are; `steps` are those that it takes.
        """
        granted = _granted(grants)
        was, now = (self._looked_at(course, granted) for course in (self.before, self.after))
        before, after = (_figures(modules, steps, held) for modules, held in zip((was, now), grants, strict=True))
        known = [key for key in steps if is_touched(steps[key])] + ([] if self.takes_all(row) else [row.last_step])
        numbers = self.after.numbers
        moved = row._replace(
            version=version,
            steps_completed=row.steps_completed + _completed(now, steps) - _completed(was, steps),
            last_step=max((key for key in known if key in numbers), key=numbers.__getitem__, default=""),
            score_total=row.score_total + _score(now, after) - _score(was, before),
        )
        return Recounted(concluded(moved, self.after, grants[1].get((COURSE_COMPLETED, ""))), before, after)

    def _looked_at(self, course: Course, granted: Collection[str]) -> list[Module]:
        return [one for one in course.modules if one.key in self._differs or one.key in granted]


def _granted(grants: tuple[Grants, Grants]) -> set[str]:
    """The keys of the modules of which something is granted now."""
    was, now = grants
    return {place[1] for place, grant in now.items() if place[0] == MODULE_COMPLETED and was.get(place) != grant}


def _completed(modules: Collection[Module], steps: Mapping[str, StepSum]) -> int:
    return sum(steps[key].completion is not None for one in modules for key in one.keys if key in steps)


def _score(modules: Collection[Module], figures: Figures) -> int:
    return sum(one.weight * figure.score for one in modules if (figure := figures[one.key]) is not None)


def _figures(modules: Iterable[Module], steps: Mapping[str, StepSum], held: Grants) -> Figures:
    return {one.key: module_figure(one, steps, held.get((MODULE_COMPLETED, one.key))) for one in modules}
