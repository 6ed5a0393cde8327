"""What rules say yes to and nobody was granted: found by audit, given by rebuild."""

from collections.abc import Iterable, Iterator

from sqlalchemy.engine import Connection

from headway.domain import gating
from headway.domain.gating import Due
from headway.domain.sums import RunKey
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
            for one in gating.due_of_all(self._courses[course_id], *sums.of_run(key)):
                yield key, one
