"""Recompute: put every derived figure right, or report what that would change."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, NamedTuple

from headway.ledger.archive import check_whole
from headway.ledger.audit import counted_but, of_counters_alone, of_learners, pages
from headway.ledger.backfill import Unachieved, backfill_but
from headway.ledger.boards import miscounted
from headway.ledger.faults import Fault, Found, Value, shown
from headway.ledger.rebuild import Mended, rebuild
from headway.ledger.resting import Progress
from headway.ledger.site import Site
from headway.store.catalog import Catalog
from headway.store.database import Database

UPDATES_SHOWN: Final = 1_000
ACHIEVEMENTS: Final = "achievements"


class Updated(NamedTuple):
    """One figure of one learner, before and after; `achievements` are the ids of those earned now.

    Figures of courses and counters, which belong to no learner, have an empty id.
    """

    learner_id: str
    field: str
    key: str
    old: Value
    new: Value
    achievements: tuple[str, ...] = ()


class Recomputed(NamedTuple):
    """How many learners were looked at, changed, and have a broken ledger.

    `updates` are the first of `changes` in number, `faults` the first of `found`: those that nobody can mend.
    """

    total: int
    updated: int
    broken: int
    changes: int
    updates: list[Updated]
    found: int
    faults: list[Fault]

    @property
    def unchanged(self) -> int:
        """The number of learners for whom all was right."""
        return self.total - self.updated - self.broken


def recompute(
    database: Database,
    catalog: Catalog,
    *,
    now: Callable[[], int],
    dry_run: bool = False,
    learner_id: str | None = None,
    progress: Progress = lambda _: None,
) -> Recomputed:
    """Work out figures, grants and achievements of all learners, or of one, from the ledger, and write what differs.

    With `dry_run` nothing is written, and the report is made from short snapshots. For all learners, achievements of
    new definitions are given as well; for one, that is left to the backfill.
    """
    if dry_run:
        return _survey(database, catalog, learner_id, progress)
    told, for_all = _Told(), learner_id is None
    rebuilt = partial(rebuild, database, catalog, learner_id=learner_id, progress=progress)
    report = rebuilt(told=told.add, also_pending=for_all)
    if for_all:
        # After the rebuild, from correct sums, so that nobody is given what wrong ones seemed to meet.
        given = partial(backfill_but, database, catalog, report.broken_ids, now=now)
        given(told=lambda one: told.add(Mended(one.learner_id, [], one.had, one.earned)))
    return told.report(report.total, report.beyond, report.found, report.broken)


def _survey(database: Database, catalog: Catalog, learner_id: str | None, progress: Progress) -> Recomputed:
    survey = _Survey(database, catalog)
    if learner_id is None:
        survey.look_at_site()
    for ids in pages(database, learner_id):
        survey.look_at(ids, also_pending=learner_id is None)
        progress(len(ids))
    if learner_id is None:
        survey.look_at_counters()
    return survey.report()


class _Survey:
    """Works out what a rebuild would do, from short snapshots."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog
        self._told = _Told()
        self._total = self._broken = 0
        self._beyond = Found()
        # Counters are sums of learners' figures: where those are wrong, the counters cannot be checked.
        self._doubted = set[str]()

    def look_at_site(self) -> None:
        """Look at what belongs to no learner; learners are then judged by courses as they would be mended."""
        check_whole(self._database)
        with self._database.read() as connection:
            site = Site(connection)
            self._told.add(Mended("", [*site.mendable, *miscounted(connection)]))
        self._beyond.add(site.beyond)
        self._catalog = Catalog(site.versions) if site.versions else self._catalog

    def look_at(self, ids: list[str], *, also_pending: bool) -> None:
        """Look at some learners, given in order of id."""
        with self._database.read() as connection:
            unachieved = Unachieved(connection, also_pending=also_pending)
            for refolded, differences in of_learners(connection, self._catalog, ids):
                self._doubted |= set(refolded.rosters) if differences else set()
                if refolded.broken:
                    self._broken += 1
                    self._beyond.add(refolded.broken)
                    continue
                earned = tuple(one.id for one in unachieved.of(refolded))
                had = len(refolded.sums.achievements)
                self._told.add(Mended(refolded.learner_id, _but_unearned(differences), had, earned))
        self._total += len(ids)

    def look_at_counters(self) -> None:
        """Look at the counters of each course."""
        for course_id in counted_but(self._database, self._doubted):
            self._told.add(Mended("", of_counters_alone(self._database, self._catalog, course_id)))

    def report(self) -> Recomputed:
        """Return the report of all that was seen."""
        return self._told.report(self._total, self._broken, self._beyond.count, self._beyond.first)


def _but_unearned(faults: Iterable[Fault]) -> list[Fault]:
    """Return the faults except missing achievements, which are reported as earned."""
    return [one for one in faults if (one.table, one.column, one.stored) != ("achievement", "*", None)]


class _Told:
    """Collects what changed, and for which learners."""

    def __init__(self) -> None:
        self._changed = set[str]()
        self._count = 0
        self._updates = list[Updated]()

    def add(self, one: Mended) -> None:
        """Count what changed of a learner."""
        updates = list(_updates(one))
        if updates:
            self._changed |= {one.learner_id} - {""}
            self._count += len(updates)
            self._updates += updates[: max(0, UPDATES_SHOWN - len(self._updates))]

    def report(self, total: int, broken: int, found: int, faults: list[Fault]) -> Recomputed:
        """Return the final report."""
        return Recomputed(total, len(self._changed), broken, self._count, self._updates, found, faults)


def _updates(one: Mended) -> Iterator[Updated]:
    for fault in one.faults:
        values = shown(fault.stored), shown(fault.true)
        yield Updated(one.learner_id, f"{fault.table}.{fault.column}", fault.key, *values)
    if one.earned:
        yield Updated(one.learner_id, ACHIEVEMENTS, "", one.had, one.had + len(one.earned), one.earned)
