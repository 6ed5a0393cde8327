"""Learners in courses who are counted anew while no step of theirs moves: by a new version, or for what it grants."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from sqlalchemy.engine import Connection

from headway.domain.enrolled import Enrolled
from headway.domain.facts import COURSE_COMPLETED, MODULE_COMPLETED
from headway.domain.progress import FIRST_RUN, Grant, StepSum
from headway.domain.recounting import Grants, Recount, Recounted
from headway.domain.sums import GrantKey
from headway.ledger.impact import LOOKED_UP
from headway.ledger.tally import Tally
from headway.store import roster, rows, sums
from headway.store.catalog import Catalog
from headway.store.roster import Counted, Pair

# What is granted to a learner in a course.
Given: TypeAlias = Mapping[GrantKey, Grant]
_KINDS: Final = (MODULE_COMPLETED, COURSE_COMPLETED)


class _One(NamedTuple):
    """A learner in a course: the row by the version before, and grants as they were and as they will be."""

    pair: Pair
    row: Enrolled
    grants: tuple[Grants, Grants]
    version: int
    by: Recount

    @property
    def is_whole(self) -> bool:
        """Whether all steps are to be known."""
        return self.by.takes_all(self.row)


class Recounts:
    """Looks at learners before that is written; `left` are those who must be gone through whole.

    Of retakes, that is, and of those who are in no roster yet, or by no version that there is.
    """

    def __init__(self, connection: Connection, catalog: Catalog, given: Mapping[Pair, Given]) -> None:
        self.connection = connection
        self.left = set[Pair]()
        self._made: list[tuple[_One, Recounted]] = []
        known = roster.counted(connection, given)
        found = list(self._found(catalog, known, given))
        steps = self._steps(found)
        for one in found:
            self._made.append((one, one.by.counted(one.row, one.version, steps[one.pair], one.grants)))

    def _found(self, catalog: Catalog, known: Mapping[Pair, Counted], given: Mapping[Pair, Given]) -> "Iterable[_One]":
        in_force = catalog.in_force(self.connection, {course_id for _, course_id in given})
        rows_there = {pair: one.row for pair, one in known.items() if one.row is not None}
        versions = catalog.load(self.connection, {(pair[1], row.version) for pair, row in rows_there.items()})
        recounts: dict[tuple[str, int], Recount] = {}
        for pair in sorted(given):
            one, now = known[pair], in_force.get(pair[1])
            before = versions.get((pair[1], one.row.version)) if one.row is not None else None
            if one.row is None and not one.is_enrolled:
                continue
            if one.row is None or before is None or now is None or one.run > FIRST_RUN:
                self.left.add(pair)
                continue
            by = recounts.setdefault((pair[1], one.row.version), Recount(before, now[1]))
            new = {(key.kind, key.module): grant for key, grant in given[pair].items() if key.kind in _KINDS}
            yield _One(pair, one.row, (one.grants, {**one.grants, **new}), now[0], by)

    def _steps(self, found: Sequence[_One]) -> dict[Pair, dict[str, StepSum]]:
        """What is known of the steps that it takes."""
        steps: dict[Pair, dict[str, StepSum]] = {one.pair: {} for one in found}
        of_runs: list[tuple[str, str, int]] = []
        by_key: list[tuple[str, str, int, str]] = []
        for one in found:
            place = (*one.pair, FIRST_RUN)
            keys = one.by.steps(one.grants)
            if one.is_whole or len(keys) > LOOKED_UP * len(one.by.after.steps):
                of_runs.append(place)
            else:
                by_key += [(*place, key) for key in sorted(keys)]
        asked = ((sums.STEP_SCORES_OF_RUN, of_runs), (sums.STEP_SCORES, by_key))
        for _, listed in sums.read_together(self.connection, asked):
            for learner_id, key, one in listed:
                steps[learner_id, key.course][key.step] = one
        return steps

    def write(self, tally: Tally) -> None:
        """Put the rows of rosters as they are to be now, and add to a tally by how much the counters move."""
        made: dict[tuple[str, ...], dict[Pair, Enrolled]] = {}
        for one, (row, before, after) in self._made:
            tally.modules(one.pair[1], before, after)
            if row != one.row:
                tally.learner(one.pair[1], one.row, row)
                keeps = roster.VERSION_ALONE if row == one.row._replace(version=row.version) else ()
                made.setdefault(keeps, {})[one.pair] = row
        rows.add_together(self.connection, *(roster.rows_written(some, *keeps) for keeps, some in made.items()))
