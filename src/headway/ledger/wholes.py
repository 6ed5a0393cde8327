"""Learners in courses whose whole is read before anything of it moves, and again after."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Connection

from headway.domain.course import Course
from headway.domain.enrolled import Enrolled, Whole, modules_of, whole_of
from headway.ledger.tally import Tally
from headway.store import roster, rows, sums
from headway.store.catalog import Catalog
from headway.store.roster import Pair, StoredLearner


class Wholes:
    """Learners who enroll, leave, or must be recounted whole for another reason."""

    def __init__(self, connection: Connection, catalog: Catalog, pairs: Iterable[Pair]) -> None:
        self.connection = connection
        self.catalog = catalog
        self.pairs = sorted(pairs)
        self.before = roster.stored(connection, self.pairs)

    def write(self, tally: Tally) -> None:
        """Write the rows of rosters as they are now, and add the changes of the counters to a tally."""
        now = roster.stored(self.connection, self.pairs)
        in_force = self.catalog.in_force(self.connection, {course_id for _, course_id in self.pairs})
        was = {(pair[1], one.row.version) for pair, one in self.before.items() if one.row is not None}
        versions = self.catalog.load(self.connection, was)
        made: dict[Pair, Enrolled] = {}
        gone = list[Pair]()
        for pair in self.pairs:
            before, after = self.before[pair], now[pair]
            if before.row is not None and (course := versions.get((pair[1], before.row.version))) is not None:
                tally.whole(pair[1], Whole(before.row, before.record, modules_of(course, before.record)), -1)
            whole = _whole(after, in_force.get(pair[1]))
            if whole is None and after.row is not None:
                gone.append(pair)
            elif whole is not None:
                tally.whole(pair[1], whole, 1)
                made[pair] = whole.row
        rows.add_together(self.connection, roster.rows_written(made))
        sums.remove(self.connection, sums.ROSTER, gone)


def _whole(one: StoredLearner, in_force: tuple[int, Course] | None) -> Whole | None:
    if one.name is None or not one.enrollment.enrolled or in_force is None:
        return None
    return whole_of(*in_force, one.name, one.enrollment, one.record)


@contextmanager
def counted(connection: Connection, catalog: Catalog, pairs: Iterable[Pair]) -> Iterator[None]:
    """Have counters follow what the body does to learners in courses, who are locked, outside of a batch."""
    whole = Wholes(connection, catalog, pairs)
    yield
    tally = Tally()
    whole.write(tally)
    roster.add(connection, tally.by)
