"""Sweeping: after a version was published, judge every learner of the course by it, while recording goes on."""

import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

import structlog
from sqlalchemy.engine import Connection

from headway.domain.impact import Succession
from headway.ledger.batch import Batch
from headway.ledger.commit import committed, log_statuses
from headway.ledger.granting import Granting
from headway.ledger.impact import Impact, Surveyed, look, pages
from headway.ledger.portions import portions
from headway.ledger.resting import Progress
from headway.ledger.submission import StatusChange
from headway.ledger.versions import passing_over_damage
from headway.store import courses, learners
from headway.store.catalog import Catalog
from headway.store.database import Database

log = structlog.get_logger()

# Recording for these learners waits while they are written.
GRANTS_A_TRANSACTION: Final = 250
NOTED_EVERY_S: Final = 1.0
PATIENCE_S: Final = 30.0
_PAUSE_S: Final = 0.005


def sweep_pending(
    database: Database,
    catalog: Catalog,
    *,
    now: Callable[[], int],
    progress: Progress = lambda _: None,
    but: AbstractSet[str] = frozenset(),
) -> int:
    """Resume sweeps that broke off and that nobody is running, and return how many were completed.

    `but` are learners whose sums are not to be trusted: nothing is granted to them.
    """
    done = 0
    with database.read() as connection:
        pending = courses.pending(connection)
    for course_id in pending:
        with passing_over_damage(), database.alone(wait=False) as alone:
            begun = _begin(database, catalog, course_id, now()) if alone else None
            if begun is not None:
                for page in begun.run(but):
                    progress(len(page))
                done += 1
    return done


def sweep(database: Database, catalog: Catalog, course_id: str, *, now: int, all_known: bool = True) -> Impact | None:
    """Judge all learners of a course by its version in force, and return the impact; None if all were judged.

    A sweep that broke off is resumed. The caller must hold the exclusive lock, so that nobody else gives what is
    reported.
    """
    begun = _begin(database, catalog, course_id, now)
    if begun is None:
        return None
    impact = Impact()
    for page in begun.run():
        for surveyed in page:
            impact.add(surveyed, all_known=all_known)
    return impact


def _begin(database: Database, catalog: Catalog, course_id: str, now: int) -> "_Sweep | None":
    with database.read() as connection:
        found = _versions(connection, catalog, course_id)
    if found is None:
        return None
    await_readers(database, courses.readers)
    return _Sweep(database, catalog, found, now)


class _Versions(NamedTuple):
    """The version in force, and the one before, by which learners with ids after `up_to` were judged."""

    version: int
    succession: Succession
    up_to: str


def _versions(connection: Connection, catalog: Catalog, course_id: str) -> _Versions | None:
    row = courses.find(connection, course_id)
    if row is None or row["judged_version"] == row["version"]:
        return None
    pairs = [(course_id, row[name]) for name in ("judged_version", "version")]
    found = catalog.load(connection, pairs)
    if pairs[1] not in found:  # audit says so of a course without a version
        return None
    return _Versions(row["version"], Succession(found.get(pairs[0]), found[pairs[1]]), row["judged_up_to"] or "")


def await_readers(database: Database, readers: Callable[[Connection], set[str]]) -> None:
    """Wait for transactions that may have read the version before, and whose work no snapshot shows yet.

    Transactions that begin later read the version in force. Gives up after PATIENCE_S seconds, with a warning.
    """
    until = time.monotonic() + PATIENCE_S
    ahead: set[str] | None = None
    while ahead is None or (ahead and time.monotonic() < until):
        with database.read() as connection:
            found = readers(connection)
        ahead = found if ahead is None else ahead & found
        if ahead:
            time.sleep(_PAUSE_S)
    if ahead:
        log.warning("swept_beside_long_transactions", transactions=len(ahead))


class _Sweep:
    """Surveys learners in snapshots, and locks only those to whom something is to be granted."""

    def __init__(self, database: Database, catalog: Catalog, versions: _Versions, now: int) -> None:
        self.database = database
        self.catalog = catalog
        self.versions = versions
        self.now = now

    def run(self, but: AbstractSet[str] = frozenset()) -> Iterator[list[Surveyed]]:
        """Judge all learners except those in `but`, and yield page by page the effect on each."""
        noted, succession = time.monotonic(), self.versions.succession
        for looked in pages(self.database, succession, self.versions.up_to):
            page = [one.judged(succession, self.now) for one in looked if one.learner_id not in but]
            judged = {one.learner_id: one for one in page if not one.effect.due}
            given = (one for one in page if one.effect.due)
            for portion in portions(given, lambda one: len(one.effect.due), GRANTS_A_TRANSACTION):
                judged |= self._give(portion)
            yield [judged[learner_id] for learner_id in sorted(judged)]
            if time.monotonic() - noted > NOTED_EVERY_S:
                noted = time.monotonic()
                self._note(looked[-1].learner_id)
        self._note(None)

    def _note(self, up_to: str | None) -> None:
        course_id, version = self.versions.succession.after.id, self.versions.version
        committed(self.database, lambda connection: courses.note_judged(connection, course_id, version, up_to))

    def _give(self, portion: Sequence[Surveyed]) -> dict[str, Surveyed]:
        """Grant a portion of learners what is due; after a lost COMMIT they are found to have it already."""
        given: dict[str, Surveyed] = {}
        statuses: list[StatusChange] = []

        def work(connection: Connection) -> None:
            judged, found = self._judge(connection, portion)
            statuses.extend(found)
            given.update((one.learner_id, one) for one in judged if one.effect.due or one.learner_id not in given)

        committed(self.database, work)
        log_statuses(dict.fromkeys(statuses))
        return given

    def _judge(
        self, connection: Connection, portion: Sequence[Surveyed]
    ) -> tuple[list[Surveyed], Sequence[StatusChange]]:
        """Grant locked learners what was found to be due; those who have moved since are judged again."""
        version, succession, _ = self.versions
        course_id = succession.after.id
        batch = Batch(connection, self.catalog)
        locked = learners.lock(connection, [one.learner_id for one in portion]).values()
        batch.enter(one for one in locked if one.is_alive)
        batch.courses = {course_id: (version, succession.after)}
        marks = learners.marks(connection, batch.learners)
        still = [one for one in portion if one.learner_id in marks and marks[one.learner_id] == one.mark]
        moved = [(one.learner_id, one.run) for one in portion if marks.get(one.learner_id, one.mark) != one.mark]
        judged = [*still, *(one.judged(succession, self.now) for one in look(connection, succession, moved))]
        granting = Granting(batch)
        for one in judged:
            batch.learners[one.learner_id].head = marks[one.learner_id][0]
            place = (one.learner_id, course_id, one.run)
            granting.give(place, one.effect.due, f"version:{version}", self.now)
        batch.write()
        return judged, granting.statuses
