"""Grants that are due to a run of a course: modules opened and completed, the course completed, the certificate."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from headway.domain.course import Course, Module
from headway.domain.facts import CERTIFIED, COURSE_COMPLETED, MODULE_COMPLETED, MODULE_UNLOCKED
from headway.domain.module_scores import StepSums, graded_alone, is_completed, total_score
from headway.domain.progress import Grant, StepSum
from headway.domain.scores import FULL
from headway.domain.step_status import LOCKED, status_of

# A run's grants by (kind, module key); the module is empty where the grant is about the course.
HeldGrants: TypeAlias = Mapping[tuple[str, str], Grant]
_UNTOUCHED = StepSum()


class DueGrant(NamedTuple):
    """A grant that is due; `module` is a key, `at` in microseconds.

    `score` is in millionths, rounded down so that rounding never reaches a mark.
    """

    kind: str
    module: str
    score: int | None
    at: int

    @property
    def key(self) -> tuple[str, str]:
        """The kind and module: a run is granted each pair once."""
        return self.kind, self.module


def asked(course: Course, module: Module | None) -> Iterator[tuple[str, str]]:
    """The grants to be read before an event on one of the module's steps is judged, as (kind, module key)."""
    if module is None:
        return
    opens = course.dependents(module.key)
    yield MODULE_COMPLETED, module.key
    for one in (module, *opens):
        yield MODULE_UNLOCKED, one.key
        for required in one.requires:
            yield MODULE_COMPLETED, required
    if course.certificate and course.evidence == "graded":
        yield COURSE_COMPLETED, ""
        yield CERTIFIED, ""


def is_begun(module: Module, sums: StepSums) -> bool:
    """Whether any of the module's steps has an event or an override."""
    return _any_of(module, sums, _begins)


def is_open(module: Module, sums: StepSums, held: HeldGrants) -> bool:
    """Whether events on the module's steps are accepted; a module once opened or begun is never locked again."""
    if not lacking(module, held) or (MODULE_UNLOCKED, module.key) in held or (MODULE_COMPLETED, module.key) in held:
        return True
    return _any_of(module, sums, lambda one: one.events > 0)


def status_of_module(module: Module, sums: StepSums, held: HeldGrants) -> str:
    """The status of a module in a run: locked, open, in progress or completed."""
    if not is_open(module, sums, held):
        return LOCKED
    return status_of((MODULE_COMPLETED, module.key) in held, is_begun(module, sums))


def status_of_course(sums: StepSums, held: HeldGrants) -> str:
    """The status of the course in a run: open, in progress or completed."""
    return status_of((COURSE_COMPLETED, "") in held, any(map(_begins, sums.values())))


def _begins(one: StepSum) -> bool:
    return one.events > 0 or one.override is not None


def lacking(module: Module, held: HeldGrants) -> list[str]:
    """The keys of the modules that it requires and that are not completed."""
    return [one for one in module.requires if (MODULE_COMPLETED, one) not in held]


def due_of_module(
    course: Course, module: Module, sums: StepSums, held: HeldGrants, at: int | None = None
) -> list[DueGrant]:
    """The completion of a module whose sums moved, where it is due, and the opening of modules that require it.

    They are dated `at` (microseconds), or else by the last update of the sums and grants that they rest on.
    """
    if (MODULE_COMPLETED, module.key) in held or not is_begun(module, sums) or not is_completed(module, sums):
        return []
    moved = max(sums.get(step.key, _UNTOUCHED).updated_at for step in module.steps)
    done = DueGrant(MODULE_COMPLETED, module.key, _millionths(total_score(module, sums)), moved if at is None else at)
    return [done, *_opened(course.dependents(module.key), with_due(held, [done]), at)]


def due_of_course(course: Course, sums: StepSums, held: HeldGrants, at: int | None = None) -> list[DueGrant]:
    """The completion of the course and its certificate, where they are due; `sums` are those of all of its steps."""
    due: list[DueGrant] = []
    if (COURSE_COMPLETED, "") not in held:
        grants = [held.get((MODULE_COMPLETED, module.key)) for module in course.modules]
        dates = [one.at for one in grants if one is not None]
        if len(dates) < len(grants):
            return []
        score = _millionths(score_of_course(course, sums, held))
        due.append(DueGrant(COURSE_COMPLETED, "", score, max(dates) if at is None else at))
    if course.certificate and (CERTIFIED, "") not in held:
        due += _certificate(course, sums, with_due(held, due), at)
    return due


def due_of_all(course: Course, sums: StepSums, held: HeldGrants, at: int | None = None) -> list[DueGrant]:
    """All grants that are due to a run, whichever of its sums moved; empty where all were made."""
    known = dict(held)
    due: list[DueGrant] = []

    def take(found: Iterable[DueGrant]) -> None:
        for one in found:
            due.append(one)
            known[one.key] = _granted(one)

    for module in course.modules:
        take(due_of_module(course, module, sums, known, at))
    take(list(_opened(course.modules, known, at)))
    take(due_of_course(course, sums, known, at))
    return due


def with_due(held: HeldGrants, due: Iterable[DueGrant]) -> HeldGrants:
    """The grants of a run once those due are made."""
    return {**held, **{one.key: _granted(one) for one in due}}


def awaits_evidence(course: Course, held: HeldGrants) -> bool:
    """Whether only graded evidence is missing for the certificate, so that a later grade may bring it about."""
    due = course.certificate and course.evidence == "graded"
    return due and (COURSE_COMPLETED, "") in held and (CERTIFIED, "") not in held


def score_of_module(module: Module, total: Fraction, held: HeldGrants) -> Fraction:
    """The module's score that is shown, 0 to 1: the total of its steps, but never below its score at its completion."""
    return _at_least(total, held.get((MODULE_COMPLETED, module.key)))


def score_of_course(course: Course, sums: StepSums, held: HeldGrants) -> Fraction:
    """The weighted mean of the modules' scores, 0 to 1, but never below the score at the course's completion."""
    return score_of_modules(course, [total_score(module, sums) for module in course.modules], held)


def score_of_modules(course: Course, totals: Sequence[Fraction], held: HeldGrants) -> Fraction:
    """The same as `score_of_course`, from the total of each module's steps, in the order of the modules."""
    weights = sum(module.weight for module in course.modules)
    scored = zip(course.modules, totals, strict=True)
    total = sum((module.weight * score_of_module(module, one, held) for module, one in scored), Fraction(0))
    return _at_least(total / weights, held.get((COURSE_COMPLETED, "")))


def _certificate(course: Course, sums: StepSums, held: HeldGrants, at: int | None) -> Iterator[DueGrant]:
    completed = held[COURSE_COMPLETED, ""]
    if course.evidence == "any":
        yield DueGrant(CERTIFIED, "", _millionths(score_of_course(course, sums, held)), at or completed.at)
        return
    graded = {step.key: graded_alone(step, sums.get(step.key, _UNTOUCHED)) for step in course.steps}
    if all(is_completed(module, graded) for module in course.modules):
        moved = max(sums.get(step.key, _UNTOUCHED).updated_at for step in course.steps)
        score = _millionths(score_of_course(course, graded, {}))
        yield DueGrant(CERTIFIED, "", score, max(completed.at, moved) if at is None else at)


def _opened(modules: Iterable[Module], held: HeldGrants, at: int | None) -> Iterator[DueGrant]:
    for module in modules:
        if module.requires and (MODULE_UNLOCKED, module.key) not in held and not lacking(module, held):
            last = max(held[MODULE_COMPLETED, one].at for one in module.requires)
            yield DueGrant(MODULE_UNLOCKED, module.key, None, last if at is None else at)


def _granted(due: DueGrant) -> Grant:
    return Grant(due.at, "", due.score, 0)


def _any_of(module: Module, sums: StepSums, is_so: Callable[[StepSum], bool]) -> bool:
    return not sums.keys().isdisjoint(module.keys) and any(key in sums and is_so(sums[key]) for key in module.keys)


def _at_least(score: Fraction, grant: Grant | None) -> Fraction:
    return score if grant is None or grant.score is None else max(score, Fraction(grant.score, FULL))


def _millionths(score: Fraction) -> int:
    return score.numerator * FULL // score.denominator
