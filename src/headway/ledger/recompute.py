"""Recomputing: put every derived figure of every learner right, or tell what that would change."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, NamedTuple

from headway.ledger.archive import check_whole
from headway.ledger.audit import FAULTS_SHOWN, beyond_repair, of_learners, pages
from headway.ledger.backfill import Unachieved, backfill_but
from headway.ledger.faults import Fault, Value, shown
from headway.ledger.rebuild import Mended, rebuild
from headway.ledger.resting import Progress
from headway.store.catalog import Catalog
from headway.store.database import Database

UPDATES_SHOWN: Final = 1_000
ACHIEVEMENTS: Final = "achievements"


class Updated(NamedTuple):
    """One figure of one learner: what it was, and what it is now; `achievements` are the ids of those that join."""

    learner_id: str
    field: str
    key: str
    old: Value
    new: Value
    achievements: tuple[str, ...] = ()


class Recomputed(NamedTuple):
    """How many learners were looked at, of how many something changed, and of how many the ledger itself is broken.

    `updates` are the first of so many `changes`, `faults` the first of `found`: those that nobody can mend.
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
        """The learners for whom all was right."""
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

    With `dry_run` it is told, out of short snapshots, and nothing is written. Of all learners, whoever meets new
    definitions is given them; of one, that is left to the backfill.
    """
    if dry_run:
        return _survey(database, catalog, learner_id, progress)
    told, for_all = _Told(), learner_id is None
    rebuilt = partial(rebuild, database, catalog, learner_id=learner_id, progress=progress)
    report = rebuilt(told=told.add, also_pending=for_all)
    if for_all:
        # Behind it, out of sums that are right: nobody keeps what wrong ones seemed to meet.
        given = partial(backfill_but, database, catalog, report.broken_ids, now=now)
        given(told=lambda one: told.add(Mended(one.learner_id, [], one.had, one.earned)))
    return told.report(report.total, report.beyond, report.found, report.broken)


def _survey(database: Database, catalog: Catalog, learner_id: str | None, progress: Progress) -> Recomputed:
    faults, told = list[Fault](), _Told()
    if learner_id is None:
        check_whole(database)
        with database.read() as connection:
            faults += beyond_repair(connection)
    total, broken, found = 0, 0, len(faults)
    for ids in pages(database, learner_id):
        with database.read() as connection:
            unachieved = Unachieved(connection, also_pending=learner_id is None)
            for refolded, differences in of_learners(connection, catalog, ids):
                if refolded.broken:
                    broken += 1
                    found += len(refolded.broken)
                    faults += refolded.broken[: max(0, FAULTS_SHOWN - len(faults))]
                    continue
                earned = tuple(one.id for one in unachieved.of(refolded))
                had = len(refolded.sums.achievements)
                told.add(Mended(refolded.learner_id, _but_unearned(differences), had, earned))
        total += len(ids)
        progress(len(ids))
    return told.report(total, broken, found, faults[:FAULTS_SHOWN])


def _but_unearned(faults: Iterable[Fault]) -> list[Fault]:
    """Faults without achievements that are met and were not given: those are told as such."""
    return [one for one in faults if (one.table, one.column, one.stored) != ("achievement", "*", None)]


class _Told:
    """What changed so far, and of whom."""

    def __init__(self) -> None:
        self._changed = set[str]()
        self._count = 0
        self._updates = list[Updated]()

    def add(self, one: Mended) -> None:
        """Count what changed of a learner."""
        updates = list(_updates(one))
        if updates:
            self._changed.add(one.learner_id)
            self._count += len(updates)
            self._updates += updates[: max(0, UPDATES_SHOWN - len(self._updates))]

    def report(self, total: int, broken: int, found: int, faults: list[Fault]) -> Recomputed:
        """All that is told in the end."""
        return Recomputed(total, len(self._changed), broken, self._count, self._updates, found, faults)


def _updates(one: Mended) -> Iterator[Updated]:
    for fault in one.faults:
        values = shown(fault.stored), shown(fault.true)
        yield Updated(one.learner_id, f"{fault.table}.{fault.column}", fault.key, *values)
    if one.earned:
        yield Updated(one.learner_id, ACHIEVEMENTS, "", one.had, one.had + len(one.earned), one.earned)
