"""The effect of a new version of a course on a run: what it gains, and what it keeps against the new rules."""

from collections.abc import Mapping
from typing import NamedTuple

from headway.domain import gating
from headway.domain.course import Course, Module
from headway.domain.facts import CERTIFIED, COURSE_COMPLETED, MODULE_COMPLETED, MODULE_UNLOCKED
from headway.domain.gating import DueGrant, HeldGrants, is_open
from headway.domain.module_scores import StepSums, is_completed


class Gains(NamedTuple):
    """What a run gains: modules opened and completed (their ids), the course's completion, the certificate."""

    modules_unlocked: tuple[str, ...] = ()
    modules_completed: tuple[str, ...] = ()
    course_completed: bool = False
    certified: bool = False


class KeptGrants(NamedTuple):
    """What the new version's rules would take from a run, and do not: what was granted stays."""

    modules_open: tuple[str, ...] = ()
    modules_completed: tuple[str, ...] = ()
    course_completed: bool = False


class Effect(NamedTuple):
    """The effect of a version on a run: `due` are all grants to be made; `orphaned` the keys of removed steps."""

    due: tuple[DueGrant, ...]
    gains: Gains
    kept: KeptGrants
    orphaned: tuple[str, ...]


class Succession:
    """A version of a course and the one before it, None where there was none.

    `concerned` are the keys of the steps whose sums are needed to tell the effect on most runs: removed steps, and
    those of modules that have a new rule or require one that has.
    """

    def __init__(self, before: Course | None, after: Course) -> None:
        self.before = before
        self.after = after
        modules = before.modules if before else ()
        self.modules_before: Mapping[str, Module] = {module.key: module for module in modules}
        left = {step.key for step in after.steps}
        # Progress on these is kept, and counts again in a version that has them again.
        self.removed = frozenset(step.key for step in before.steps if step.key not in left) if before else frozenset()
        self._regated = [module for module in after.modules if self._has_another_gate(module)]
        self._regated_keys = frozenset(module.key for module in self._regated)
        self.changed = frozenset(module.key for module in after.modules if self._has_another_rule(module))
        self.concerned = self.removed.union(*(self._keys(one) for one in after.modules if self._concerns(one)))

    def takes_all(self, held: HeldGrants) -> bool:
        """Whether the sums of all steps are needed: the course's completion or the certificate may become due."""
        if (COURSE_COMPLETED, "") in held:
            return self.after.certificate and (CERTIFIED, "") not in held
        return all(one.key in self.changed or (MODULE_COMPLETED, one.key) in held for one in self.after.modules)

    def effect(self, sums: StepSums, held: HeldGrants, at: int) -> Effect:
        """The effect on a run that was judged by the version before; grants are dated `at` (microseconds).

        `sums` are those of the concerned steps, or of all. A module that was open stays open: where the new gate would
        lock it, its unlocking is granted.
        """
        keeping = [one for one in self._regated if self._was_open(one, sums, held) and not is_open(one, sums, held)]
        kept = [DueGrant(MODULE_UNLOCKED, module.key, None, at) for module in keeping]
        known = gating.with_due(held, kept)
        due = gating.due_of_all(self.after, sums, known, at)
        gains = self._gains(due, sums, held, gating.with_due(known, due))
        orphaned = tuple(key for key in sums if key in self.removed)
        return Effect((*kept, *due), gains, self._kept([module.id for module in keeping], sums, held), orphaned)

    def _gains(self, due: list[DueGrant], sums: StepSums, held: HeldGrants, then: HeldGrants) -> Gains:
        given = {one.module for one in due}
        opened = {one.module for one in due if one.kind == MODULE_UNLOCKED}

        def opens(module: Module) -> bool:
            # A new module counts as a gain when its gate opens; one without a gate does not.
            known = module.key in self.modules_before
            return is_open(module, sums, then) if known else module.key in opened

        # Other modules, with the same gate as before and no new grant, are as open as before.
        asked = (one for one in self.after.modules if one.key in given or one.key in self._regated_keys)
        unlocked = (one.id for one in asked if not self._was_open(one, sums, held) and opens(one))
        completed = (self.after.module_id(one.module) for one in due if one.kind == MODULE_COMPLETED)
        kinds = {one.kind for one in due}
        return Gains(tuple(unlocked), tuple(completed), COURSE_COMPLETED in kinds, CERTIFIED in kinds)

    def _was_open(self, module: Module, sums: StepSums, held: HeldGrants) -> bool:
        """Whether the module was open by the version before."""
        before = self.modules_before.get(module.key)
        return before is not None and is_open(before, sums, held)

    def _kept(self, opened: list[str], sums: StepSums, held: HeldGrants) -> KeptGrants:
        """What is kept; a completed course, where any of its modules would not be completed by its new rule."""
        course = (COURSE_COMPLETED, "") in held
        asked = (one for one in self.after.modules if one.key in self.changed)
        lacked = [
            one for one in asked if (course or (MODULE_COMPLETED, one.key) in held) and not is_completed(one, sums)
        ]
        lost = tuple(one.id for one in lacked if (MODULE_COMPLETED, one.key) in held)
        return KeptGrants(tuple(opened), lost, course and bool(lacked))

    def _has_another_gate(self, module: Module) -> bool:
        before = self.modules_before.get(module.key)
        return before is None or _gate(before) != _gate(module)

    def _has_another_rule(self, module: Module) -> bool:
        before = self.modules_before.get(module.key)
        return before is None or _rule(before) != _rule(module)

    def _concerns(self, module: Module) -> bool:
        return module.key in self.changed or not self.changed.isdisjoint(module.requires)

    def _keys(self, module: Module) -> frozenset[str]:
        before = self.modules_before.get(module.key)
        return module.keys | before.keys if before else module.keys


def _gate(module: Module) -> tuple[object, ...]:
    """All that decides whether a module is open."""
    return frozenset(module.requires), module.keys


def _rule(module: Module) -> tuple[object, ...]:
    """All that decides how a module is opened and completed."""
    shares = frozenset(one[:3] for one in module.shares)
    return module.complete_by, module.pass_mark, frozenset(module.requires), module.keys, module.whole, shares
