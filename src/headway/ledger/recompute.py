"""Recomputing: put every derived figure of every learner right, or tell what that would change."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, NamedTuple

from headway.ledger.audit import of_learners, pages
from headway.ledger.backfill import Unachieved, backfill_but
from headway.ledger.faults import Fault
from headway.ledger.rebuild import Mended, rebuild
from headway.store.catalog import Catalog
from headway.store.database import Database

UPDATES_SHOWN: Final = 1_000
ACHIEVEMENTS: Final = "achievements"


class Updated(NamedTuple):
    """One figure of one learner: what it was, and what it is now; `achievements` are the ids of those that join."""

    learner_id: str
    field: str
    key: str
    old: object
    new: object
    achievements: tuple[str, ...] = ()


class Recomputed(NamedTuple):
    """How many learners were looked at, of how many something changed, and of how many the ledger itself is broken.

    `updates` are the first of what changed.
    """

    total: int
    updated: int
    broken: int
    updates: list[Updated]


def recompute(database: Database, catalog: Catalog, *, now: Callable[[], int], dry_run: bool = False) -> Recomputed:
    """Work out all learners' figures, grants and achievements again from the ledger, and write what differs."""
    if dry_run:
        return _survey(database, catalog)
    changed, updates = set[str](), list[Updated]()
    tell = partial(_add, changed, updates)
    report = rebuild(database, catalog, told=tell, also_pending=True)
    # Behind it, out of sums that are right: nobody keeps what wrong ones seemed to meet.
    given = partial(backfill_but, database, catalog, report.broken_ids, now=now)
    given(told=lambda one: tell(Mended(one.learner_id, [], one.had, one.earned)))
    return Recomputed(report.total, len(changed), report.beyond, updates)


def _survey(database: Database, catalog: Catalog) -> Recomputed:
    total, broken = 0, 0
    changed, updates = set[str](), list[Updated]()
    for ids in pages(database, None):
        total += len(ids)
        with database.read() as connection:
            unachieved = Unachieved(connection, also_pending=True)
            for refolded, faults in of_learners(connection, catalog, ids):
                if refolded.broken:
                    broken += 1
                    continue
                earned = tuple(one.id for one in unachieved.of(refolded))
                had = len(refolded.sums.achievements)
                _add(changed, updates, Mended(refolded.learner_id, _but_unearned(faults), had, earned))
    return Recomputed(total, len(changed), broken, updates)


def _but_unearned(faults: Iterable[Fault]) -> list[Fault]:
    """Faults without achievements that are met and were not given: those are told as such."""
    return [one for one in faults if (one.table, one.column, one.stored) != ("achievement", "*", None)]


def _add(changed: set[str], updates: list[Updated], one: Mended) -> None:
    told = list(_updates(one))
    if told:
        changed.add(one.learner_id)
        updates += told[: max(0, UPDATES_SHOWN - len(updates))]


def _updates(one: Mended) -> Iterator[Updated]:
    for fault in one.faults:
        yield Updated(one.learner_id, f"{fault.table}.{fault.column}", fault.key, fault.stored, fault.true)
    if one.earned:
        now = one.had + len(one.earned)
        yield Updated(one.learner_id, ACHIEVEMENTS, "", one.had, now, one.earned)
