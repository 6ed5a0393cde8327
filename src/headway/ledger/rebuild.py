"""Rebuild: replace what is stored by what follows from the ledger, learner by learner."""

import time
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.achievements import Definition
from headway.ledger.archive import check_whole
from headway.ledger.audit import (
    folded,
    judgeable,
    of_figures,
    of_grant,
    of_name,
    pages,
    stored_rows,
)
from headway.ledger.backfill import Unachieved, award, backfill_pending
from headway.ledger.boards import Misplaced, recount
from headway.ledger.commit import log_statuses
from headway.ledger.faults import Fault, Found
from headway.ledger.granting import LearnerRun
from headway.ledger.judging import Judging, judge_alone
from headway.ledger.portions import paged, portions
from headway.ledger.recount import mend_counters, recount_pending
from headway.ledger.refold import Refolded
from headway.ledger.resting import Progress
from headway.ledger.site import Site
from headway.ledger.submission import StatusChange
from headway.ledger.sweep import sweep_pending
from headway.ledger.ungranted import Ungranted
from headway.store import courses, entries, identities, learners, roster, runs, sums
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.rows import Row

LEARNERS_A_TRANSACTION = 50
# Each ledger is folded whole; apart from that, this limits how long a transaction makes recording wait.
EVENTS_A_TRANSACTION = 5_000
_ENTRIES_A_STATEMENT = 1_000


class RebuildReport(NamedTuple):
    """How many learners there are, for how many something was mended, and what no rebuild can mend.

    `broken` holds the first of `found` faults, of courses and of the learners in `broken_ids`.
    """

    total: int
    updated: int
    found: int
    broken: list[Fault]
    broken_ids: frozenset[str]

    @property
    def beyond(self) -> int:
        """The number of learners whose ledgers are broken."""
        return len(self.broken_ids)

    @property
    def unchanged(self) -> int:
        """The number of learners for whom all was right."""
        return self.total - self.updated - self.beyond


class Mended(NamedTuple):
    """What was put right for a learner: the figures that differed, and what is earned now.

    Faults of courses and counters, which belong to no learner, have an empty id.
    """

    learner_id: str
    faults: list[Fault]
    had: int = 0
    earned: tuple[str, ...] = ()


def rebuild(
    database: Database,
    catalog: Catalog,
    *,
    learner_id: str | None = None,
    progress: Progress = lambda _: None,
    told: Callable[[Mended], None] = lambda _: None,
    also_pending: bool = False,
) -> RebuildReport:
    """Rebuild all learners or one, several in a transaction, while recording goes on.

    `told` is called with what was mended for each learner, after the commit. With `also_pending`, learners also get
    what they meet of new definitions, and the caller runs a backfill afterwards.
    """
    run = _Rebuild(database, catalog, told, also_pending=also_pending)
    pending = run.begin() if learner_id is None else []
    total = 0
    for ids in _portions(database, pages(database, learner_id, LEARNERS_A_TRANSACTION)):
        run.mend(ids)
        total += len(ids)
        progress(len(ids))
    if learner_id is None:
        run.go_on_judging(pending)
        with database.transaction() as connection:
            miscounted = recount(connection)
        run.tell_of_site(miscounted)
        if not also_pending:
            # After the learners, so that nobody is given what wrong sums seemed to meet.
            backfill_pending(database, catalog, now=_now, but=run.broken_ids)
    of_whom = roster.courses_counted if learner_id is None else lambda _: run.in_courses
    for of_course in mend_counters(database, catalog, of_whom):
        run.tell_of_site(of_course)
    return RebuildReport(total, len(run.updated_ids), run.broken.count, run.broken.first, frozenset(run.broken_ids))


class _Rebuild:
    """Collects what was mended so far, and what cannot be."""

    def __init__(
        self, database: Database, catalog: Catalog, told: Callable[[Mended], None], *, also_pending: bool
    ) -> None:
        self.database = database
        self.catalog = catalog
        self.told = told
        self.also_pending = also_pending
        self.broken = Found()
        self.broken_ids, self.updated_ids, self.in_courses = set[str](), set[str](), set[str]()

    def begin(self) -> list[str]:
        """Mend the courses; return those by whose version in force not all learners were judged."""
        check_whole(self.database)
        with self.database.transaction() as connection:
            site = Site(connection)
            site.mend()
            pending = courses.pending(connection)
        self.catalog.forget(site.versions)
        self.broken.add(site.beyond)
        self.tell_of_site(site.mendable)
        return pending

    def tell_of_site(self, faults: list[Fault]) -> None:
        """Report what was put right and belongs to no learner."""
        if faults:
            self.told(Mended("", faults))

    def mend(self, ids: list[str]) -> None:
        """Put right what follows from the ledgers of learners, given in order of id, and tell of it."""
        statuses = list[StatusChange]()
        with self.database.transaction() as connection:
            mended = list(_mend(connection, self.catalog, ids, statuses, also_pending=self.also_pending))
        log_statuses(statuses)
        for refolded, one in mended:
            if refolded.broken:
                self.broken_ids.add(refolded.learner_id)
                self.broken.add(refolded.broken)
            if one is not None:
                self.updated_ids.add(one.learner_id)
                self.in_courses |= refolded.rosters.keys()
                self.told(one)

    def go_on_judging(self, pending: Iterable[str]) -> None:
        """Resume sweeps and recounts that broke off, after the learners: wrong sums must grant nothing."""
        sweep_pending(self.database, self.catalog, now=_now, but=self.broken_ids)
        for course_id in pending:
            # A sweep looks only at what its version changes; wrong sums may have withheld grants elsewhere.
            for ids in _portions(self.database, _begun(self.database, course_id, self.broken_ids)):
                self.mend(ids)
        recount_pending(self.database, self.catalog)


def _begun(database: Database, course_id: str, but: AbstractSet[str]) -> Iterator[list[str]]:
    """Yield the ids of a course's learners except those in `but`, in order, page by page."""

    def read(connection: Connection, after: str) -> list[str]:
        return [one for one, _ in runs.page(connection, course_id, after, LEARNERS_A_TRANSACTION)]

    for page in paged(database, read, str):
        yield [one for one in page if one not in but]


def _now() -> int:
    return time.time_ns() // 1000


def _portions(database: Database, paged: Iterable[list[str]]) -> Iterator[list[str]]:
    """Yield the learners of one transaction each: several, or one with a long ledger."""
    for page in filter(None, paged):
        with database.read() as connection:
            sizes = _sizes(connection, page)
        yield from portions(page, sizes.__getitem__, EVENTS_A_TRANSACTION)


def _sizes(connection: Connection, ids: list[str]) -> dict[str, int]:
    """Return how many entries each learner has, with those of the guests moved into them."""
    moved = identities.moved_into(connection, ids)
    heads = learners.heads(connection, {*ids, *(guest.id for guests in moved.values() for guest in guests)})
    return {one: sum(heads.get(part, 0) for part in (one, *(guest.id for guest in moved.get(one, ())))) for one in ids}


def mend(connection: Connection, catalog: Catalog, ids: list[str]) -> list[Fault]:
    """Put right what follows from the ledgers of learners, given in order of id; return what is beyond repair."""
    return [fault for refolded, _ in _mend(connection, catalog, ids, []) for fault in refolded.broken]


def _mend(
    connection: Connection,
    catalog: Catalog,
    ids: list[str],
    statuses: list[StatusChange],
    *,
    also_pending: bool = False,
) -> Iterator[tuple[Refolded, Mended | None]]:
    """Put right what follows from ledgers; status changes to be logged after the commit are added to `statuses`."""
    locked = learners.lock(connection, ids)
    stored = stored_rows(connection, ids)
    found = list(folded(connection, catalog, ids, stored))
    ungranted = Ungranted(connection, catalog, {key.course for one in found for key in one.sums.runs})
    misnamed = learners.misnamed(connection, ids)
    unachieved = Unachieved(connection, also_pending=also_pending)
    misplaced = Misplaced(connection, ids, lock=True)
    places, earned = set[LearnerRun](), dict[str, list[Definition]]()
    for refolded in judgeable(ungranted, found):
        if refolded.broken:  # nothing may be concluded from such a ledger
            yield refolded, None
            continue
        learner_id = refolded.learner_id
        faults = list(of_figures(refolded, stored[learner_id]))
        if faults:
            _mend_one(connection, refolded, stored[learner_id])
        faults += misplaced.mended(refolded)
        if refolded.learner_id in misnamed:
            faults += of_name(learner_id, misnamed)
            learners.mend_name(connection, learner_id, misnamed[learner_id])
        due, met = list(ungranted.of(refolded)), unachieved.of(refolded)
        faults += [of_grant(learner_id, run, one.key) for run, one in due]
        places |= {(learner_id, *run) for run, _ in due}
        earned |= {learner_id: met} if met else {}
        had = len(refolded.sums.achievements)
        yield refolded, Mended(learner_id, faults, had, tuple(one.id for one in met)) if faults or met else None
    if earned:
        award(connection, catalog, locked, earned, Judging("rebuild", _now()))
    if places:
        statuses += judge_alone(connection, catalog, locked, places, Judging("rebuild", _now()))


def _mend_one(connection: Connection, refolded: Refolded, stored: dict[sums.SumKind, dict[Any, Row]]) -> None:
    learner_id = refolded.learner_id
    for start in range(0, len(refolded.amended), _ENTRIES_A_STATEMENT):
        amended = refolded.amended[start : start + _ENTRIES_A_STATEMENT]
        entries.replace(connection, [true for _, true in amended], reason="rebuild")
    for kind in sums.DERIVED:
        was, true = stored[kind], refolded.held(kind)
        changed = {key: one for key, one in true.items() if was.get(key) != kind.write(learner_id, key, one)}
        gone = [row[: len(kind.key_names)] for key, row in was.items() if key in changed or key not in true]
        # Removed before writing: a wrong row may hold a unique value that belongs to another row.
        sums.remove(connection, kind, gone)
        sums.write(connection, kind, ((learner_id, *one) for one in changed.items()))
    learners.raise_epochs(connection, [learner_id])
