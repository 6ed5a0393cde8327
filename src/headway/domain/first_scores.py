"""Regrading: which attempts without a score may be given one, so that no step counts for less than before.

Many are given theirs in portions, in such an order that a run that is stopped anywhere, and judges the rest anew, ends
with the same scores.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import NamedTuple

from headway.domain.course import Policy
from headway.domain.module_scores import step_score
from headway.domain.progress import Scored, StepSum


class Move(NamedTuple):
    """An attempt, with its place in time and the score to give it; `before` is its old score, None if it had none."""

    scored: Scored
    before: int | None

    @property
    def name(self) -> str:
        """The attempt's id."""
        return self.scored.event_id

    @property
    def added(self) -> StepSum:
        """What the new score adds to the step's sum."""
        score = self.scored.score
        is_first = int(self.before is None)
        return StepSum(
            scores=is_first, score_total=score - (self.before or 0), best=score, first=self.scored, latest=self.scored
        )


class Way(NamedTuple):
    """The order in which attempts are given scores, and those left out because they would lower the step's score.

    `is_whole` says that all are given theirs; an average may then be lower in between than before.
    """

    moves: list[Move]
    left_out: list[Move]
    is_whole: bool


def sinks(known: StepSum, policy: Policy, added: StepSum) -> bool:
    """Whether the step's score, overrides aside, would be lower with `added`."""
    bare = _bare(known)
    return step_score(bare + added, policy) < step_score(bare, policy)


def way(known: StepSum, policy: Policy, moves: Sequence[Move]) -> Way:
    """The order in which attempts at a step are given their scores; no score in between exceeds the final one.

    Overrides are left aside, as they may be lifted. All attempts are given their scores where that does not lower the
    step's score; else `one_by_one` decides.
    """
    if sinks(known, policy, added_by(moves)):
        return one_by_one(known, policy, moves)
    if policy == "average":
        return Way(_even(_bare(known), moves), [], is_whole=True)

    def place(one: Move) -> tuple[int, str]:
        return (one.scored.score, "") if policy == "best" else (one.scored.at, one.name)

    # The first of these moves alone gives the step its final score.
    return Way(sorted(moves, key=place, reverse=policy != "first"), [], is_whole=True)


def added_by(moves: Iterable[Move]) -> StepSum:
    """What these moves add to the step's sum together."""
    return sum((one.added for one in moves), StepSum())


def one_by_one(known: StepSum, policy: Policy, moves: Sequence[Move]) -> Way:
    """First all raised scores, then first scores from the best down, except those that would lower the step's."""
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
    """The moves in an order whose averages never exceed the final one, and fall as little below it as possible."""
    end = known + added_by(moves)
    # By how much each move lifts the sum above the final average, scaled by the final number of scores.
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
