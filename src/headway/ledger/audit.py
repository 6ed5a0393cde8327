"""Audit: work everything out again from the ledger, and compare it with what is stored. A difference is a defect."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, Protocol, TypeVar

from sqlalchemy.engine import Connection

from headway.ledger.backfill import Unachieved
from headway.ledger.boards import Misplaced, miscounted
from headway.ledger.faults import Fault, Found
from headway.ledger.portions import paged
from headway.ledger.recount import of_counters, with_rosters
from headway.ledger.refold import LEARNERS_AT_ONCE, UNJUDGED, Refolded, cannot_be_judged, refold
from headway.ledger.resting import Progress
from headway.ledger.retell import told_since, with_notices
from headway.ledger.site import Site
from headway.ledger.ungranted import Ungranted
from headway.store import learners, roster, sums
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Entry
from headway.store.rows import Row

T = TypeVar("T")
U = TypeVar("U")


class AuditReport(NamedTuple):
    """How many learners and events were compared, and what was found: `faults` holds the first of `found` faults.

    `differing` is the number of learners with faults.
    """

    learners: int
    events: int
    found: int
    faults: list[Fault]
    differing: int = 0

    @property
    def clean(self) -> bool:
        """Whether everything stored follows from the ledger."""
        return self.found == 0


class Each(Protocol):
    """Applies `work` to each item and yields the results in order, in this process or in several."""

    def __call__(self, work: Callable[[Database, Catalog, T], U], items: Iterable[T]) -> Iterator[U]:
        """Apply `work`, a function at the top level of a module, to each item."""


class PageAudited(NamedTuple):
    """What was found for a page of learners, `differing` of whom have faults.

    `doubted` are the courses of which one of them has wrong figures.
    """

    learners: int
    events: int
    found: Found
    doubted: set[str]
    differing: int


def audit(
    database: Database,
    catalog: Catalog,
    *,
    learner_id: str | None = None,
    progress: Progress = lambda _: None,
    each: Each | None = None,
) -> AuditReport:
    """Compare all stored figures, or one learner's, with the ledger; in short snapshots, so that writing goes on."""
    each = each or partial(_one_by_one, database, catalog)
    found, seen, events, differing = Found(), 0, 0, 0
    if learner_id is None:
        with database.read() as connection:
            found.add(_of_site(connection))
    # Counters are sums of learners' figures: where those are wrong, the counters cannot be checked.
    doubted = set[str]()
    for looked in each(look_at, pages(database, learner_id)):
        doubted |= looked.doubted
        events += looked.events
        found.join(looked.found)
        seen += looked.learners
        differing += looked.differing
        progress(looked.learners)
    if learner_id is None:
        for miscount in each(of_counters_alone, counted_but(database, doubted)):
            found.add(miscount)
    return AuditReport(seen, events, found.count, found.first, differing)


def _of_site(connection: Connection) -> list[Fault]:
    """Return the faults that belong to no learner."""
    site = Site(connection)
    return [*site.mendable, *site.beyond, *miscounted(connection)]


def _one_by_one(
    database: Database, catalog: Catalog, work: Callable[[Database, Catalog, T], U], items: Iterable[T]
) -> Iterator[U]:
    return (work(database, catalog, item) for item in items)


def look_at(database: Database, catalog: Catalog, ids: list[str]) -> PageAudited:
    """Compare all figures of some learners, given in order of id, in one snapshot."""
    events, found, differing = 0, Found(), 0
    doubted = set[str]()
    with database.read() as connection:
        for refolded, differences in of_learners(connection, catalog, ids):
            doubted |= set(refolded.rosters) if differences else set()
            events += refolded.events
            found.add(differences)
            differing += bool(differences)
    return PageAudited(len(ids), events, found, doubted, differing)


def pages(database: Database, learner_id: str | None, size: int = LEARNERS_AT_ONCE) -> Iterator[list[str]]:
    """Yield the ids of all learners, or the one given, in order, `size` at a time."""
    if learner_id is not None:
        return iter([[learner_id]])
    return paged(database, partial(learners.page, limit=size), str)


def stored_rows(connection: Connection, ids: list[str]) -> dict[str, dict[sums.SumKind, dict[Any, Row]]]:
    """Return all derived rows of some learners, by key: raw rows, because reading them as values would hide faults."""
    stored: dict[str, dict[sums.SumKind, dict[Any, Row]]] = {one: {kind: {} for kind in sums.DERIVED} for one in ids}
    for kind in sums.DERIVED:
        for learner_id, key, row in sums.read_rows(connection, kind, ids):
            stored[learner_id][kind][key] = row
    return stored


def folded(
    connection: Connection,
    catalog: Catalog,
    ids: list[str],
    stored: Mapping[str, Mapping[sums.SumKind, dict[Any, Row]]],
) -> Iterator[Refolded]:
    """Yield what the ledgers of some learners come to, with the derived rows that should be stored for them."""
    found = with_rosters(connection, catalog, stored, refold(connection, catalog, ids, told_since(stored)))
    return with_notices(stored, found)


def counted_but(database: Database, doubted: AbstractSet[str]) -> list[str]:
    """Return the courses that have counters, except those in `doubted`."""
    with database.read() as connection:
        return [course_id for course_id in roster.courses_counted(connection) if course_id not in doubted]


def of_counters_alone(database: Database, catalog: Catalog, course_id: str) -> list[Fault]:
    """Return the faults of a course's counters, read in a snapshot of its own."""
    with database.read() as connection:
        return list(of_counters(connection, catalog, course_id))


def of_learners(connection: Connection, catalog: Catalog, ids: list[str]) -> Iterator[tuple[Refolded, list[Fault]]]:
    """Yield each learner's refolded figures, with the faults where what is stored differs from them."""
    stored = stored_rows(connection, ids)
    ungranted, unachieved = Ungranted(connection, catalog, begun_in(stored)), Unachieved(connection)
    misplaced, misnamed = Misplaced(connection, ids), learners.misnamed(connection, ids)
    for refolded in judgeable(ungranted, folded(connection, catalog, ids, stored)):
        if any(fault.column in UNJUDGED for fault in refolded.broken):
            # An answer that cannot be graded now would be missing from every sum, and those differences are no faults.
            yield refolded, refolded.broken
            continue
        faults = [*refolded.broken, *of_figures(refolded, stored[refolded.learner_id]), *misplaced.of(refolded)]
        faults += of_name(refolded.learner_id, misnamed)
        faults += [of_grant(refolded.learner_id, run, due.key) for run, due in ungranted.of(refolded)]
        for one in unachieved.of(refolded):
            faults.append(Fault("achievement", refolded.learner_id, one.id, "*", None, "a row: it is met"))
        yield refolded, faults


def judgeable(ungranted: Ungranted, found: Iterable[Refolded]) -> Iterator[Refolded]:
    """Yield the learners, marking as broken those with a run that cannot be judged."""
    for one in found:
        damage = next(ungranted.damage_of(one), None)
        already = any(fault.column in UNJUDGED for fault in one.broken)
        if damage is None or already:
            yield one
        else:
            yield one._replace(broken=[*one.broken, cannot_be_judged(one.learner_id, damage)])


def of_name(learner_id: str, misnamed: Mapping[str, learners.Misnamed]) -> list[Fault]:
    """Return a fault if the name that a learner is looked up by is not the learner's name."""
    found = misnamed.get(learner_id)
    return [Fault("learner", learner_id, "*", "name_key", found.stored, found.true)] if found else []


def of_figures(refolded: Refolded, stored: Mapping[sums.SumKind, dict[Any, Row]]) -> Iterator[Fault]:
    """Yield a fault for each stored figure of a learner that differs from what the ledger comes to."""
    yield from _of_entries(refolded.amended)
    for kind in sums.DERIVED:
        was, should = stored[kind], refolded.held(kind)
        if was or should:
            yield from _of_sums(refolded.learner_id, kind, was, should)


def of_grant(learner_id: str, run: Iterable[object], key: Iterable[object]) -> Fault:
    """Return the fault that a run lacks a grant which a rule gives."""
    return Fault("granted", learner_id, "/".join(map(str, (*run, *key))), "*", None, "a row: the rule says yes")


def begun_in(stored: Mapping[str, Mapping[sums.SumKind, Mapping[Any, Row]]]) -> set[str]:
    """The courses that learners have runs of."""
    return {key.course for kinds in stored.values() for key in kinds[sums.RUNS]}


def _of_entries(amended: Iterable[tuple[Entry, Entry]]) -> Iterator[Fault]:
    for stored, true in amended:
        for name, was, should in zip(Entry._fields, stored, true, strict=True):
            if was != should:
                yield Fault("ledger", stored.learner_id, str(stored.seq), name, was, should)


def _of_sums(learner_id: str, kind: sums.SumKind, stored: dict[Any, Row], true: dict[Any, Any]) -> Iterator[Fault]:
    found: list[tuple[str, Row | None, Row | None]] = []
    for key in stored.keys() | true.keys():
        was = stored.get(key)
        should = kind.write(learner_id, key, true[key]) if key in true else None
        if was != should:
            found.append(("/".join(map(str, key)) if isinstance(key, tuple) else str(key), was, should))
    for label, was, should in sorted(found, key=itemgetter(0)):  # in the same order for every audit
        if was is None or should is None:
            yield Fault(kind.table.name, learner_id, label, "*", was and "a row", should and "a row")
            continue
        for name, one, other in zip(kind.table.c.keys(), was, should, strict=True):
            if one != other:
                yield Fault(kind.table.name, learner_id, label, name, one, other)
