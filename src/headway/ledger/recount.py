"""Recounting: after a version was published, count every enrolled learner by it, while recording goes on."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy.engine import Connection

from headway.domain.course import Course
from headway.domain.enrolled import Enrolled, Whole, modules_of, whole_of
from headway.ledger.commit import committed
from headway.ledger.faults import Fault
from headway.ledger.recounts import Recounts
from headway.ledger.refold import Refolded, cannot_be_judged
from headway.ledger.resting import Progress
from headway.ledger.tally import Tally
from headway.ledger.versions import passing_over_damage
from headway.ledger.wholes import Wholes
from headway.store import courses, learners, roster, sums
from headway.store.catalog import Catalog, CourseDamaged
from headway.store.database import Database
from headway.store.roster import Counters
from headway.store.schema import course_counter, step_counter

# Recording for these learners waits while they are written.
LEARNERS_A_TRANSACTION: Final = 250
LEARNERS_A_PAGE: Final = 200
_FIGURES: Final = tuple(column.name for column in step_counter.c if not column.primary_key)


def recount(database: Database, catalog: Catalog, course_id: str, progress: Progress = lambda _: None) -> int:
    """Count the learners of a course not yet counted by its version in force, and return how many they were."""
    done = 0

    def work(connection: Connection) -> int:
        row = courses.find(connection, course_id)
        if row is None:
            return 0
        ids = roster.not_of_version(connection, course_id, row["version"], LEARNERS_A_TRANSACTION)
        learners.lock(connection, ids)
        recounts, tally = Recounts(connection, catalog, {(one, course_id): {} for one in ids}), Tally()
        whole = Wholes(connection, catalog, recounts.left)
        recounts.write(tally)
        whole.write(tally)
        roster.add(connection, tally.by)
        return len(ids)

    while some := committed(database, work):
        done += some
        progress(some)
    return done


def recount_pending(database: Database, catalog: Catalog, progress: Progress = lambda _: None) -> int:
    """Resume recounts that broke off, count learners no version has counted yet, and return how many they were."""
    with database.read() as connection:
        waiting = roster.behind(connection)
    done = 0
    for course_id in waiting:
        with passing_over_damage():
            done += recount(database, catalog, course_id, progress)
    return done


def with_rosters(
    connection: Connection,
    catalog: Catalog,
    stored: Mapping[str, Mapping[sums.SumKind, Mapping[Any, Any]]],
    folded: Iterable[Refolded],
) -> Iterator[Refolded]:
    """Yield what ledgers come to, with the rows that rosters should have.

    They are worked out by the version in force or, if a recount has yet to reach the learner, by the one that the
    stored row names.
    """
    names = roster.names_of(connection, stored)
    known = _InForce(connection, catalog)
    for one in folded:
        name = names.get(one.learner_id)
        enrolled = {} if name is None else {key: by for key, by in one.sums.enrollments.items() if by.enrolled}
        in_force = known.versions(enrolled)
        was = stored[one.learner_id][sums.ROSTER]
        try:
            rows = {
                course_id: _row(known, one, course_id, was.get(course_id), name or "")
                for course_id in enrolled
                if course_id in in_force
            }
        except CourseDamaged as damage:
            yield one._replace(broken=[*one.broken, cannot_be_judged(one.learner_id, damage)])
        else:
            yield one._replace(rosters=rows)


class _InForce:
    """The versions of courses in force, each read once, and their content."""

    def __init__(self, connection: Connection, catalog: Catalog) -> None:
        self._connection = connection
        self._catalog = catalog
        self._known: dict[str, int] = {}
        self._asked = set[str]()

    def versions(self, course_ids: Iterable[str]) -> Mapping[str, int]:
        new = set(course_ids) - self._asked
        self._asked |= new
        self._known |= courses.versions(self._connection, new) if new else {}
        return self._known

    def course(self, course_id: str, version: int) -> Course:
        pair = (course_id, version)
        return self._catalog.load(self._connection, [pair])[pair]


def _row(known: _InForce, one: Refolded, course_id: str, stored: Any, name: str) -> Enrolled:
    version = known.versions(())[course_id]
    before: Enrolled | None = None if stored is None else sums.ROSTER.read_value(stored)
    if before is not None and before.version <= 0:
        return before
    if before is not None:
        version = min(version, before.version)
    record = roster.record_in(one.sums, course_id)
    return whole_of(version, known.course(course_id, version), name, one.sums.enrollments[course_id], record).row


def true_counters(connection: Connection, catalog: Catalog, course_id: str) -> Counters:
    """What the counters of a course should be, from the sums of its enrolled learners: all in this snapshot."""
    tally = Tally()
    versions = roster.versions(connection, course_id)
    known = catalog.load(connection, [(course_id, one) for one in versions])
    for version in versions:
        course = known.get((course_id, version))
        after = ""
        while course is not None and (ids := roster.page(connection, course_id, version, after, LEARNERS_A_PAGE)):
            for stored in roster.stored(connection, [(one, course_id) for one in ids]).values():
                if stored.row is not None:
                    tally.whole(course_id, Whole(stored.row, stored.record, modules_of(course, stored.record)), 1)
            after = ids[-1]
    steps = {key: figures for key, figures in tally.by.steps.items() if any(figures)}
    return Counters(steps, {key: n for key, n in tally.by.counts.items() if n})


def difference(connection: Connection, catalog: Catalog, course_id: str) -> Counters:
    """Return what must be added to the counters of a course to make them right."""
    stored, true = roster.counters(connection, course_id), true_counters(connection, catalog, course_id)
    nothing = [0] * len(_FIGURES)
    steps = {
        key: [
            one - other for one, other in zip(true.steps.get(key, nothing), stored.steps.get(key, nothing), strict=True)
        ]
        for key in true.steps.keys() | stored.steps.keys()
    }
    counts = {
        key: true.counts.get(key, 0) - stored.counts.get(key, 0) for key in true.counts.keys() | stored.counts.keys()
    }
    return Counters({key: by for key, by in steps.items() if any(by)}, {key: n for key, n in counts.items() if n})


def of_counters(connection: Connection, catalog: Catalog, course_id: str) -> Iterator[Fault]:
    """Counters of a course that are not the sums over its enrolled learners; none where a version is damaged."""
    try:
        by = difference(connection, catalog, course_id)
    except CourseDamaged:  # reported for the course, or for the learners in it
        return
    yield from _faults_of(course_id, by, roster.counters(connection, course_id))


def _faults_of(course_id: str, by: Counters, stored: Counters) -> Iterator[Fault]:
    for key, moved in sorted(by.steps.items()):
        was = stored.steps.get(key, [0] * len(_FIGURES))
        for name, n, figure in zip(_FIGURES, moved, was, strict=True):
            if n:
                yield Fault(step_counter.name, "", "/".join(key), name, figure, figure + n)
    for (_, count), n in sorted(by.counts.items()):
        figure = stored.counts.get((course_id, count), 0)
        yield Fault(course_counter.name, "", "/".join(map(str, (course_id, *count))), "learners", figure, figure + n)


def mend_counters(
    database: Database, catalog: Catalog, course_ids: Callable[[Connection], Iterable[str]]
) -> Iterator[list[Fault]]:
    """Correct the counters of courses by the difference found in one snapshot, and yield what was wrong after each.

    The difference is added, so concurrent recording, which moves stored and true counters alike, does no harm.
    """
    with database.read() as connection:
        wanted = sorted(course_ids(connection))
    for course_id in wanted:
        with passing_over_damage():
            with database.read() as connection:
                by, stored = difference(connection, catalog, course_id), roster.counters(connection, course_id)
            if by.steps or by.counts:
                with database.transaction() as connection:
                    roster.add(connection, by)
                yield list(_faults_of(course_id, by, stored))
