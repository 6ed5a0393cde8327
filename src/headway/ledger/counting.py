"""Counting: whatever moves an enrolled learner's figures moves the counters of the course, by after minus before.

Most events move one step of a learner in the first run: that is worked out from what the batch knows. For all others
the learner's whole is read before the sums are written, and again after.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy.engine import Connection

from headway.domain.course import Course, Module
from headway.domain.enrolled import (
    Enrolled,
    concluded,
    figure_of,
    is_touched,
)
from headway.domain.facts import COURSE_COMPLETED, MODULE_COMPLETED
from headway.domain.module_scores import step_score
from headway.domain.progress import FIRST_RUN, Grant, StepSum
from headway.domain.standing import Standing
from headway.domain.sums import GrantKey, RunKey
from headway.ledger.memory import ModuleKey
from headway.ledger.recounts import Recounts
from headway.ledger.tally import UNTOUCHED, Tally
from headway.ledger.watched import Watched
from headway.ledger.wholes import Wholes
from headway.store import roster, rows, sums
from headway.store.catalog import Catalog
from headway.store.roster import Pair

# A step's key, its sum before, and its sum after.
_Moved = tuple[str, StepSum, StepSum]


class Learner(Protocol):
    """A learner locked by this transaction."""

    id: str
    standing: Standing
    modules: dict[ModuleKey, Watched]


class Counting:
    """What one transaction does to rosters and counters.

    `known` are the rows of rosters looked up so far, None for learners who are not enrolled.
    """

    def __init__(self, connection: Connection, catalog: Catalog) -> None:
        self.connection = connection
        self.catalog = catalog
        self.known: dict[Pair, Enrolled | None] = {}
        self._tally = Tally()
        # Changed rows, grouped by the columns that stay unchanged.
        self._rows: dict[tuple[str, ...], dict[Pair, Enrolled]] = {}
        self._recounts: Recounts | None = None
        self._whole: Wholes | None = None

    def note(self, pairs: Iterable[Pair], found: Mapping[Pair, Enrolled]) -> None:
        """Note which of these (learner, course) pairs are in rosters."""
        self.known |= {pair: found.get(pair) for pair in pairs}

    def look(
        self,
        learners: Mapping[str, Learner],
        read: Mapping[sums.SumKind, Mapping[tuple[str, Any], Any]],
        changed: Mapping[sums.SumKind, Sequence[tuple[str, Any, Any]]],
        courses: Mapping[str, tuple[int, Course]],
    ) -> list[rows.Addition]:
        """Work out what changed sums move, before they are written; return the rows of rosters to write with them."""
        moves = _Moves(read, changed)
        whole, passing = set[Pair](), dict[Pair, dict[GrantKey, Grant]]()
        for pair in moves.pairs:
            row, in_force = self.known.get(pair), courses.get(pair[1])
            enrolls = pair in moves.enrollments
            if row is None and pair in self.known and not enrolls:
                continue
            learner = learners[pair[0]]
            if row is not None and in_force is not None and not enrolls and self._move(moves, learner, row, in_force):
                continue
            if moves.is_granted_alone(pair):
                passing[pair] = moves.grants[pair]
            else:
                whole.add(pair)
        self._recounts = Recounts(self.connection, self.catalog, passing) if passing else None
        whole |= self._recounts.left if self._recounts else set()
        self._whole = Wholes(self.connection, self.catalog, whole) if whole else None
        return [roster.rows_written(changed, *keeps) for keeps, changed in self._rows.items()]

    def write(self) -> None:
        """Write the counters, after the sums were written."""
        for one in (self._recounts, self._whole):
            if one is not None:
                one.write(self._tally)
        roster.add(self.connection, self._tally.by)
        self._tally, self._rows, self._recounts, self._whole = Tally(), {}, None, None

    def _move(self, moves: "_Moves", learner: Learner, row: Enrolled, in_force: tuple[int, Course]) -> bool:
        """Count an enrolled learner's moved steps; return False if that takes more than the batch knows.

        That is so for retakes, and where the learner was counted by another version.
        """
        version, course = in_force
        pair, held = (learner.id, course.id), learner.standing.sums
        if row.version != version or held.current_run(course.id) > FIRST_RUN:
            return False
        steps = [one for one in moves.steps.get(pair, ()) if one[0] in course.numbers]
        parts = list(_Part.of(learner, version, course, steps))
        if not moves.modules.get(pair, set()) <= {part.module.key for part in parts}:
            return False
        after = row._replace(
            steps_completed=row.steps_completed + sum(map(_completed, steps)),
            last_step=_last_step(course, row, steps),
            score_total=row.score_total + sum(self._move_module(moves, learner, course, part) for part in parts),
            active_at=max(row.active_at, held.runs[RunKey(course.id, FIRST_RUN)].active_at),
        )
        after = concluded(after, course, held.grants.get(GrantKey(course.id, FIRST_RUN, COURSE_COMPLETED, "")))
        for key, before, now in moves.steps.get(pair, ()):
            self._tally.step(course.id, key, before, now)
        if after != row:
            self._note(pair, row, after)
        return True

    def _note(self, pair: Pair, row: Enrolled, after: Enrolled) -> None:
        """Have a row of the roster written, and count its change."""
        keeps: tuple[str, ...] = () if after.status != row.status else roster.AS_BEFORE
        if after._replace(active_at=row.active_at) == row:
            keeps = roster.ACTIVE_ALONE
        else:
            self._tally.learner(pair[1], row, after)
        self._rows.setdefault(keeps, {})[pair] = self.known[pair] = after

    def _move_module(self, moves: "_Moves", learner: Learner, course: Course, part: "_Part") -> int:
        """Move a module's counters; return the change of its score times its weight in the course."""
        key = GrantKey(course.id, FIRST_RUN, MODULE_COMPLETED, part.module.key)
        granted = learner.standing.sums.grants.get(key), moves.read[sums.GRANTS].get((learner.id, key))
        now = figure_of(part.module, part.reached, granted[0], touched=part.is_touched)
        before = figure_of(part.module, part.reached_before, granted[1], touched=part.was_touched)
        if now == before:
            return 0
        self._tally.modules(course.id, {part.module.key: before}, {part.module.key: now})
        return part.module.weight * ((now.score if now else 0) - (before.score if before else 0))


class _Part:
    """A module with moved steps: what was reached of it, before and now."""

    def __init__(self, module: Module, watched: Watched, steps: Sequence[_Moved]) -> None:
        self.module = module
        self.reached = self.reached_before = watched.reached
        for key, before, after in steps:
            share = watched.share(key)
            if share is not None:
                self.reached_before -= share.parts * (
                    step_score(after, share.policy) - step_score(before, share.policy)
                )
        self.was_touched = any(is_touched(before) for _, before, _ in steps) or _any_other(watched, steps)
        self.is_touched = self.was_touched or any(is_touched(after) for _, _, after in steps)

    @classmethod
    def of(cls, learner: Learner, version: int, course: Course, steps: Iterable[_Moved]) -> "Iterator[_Part]":
        """Yield the modules that are followed; in the others, these steps count in every rule as they did before."""
        by_module: dict[str, list[_Moved]] = {}
        for one in steps:
            module = course.module_of(course.steps[course.numbers[one[0]]].id)
            if module is not None:
                by_module.setdefault(module.id, []).append(one)
        for name, moved in by_module.items():
            watched = learner.modules.get(ModuleKey(course.id, version, FIRST_RUN, name))
            if watched is not None:
                yield cls(watched.module, watched, moved)


def _any_other(watched: Watched, steps: Iterable[_Moved]) -> bool:
    moved = {key for key, _, _ in steps}
    return any(is_touched(one) for key, one in watched.sums.items() if key not in moved)


def _completed(one: _Moved) -> int:
    _, before, after = one
    return (after.completion is not None) - (before.completion is not None)


def _last_step(course: Course, row: Enrolled, steps: Iterable[_Moved]) -> str:
    known = [key for key, _, after in steps if is_touched(after)]
    return max([row.last_step, *known], key=lambda key: course.numbers.get(key, -1))


class _Moves:
    """What a transaction moves, by learner and course."""

    def __init__(
        self,
        read: Mapping[sums.SumKind, Mapping[tuple[str, Any], Any]],
        changed: Mapping[sums.SumKind, Sequence[tuple[str, Any, Any]]],
    ) -> None:
        self.read = read
        self.steps: dict[Pair, list[_Moved]] = {}
        for learner_id, key, after in changed[sums.STEPS]:
            before = read[sums.STEPS].get((learner_id, key)) or UNTOUCHED
            self.steps.setdefault((learner_id, key.course), []).append((key.step, before, after))
        # Modules that this transaction completes.
        self.modules: dict[Pair, set[str]] = {}
        self.grants: dict[Pair, dict[GrantKey, Grant]] = {}
        for learner_id, key, grant in changed[sums.GRANTS]:
            self.grants.setdefault((learner_id, key.course), {})[key] = grant
            if key.kind == MODULE_COMPLETED and (learner_id, key) not in read[sums.GRANTS]:
                self.modules.setdefault((learner_id, key.course), set()).add(key.module)
        self.runs = {(learner_id, key.course) for learner_id, key, _ in changed[sums.RUNS]}
        self.enrollments = {(learner_id, course_id) for learner_id, course_id, _ in changed[sums.ENROLLMENTS]}

    @property
    def pairs(self) -> Iterable[Pair]:
        """All (learner, course) pairs for which anything moves, in order."""
        return sorted(self.steps.keys() | self.grants.keys() | self.runs | self.enrollments)

    def is_granted_alone(self, pair: Pair) -> bool:
        """Return whether nothing but grants moves, as when learners are judged by a new version."""
        return pair in self.grants and pair not in self.steps and pair not in self.runs | self.enrollments
