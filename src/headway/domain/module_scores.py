"""A module's score: the scores of its steps, weighted by kind. Calculated exactly; rounded only for display."""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from headway.domain.course import Module, Policy, Step, weight_name
from headway.domain.progress import Scored, StepSum
from headway.domain.scores import FULL, ratio_percent

# A learner's sums of a course's steps, by the steps' keys; a step without one was never touched.
StepSums: TypeAlias = Mapping[str, StepSum]
Exact: TypeAlias = int | Fraction

# Marks are whole millionths, so a percentage shown beside a mark has at most four decimals.
_MARK_PLACES = 10_000
_UNTOUCHED = StepSum()


class KindScore(NamedTuple):
    """The joint score of the steps that share a weight: its share of all weights, and the score, both 0 to 1.

    `kind` is the name of the weight: exercises come under `assignment`.
    """

    kind: str
    weight: Fraction
    score: Fraction

    @property
    def contribution(self) -> Fraction:
        """The kind's part of the module's score, 0 to 1."""
        return self.weight * self.score


class Lack(NamedTuple):
    """A step that does not count in full: its score and what the module's score could gain by it, both 0 to 1."""

    step: Step
    score: Fraction
    gain: Fraction


class ModuleScore(NamedTuple):
    """The score of a module, 0 to 1, and the score of each kind, in the order of the weights."""

    score: Fraction
    kinds: tuple[KindScore, ...]


class _Group(NamedTuple):
    """The steps that share one of the module's weights, each with its score in millionths."""

    kind: str
    weight: int
    scored: list[tuple[Step, Exact]]

    @property
    def step_weights(self) -> int:
        return sum(step.weight for step, _ in self.scored)


def score_module(module: Module, sums: StepSums) -> ModuleScore:
    """The module's score from the sums of its steps.

    Within a kind, steps count by their weights; the weights of kinds that the module lacks are shared out over those
    that it has. A step not attempted counts 0, a step completed without a score counts in full.
    """
    groups = _groups(module, sums)
    weights = sum(group.weight for group in groups)
    kinds = tuple(_kind_score(group, weights) for group in groups)
    return ModuleScore(total_score(module, sums), kinds)


def lacks(module: Module, sums: StepSums) -> list[Lack]:
    """The steps by which the module's score could still rise, in the order of the steps."""
    whole = module.whole * FULL
    counted = ((step_score(sums.get(one.key, _UNTOUCHED), one.policy), one) for one in module.shares)
    return [
        Lack(one.step, Fraction(score, FULL), Fraction(one.parts * (FULL - score), whole))
        for score, one in counted
        if score < FULL
    ]


def step_score(sum_: StepSum, policy: Policy) -> Exact:
    """The score that counts for a step, in millionths, by one of the policies and the override, if any."""
    counted, override = _by_policy(sum_, policy), sum_.override
    if override is None:
        return counted
    return override.score if override.final else max(counted, override.score)


def graded_alone(step: Step, sum_: StepSum) -> StepSum:
    """The step's sum with only the scores that the server vouches for; a lesson's stays as it is, for it has none."""
    if step.kind == "lesson":
        return sum_
    best, said, reached = sum_.graded_best, sum_.override, sum_.vouched_best
    done = sum_.completion if reached is not None and reached >= step.pass_mark else None
    if best is None:
        return StepSum(sum_.events, completion=done, override=said)
    scored = Scored(sum_.updated_at, "", best)
    return StepSum(sum_.events, 0, 0, 1, best, best, scored, scored, done, override=said)


def _by_policy(sum_: StepSum, policy: Policy) -> Exact:
    if not sum_.scores:
        # Completed without a score counts in full; completed only by a person's score counts as that alone.
        return FULL if sum_.is_done else 0
    if policy == "average":
        average, rest = divmod(sum_.score_total, sum_.scores)
        return Fraction(sum_.score_total, sum_.scores) if rest else average
    if policy == "best":
        return sum_.best or 0
    scored = sum_.latest if policy == "latest" else sum_.first
    return scored.score if scored is not None else 0


def total_score(module: Module, sums: StepSums) -> Fraction:
    """The module's score, 0 to 1, without what each kind gave."""
    return Fraction(_reached(module, sums), module.whole * FULL)


def is_completed(module: Module, sums: StepSums) -> bool:
    """Whether the module's rule is met now: its score reaches the pass mark, or all of its steps are completed."""
    if module.complete_by == "steps":
        return all(sums.get(step.key, _UNTOUCHED).completion is not None for step in module.steps)
    return _reached(module, sums) >= module.pass_mark * module.whole


def missing(module: Module, sums: StepSums) -> list[Lack]:
    """The steps that stand between the module and its completion, in order; empty where it is completed.

    By score, every step that could still raise the score; by steps, every step not completed.
    """
    if is_completed(module, sums):
        return []
    if module.complete_by == "score":
        return lacks(module, sums)
    known = {lack.step.id: lack for lack in lacks(module, sums)}
    open_steps = [step for step in module.steps if sums.get(step.key, _UNTOUCHED).completion is None]
    return [known.get(step.id) or _nothing_to_gain(module, step, sums) for step in open_steps]


def shown_percent(score: Fraction, mark: int = FULL) -> float:
    """A score as a percentage with two decimals, or with four where rounding to two would move it across the mark.

    `mark` is in millionths: 79.995 is shown as 79.995 beside a mark of 80, and not as 80, which was not reached.
    """
    part, whole = score.numerator, score.denominator
    rounded = ratio_percent(part, whole)
    if (round(rounded * _MARK_PLACES) >= mark) == (part * FULL >= mark * whole):
        return rounded
    return cut_percent(score)


def cut_percent(score: Fraction) -> float:
    """A score as a percentage with four decimals, rounded down, so that it never shows a mark that was not reached."""
    return score.numerator * FULL // score.denominator / _MARK_PLACES


def _reached(module: Module, sums: StepSums) -> Exact:
    """The steps' scores times their parts, in `module.whole` times millionths; a fraction only by averages."""
    known = ((parts, policy, sums.get(key)) for key, policy, parts, _ in module.shares)
    return sum(parts * step_score(one, policy) for parts, policy, one in known if one is not None)


def _groups(module: Module, sums: StepSums) -> list[_Group]:
    """The groups that have a step that counts."""
    groups = {kind: _Group(kind, weight, []) for kind, weight in module.weights._asdict().items()}
    for step in module.steps:
        counted = step_score(sums.get(step.key, _UNTOUCHED), module.policies.of(step.kind))
        groups[weight_name(step.kind)].scored.append((step, counted))
    return [group for group in groups.values() if group.step_weights]


def _kind_score(group: _Group, weights: int) -> KindScore:
    reached = sum(step.weight * score for step, score in group.scored)
    return KindScore(group.kind, Fraction(group.weight, weights), Fraction(reached, FULL * group.step_weights))


def _nothing_to_gain(module: Module, step: Step, sums: StepSums) -> Lack:
    """A step to complete that cannot raise the score: it weighs nothing, or has its full score already."""
    counted = step_score(sums.get(step.key, _UNTOUCHED), module.policies.of(step.kind))
    return Lack(step, Fraction(counted, FULL), Fraction(0))
