"""A run's module, followed from event to event, so that its steps need not be gone through for each."""

from collections.abc import Iterator

from headway.domain.course import Module, Share, Step
from headway.domain.module_scores import Exact, step_score
from headway.domain.progress import StepSum


class Watched:
    """The sums of a module's steps, what they reach, and how many steps are not completed."""

    def __init__(self, module: Module, sums: dict[str, StepSum]) -> None:
        self.module = module
        self.sums = sums
        self._reached: Exact = sum(one.parts * step_score(sums[one.key], one.policy) for one in self._known())
        self._open = sum(1 for key in module.keys if key not in sums or sums[key].completion is None)
        self._parts = {one.key: one for one in module.shares}

    def _known(self) -> Iterator[Share]:
        return (one for one in self.module.shares if one.key in self.sums)

    @property
    def reached(self) -> Exact:
        """What the steps reach of the module's whole, in millionths times the steps' parts."""
        return self._reached

    def share(self, key: str) -> Share | None:
        """Return a step's share of the module's score; None if it has none."""
        return self._parts.get(key)

    @property
    def is_completed(self) -> bool:
        """Whether the module is completed by its rule now, as `module_scores.is_completed` says."""
        if self.module.complete_by == "steps":
            return self._open == 0
        return self._reached >= self.module.pass_mark * self.module.whole

    def move(self, step: Step, before: StepSum, after: StepSum) -> None:
        """Update one step's sum."""
        self.sums[step.key] = after
        self._open += (after.completion is None) - (before.completion is None)
        share = self._parts.get(step.key)
        if share is not None:
            self._reached += share.parts * (step_score(after, share.policy) - step_score(before, share.policy))
