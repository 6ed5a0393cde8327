"""Recount learners in courses while no step of theirs moves: by a new version, or because of a grant."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from sqlalchemy.engine import Connection

from headway.domain.enrolled import Enrolled
from headway.domain.facts import COURSE_COMPLETED, MODULE_COMPLETED
from headway.domain.progress import FIRST_RUN, Grant, StepSum
from headway.domain.recounting import Grants, Recount, Recounted
from headway.domain.sums import GrantKey
from headway.ledger.tally import Tally
from headway.store import roster, rows, sums
from headway.store.catalog import Catalog
from headway.store.roster import Counted, Pair

# The new grants of a learner in a course.
GrantsByKey: TypeAlias = Mapping[GrantKey, Grant]
_KINDS: Final = (MODULE_COMPLETED, COURSE_COMPLETED)


class _One(NamedTuple):
    """A learner in a course: the row by the version before, the number of the one in force, and the new grants.

    `modules` are the keys of the modules to look at.
    """

    pair: Pair
    row: Enrolled
    version: int
    by: Recount
    new: Grants
    modules: frozenset[str]

    @property
    def is_whole(self) -> bool:
        """Whether the sums of all steps are needed."""
        return self.by.takes_all(self.row)


class _Known(NamedTuple):
    """What is stored of a learner in a course: steps by key, and grants."""

    steps: dict[str, StepSum]
    grants: dict[tuple[str, str], Grant]


class Recounts:
    """Recounts learners before the grants in `given` are written; `left` are those whose whole must be read instead.

    These are retakes, learners who are in no roster yet, and those counted by a version that does not exist.
    """

    def __init__(self, connection: Connection, catalog: Catalog, given: Mapping[Pair, GrantsByKey]) -> None:
        self.connection = connection
        self.left = set[Pair]()
        found = list(self._found(catalog, roster.counted(connection, given), given))
        known = self._known(found)
        self._made = [(one, _recounted(one, known[one.pair])) for one in found]

    def _found(
        self, catalog: Catalog, known: Mapping[Pair, Counted], given: Mapping[Pair, GrantsByKey]
    ) -> Iterator[_One]:
        in_force = catalog.in_force(self.connection, {course_id for _, course_id in given})
        pairs = {(pair[1], one.row.version) for pair, one in known.items() if one.row is not None}
        versions = catalog.load(self.connection, pairs)
        recounts = {
            place: Recount(before, in_force[place[0]][1]) for place, before in versions.items() if place[0] in in_force
        }
        for pair in sorted(given):
            row, run, is_enrolled = known[pair]
            by = None if row is None else recounts.get((pair[1], row.version))
            if row is None and not is_enrolled:
                continue
            if row is None or by is None or run > FIRST_RUN:
                self.left.add(pair)
                continue
            new = {(key.kind, key.module): grant for key, grant in given[pair].items() if key.kind in _KINDS}
            yield _One(pair, row, in_force[pair[1]][0], by, new, by.modules(new))

    def _known(self, found: Sequence[_One]) -> dict[Pair, _Known]:
        """Read what is needed to recount these learners, in one statement."""
        known = {one.pair: _Known({}, {}) for one in found}
        places = [((*one.pair, FIRST_RUN), one.is_whole) for one in found]
        looked_at = {(one.by, one.modules) for one in found}
        steps = set[str]().union(*(by.steps(modules) for by, modules in looked_at))
        # Grants of the course have an empty module key.
        modules = {""}.union(*(modules for _, modules in looked_at))
        asked = (
            sums.WantedSums(sums.STEP_SCORES_OF_RUN, [place for place, is_whole in places if is_whole]),
            sums.WantedSums(sums.SOME_STEP_SCORES_OF_RUN, [place for place, is_whole in places if not is_whole], steps),
            sums.WantedSums(sums.GRANTS_OF_MODULES, [place for place, _ in places], modules),
        )
        (_, whole), (_, some), (_, held) = sums.read_together(self.connection, asked)
        for learner_id, key, step in (*whole, *some):
            known[learner_id, key.course].steps[key.step] = step
        for learner_id, granted, grant in held:
            known[learner_id, granted.course].grants[granted.kind, granted.module] = grant
        return known

    def write(self, tally: Tally) -> None:
        """Write the rows of rosters, and add the changes of the counters to a tally."""
        made: dict[tuple[str, ...], dict[Pair, Enrolled]] = {}
        for one, (row, before, after) in self._made:
            tally.modules(one.pair[1], before, after)
            if row != one.row:
                tally.learner(one.pair[1], one.row, row)
                keeps = roster.VERSION_ALONE if row == one.row._replace(version=row.version) else ()
                made.setdefault(keeps, {})[one.pair] = row
        rows.add_together(self.connection, *(roster.rows_written(some, *keeps) for keeps, some in made.items()))


def _recounted(one: _One, known: _Known) -> Recounted:
    return one.by.counted(one.row, one.version, known.steps, known.grants, one.new)
