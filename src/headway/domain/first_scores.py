"""Attempts that had no score and are judged anew: which of them may have theirs, so that no step counts for less."""

from collections.abc import Iterable, Sequence

from headway.domain.course import Policy
from headway.domain.module_scores import step_score
from headway.domain.progress import Scored, StepSum


def raised_by(score: int, before: int, place: tuple[int, str]) -> StepSum:
    """What an attempt at a place in time adds to its step whose score is raised."""
    scored = Scored(*place, score)
    return StepSum(score_total=score - before, best=score, first=scored, latest=scored)


def sinking(known: StepSum, policy: Policy, raised: Iterable[StepSum], first: Sequence[Scored]) -> set[str]:
    """The ids of those attempts that would have a step count for less by their first score, beside what is raised.

    What a person said of the step is left aside, for it may be lifted. All have their scores where that sinks nothing;
    else one after the other, the best ones first, each that has the step count for no less than those before it.
    """
    bare = known._replace(override=None)
    so_far = sum(raised, bare)
    if step_score(sum(map(_first_score, first), so_far), policy) >= step_score(bare, policy):
        return set()
    left_out = set[str]()
    for one in sorted(first, key=lambda one: (-one.score, one.at, one.event_id)):
        then = so_far + _first_score(one)
        if step_score(then, policy) < step_score(so_far, policy):
            left_out.add(one.event_id)
        else:
            so_far = then
    return left_out


def _first_score(one: Scored) -> StepSum:
    return StepSum(scores=1, score_total=one.score, best=one.score, first=one, latest=one)
