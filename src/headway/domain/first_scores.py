"""Attempts that are judged anew: which of those that had no score may have theirs, so that no step counts for less.

Many are given theirs some at a time: in an order in which whoever is stopped anywhere, and judges what is left anew,
comes to the same end.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from headway.domain.course import Policy
from headway.domain.module_scores import step_score
from headway.domain.progress import Scored, StepSum


class Move(NamedTuple):
    """An attempt at its place in time, with the score that it is to have; `before` is None where that is its first."""

    scored: Scored
    before: int | None

    @property
    def name(self) -> str:
        """The attempt's id."""
        return self.scored.event_id

    @property
    def added(self) -> StepSum:
        """What that adds to its step."""
        score = self.scored.score
        is_first = int(self.before is None)
        return StepSum(
            scores=is_first, score_total=score - (self.before or 0), best=score, first=self.scored, latest=self.scored
        )


class Way(NamedTuple):
    """In which order attempts are given their scores, and those that are given none: they would sink the step.

    `is_whole` says that all are given theirs: then an average may lie lower in between than before.
    """

    moves: list[Move]
    left_out: list[Move]
    is_whole: bool


def sinks(known: StepSum, policy: Policy, added: StepSum) -> bool:
    """Whether a step would count for less with what is added."""
    bare = _bare(known)
    return step_score(bare + added, policy) < step_score(bare, policy)


def way(known: StepSum, policy: Policy, moves: Sequence[Move]) -> Way:
    """How attempts at a step are given their scores, with no more of a score in between than at the end.

    What a person said of the step is left aside, for it may be lifted. All have their scores where that sinks nothing;
    else first those that have one already, and then one after the other, the best ones first, each that has the step
    count for no less than those before it.
    """
    if sinks(known, policy, added_by(moves)):
        return one_by_one(known, policy, moves)
    if policy == "average":
        return Way(_even(_bare(known), moves), [], is_whole=True)

    def place(one: Move) -> tuple[int, str]:
        return (one.scored.score, "") if policy == "best" else (one.scored.at, one.name)

    # The first of them has the step count for what it will.
    return Way(sorted(moves, key=place, reverse=policy != "first"), [], is_whole=True)


def added_by(moves: Iterable[Move]) -> StepSum:
    """What so many add together."""
    return sum((one.added for one in moves), StepSum())


def one_by_one(known: StepSum, policy: Policy, moves: Sequence[Move]) -> Way:
    """What is raised, and behind it first scores, the best ones first, but for those that would sink the step then."""
    raised, left_out = [one for one in moves if one.before is not None], list[Move]()
    so_far, taken = _bare(known) + added_by(raised), list(raised)
    first = (one for one in moves if one.before is None)
    for one in sorted(first, key=lambda one: (-one.scored.score, one.scored.at, one.name)):
        then = so_far + one.added
        if step_score(then, policy) < step_score(so_far, policy):
            left_out.append(one)
        else:
            so_far = then
            taken.append(one)
    return Way(taken, left_out, is_whole=False)


def _bare(known: StepSum) -> StepSum:
    return known._replace(override=None)


def _even(known: StepSum, moves: Sequence[Move]) -> list[Move]:
    """So that the average never lies above the one at the end, and as little below it as can be."""
    end = known + added_by(moves)
    # By how much each lifts what there is above the average at the end, as a multiple of it.
    lifts = [(one.added.score_total * end.scores - one.added.scores * end.score_total, one) for one in moves]
    raising = sorted((pair for pair in lifts if pair[0] > 0), key=itemgetter(0), reverse=True)
    lowering = sorted((pair for pair in lifts if pair[0] <= 0), key=itemgetter(0))
    above, ordered = known.score_total * end.scores - known.scores * end.score_total, list[Move]()
    while raising or lowering:
        is_up = raising and (not lowering or above + raising[-1][0] <= 0)
        lift, one = raising.pop() if is_up else lowering.pop()
        above += lift
        ordered.append(one)
    return ordered
