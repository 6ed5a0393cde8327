"""The effects of overrides and regrades: whose result changed and how, and which scores would be lower but are kept."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

from headway.domain.changes import Change
from headway.domain.course import Policy
from headway.domain.module_scores import step_score
from headway.domain.progress import StepSum
from headway.domain.scores import FULL, fraction

LISTED_MAX: Final = 1_000
Value: TypeAlias = str | float | bool | None
# The figures of a step's result by name, in the order in which they are told.
_Result: TypeAlias = Mapping[str, Value]
_GRANTS: Final = {
    "module_completed": "module",
    "module_unlocked": "module",
    "course_completed": "course",
    "certificate_issued": "course",
}


# The figures of a step's result, in the order in which they are told.
_ORDER: Final = ("score", "best_score", "latest_score", "average_score", "passed_attempts", "completed")


class Update(NamedTuple):
    """One figure of a learner in a run that changed. Scores are 0 to 1; for a grant, `new` is its module or course."""

    learner: str
    run: int
    field: str
    old: Value
    new: Value


class KeptScore(NamedTuple):
    """A score that stays although the new one is lower: `score` stays, `instead` is the lower one, both 0 to 1."""

    learner: str
    attempt: str | None
    score: float | None
    instead: float | None
    why: str


class Effects(NamedTuple):
    """How many learners were looked at, for how many something changed, and what.

    The lists hold the first LISTED_MAX; `left_out` is how many more there were in both; `note` says by which rule
    scores stay.
    """

    note: str
    total: int = 0
    updated: int = 0
    updates: tuple[Update, ...] = ()
    kept: tuple[KeptScore, ...] = ()
    left_out: int = 0

    @property
    def unchanged(self) -> int:
        """The number of learners for whom nothing changed."""
        return self.total - self.updated

    def with_learner(self, updates: Iterable[Update], kept: Iterable[KeptScore], *, again: bool = False) -> "Effects":
        """Add the effects for one more learner; or, with `again`, further ones for a learner counted already."""
        new, more = tuple(updates), tuple(kept)
        listed, stays = _behind(self.updates, new) if again else self.updates + new, self.kept + more
        shown = listed[:LISTED_MAX], stays[:LISTED_MAX]
        left = len(listed) - len(shown[0]) + len(stays) - len(shown[1])
        total, updated = self.total + (not again), self.updated + (bool(new) and not again)
        return Effects(self.note, total, updated, *shown, self.left_out + left)


def result_of(one: StepSum, policy: Policy) -> _Result:
    """Return a learner's result on a step: what it counts for in its module, and the figures behind that."""
    return {
        "score": float(step_score(one, policy)) / FULL,
        "best_score": fraction(one.best_said),
        "latest_score": fraction(one.latest.score) if one.latest else None,
        "average_score": one.score_total / one.scores / FULL if one.scores else None,
        "passed_attempts": one.passed_attempts,
        "completed": one.completion is not None,
    }


def updates_of(place: tuple[str, int], before: _Result, after: _Result, changes: Iterable[Change]) -> list[Update]:
    """Return what changed for a learner in a run: figures of the step, and what was granted."""
    moved = [Update(*place, name, before[name], after[name]) for name in after if before[name] != after[name]]
    granted = [(one["type"], one[_GRANTS[one["type"]]]) for one in changes if one["type"] in _GRANTS]
    return moved + [Update(*place, kind, None, what) for kind, what in granted]


def _behind(known: tuple[Update, ...], new: tuple[Update, ...]) -> tuple[Update, ...]:
    """Merge updates into those listed already for the same learner."""
    learner_ids = {one.learner for one in new}
    others = (one for one in known if one.learner not in learner_ids)
    return (*others, *merged(one for one in (*known, *new) if one.learner in learner_ids))


def merged(updates: Iterable[Update]) -> list[Update]:
    """Return what changed for one learner over several transactions: each figure from its first value to its last."""
    found: dict[tuple[int, bool, str, Value], Update] = {}
    for one in updates:
        is_grant = one.field in _GRANTS
        key = (one.run, is_grant, one.field, one.new if is_grant else None)
        found[key] = found[key]._replace(new=one.new) if key in found else one
    return sorted((one for one in found.values() if one.old != one.new), key=_order_of)


def _order_of(one: Update) -> tuple[int, int]:
    """Sort by run; in each run the figures first, then the grants in the order given."""
    return one.run, _ORDER.index(one.field) if one.field in _ORDER else len(_ORDER)
