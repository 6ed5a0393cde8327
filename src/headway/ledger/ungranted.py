"""Grants that are due by the rules and missing: found by audit, given by rebuild."""

from collections.abc import Iterable, Iterator

from sqlalchemy.engine import Connection

from headway.domain import gating
from headway.domain.gating import DueGrant
from headway.domain.sums import RunKey
from headway.ledger.refold import Refolded
from headway.store import courses
from headway.store.catalog import Catalog, CourseDamaged


class Ungranted:
    """Checks learners' current runs of courses by whose version in force everybody was judged.

    A learner in a course whose version in force is damaged cannot be judged at all: achievements and levels depend on
    all that a learner did.
    """

    def __init__(self, connection: Connection, catalog: Catalog, course_ids: Iterable[str]) -> None:
        in_force = courses.judged(connection, set(course_ids))
        found, damaged = catalog.undamaged(connection, ((one, version) for one, (version, _) in in_force.items()))
        self._courses = {course_id: course for (course_id, _), course in found.items() if in_force[course_id][1]}
        self._damaged = {course_id: damage for (course_id, _), damage in damaged.items()}

    def damage_of(self, refolded: Refolded) -> Iterator[CourseDamaged]:
        """Yield the damage by which some of a learner's runs cannot be judged."""
        if refolded.is_somebody:
            for course_id in sorted({key.course for key in refolded.sums.runs} & self._damaged.keys()):
                yield self._damaged[course_id]

    def of(self, refolded: Refolded) -> Iterator[tuple[RunKey, DueGrant]]:
        """Yield what is due to a learner by the refolded sums and has not been granted."""
        if not refolded.is_somebody:
            return
        sums = refolded.sums
        for course_id in sorted({key.course for key in sums.runs} & self._courses.keys()):
            key = RunKey(course_id, sums.current_run(course_id))
            for one in gating.due_of_all(self._courses[course_id], *sums.of_run(key)):
                yield key, one
