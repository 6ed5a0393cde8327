"""What rules say yes to and nobody was granted: found by audit, given by rebuild."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy.engine import Connection

from headway.domain import gating
from headway.domain.course import Course
from headway.domain.gating import Due
from headway.domain.sums import RunKey, Sums
from headway.ledger.refold import Refolded
from headway.store import courses
from headway.store.catalog import Catalog


class Ungranted:
    """Looks at the runs that learners are in, of courses by whose version in force everybody was judged."""

    def __init__(self, connection: Connection, catalog: Catalog, course_ids: Iterable[str]) -> None:
        judged = courses.judged(connection, set(course_ids))
        self._courses = {course_id: found[1] for course_id, found in catalog.of_versions(connection, judged).items()}

    def of(self, refolded: Refolded) -> Iterator[tuple[RunKey, Due]]:
        """What a learner is due and has not been granted, by what the ledger comes to."""
        if not refolded.is_somebody:
            return
        sums = refolded.sums
        for course_id in sorted({key.course for key in sums.runs} & self._courses.keys()):
            key = RunKey(course_id, sums.current_run(course_id))
            for one in _due(self._courses[course_id], sums, key):
                yield key, one


def _due(course: Course, sums: Sums, run: RunKey) -> list[Due]:
    def of_run(key: Any) -> bool:
        return (key.course, key.run) == run

    steps = {key.step: one for key, one in sums.steps.items() if of_run(key)}
    held = {(key.kind, key.module): one for key, one in sums.grants.items() if of_run(key)}
    return gating.due_of_all(course, steps, held)
