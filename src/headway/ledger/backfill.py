"""Backfill: after definitions were added or changed, give them to all learners who meet them; recording goes on."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.achievements import Definition, Metrics, Totals, attended, met, topics_at
from headway.domain.facts import BACKFILL
from headway.ledger.achieving import Cause, earn
from headway.ledger.batch import Batch
from headway.ledger.commit import committed
from headway.ledger.judging import Judging
from headway.ledger.leveling import reach
from headway.ledger.levels_due import DueLevel, levels_due
from headway.ledger.portions import portions
from headway.ledger.refold import Refolded
from headway.ledger.resting import Progress
from headway.ledger.sweep import NOTED_EVERY_S, await_readers
from headway.store import achievements, learners, sums
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.learners import Locked

LEARNERS_A_PAGE: Final = 200
# Recording for these learners waits while they are written.
GIVEN_A_TRANSACTION: Final = 100
UPDATES_SHOWN: Final = 1_000


class Update(NamedTuple):
    """A learner who earns something: how many achievements they had, and the ids of those they earn now.

    `levels` are the levels that they reached without being told, and are told of now.
    """

    learner_id: str
    had: int
    earned: tuple[str, ...]
    levels: tuple[DueLevel, ...] = ()


class BackfillReport(NamedTuple):
    """How many learners were looked at, how many earn something, and how many achievements in all.

    `updates` are the first of the learners who earn something.
    """

    total: int
    updated: int
    earned: int
    updates: list[Update]


def backfill(
    database: Database,
    catalog: Catalog,
    *,
    now: Callable[[], int],
    dry_run: bool = False,
    progress: Progress = lambda _: None,
    told: Callable[[Update], None] = lambda _: None,
) -> BackfillReport:
    """Give every learner the achievements in force that they meet, or with `dry_run` report what would be given.

    `told` is called with each learner who earns something. Waits while another backfill runs or a version is being
    published.
    """
    if dry_run:
        return _gathered(_Backfill(database, catalog, now, dry_run=True).run(""), progress, told)
    with database.alone(wait=True):
        return _gathered(_Backfill(database, catalog, now).run(""), progress, told)


def backfill_but(
    database: Database,
    catalog: Catalog,
    but: AbstractSet[str],
    *,
    now: Callable[[], int],
    told: Callable[[Update], None],
) -> BackfillReport:
    """Backfill all learners except those in `but`, whose sums are not to be trusted."""
    with database.alone(wait=True):
        return _gathered(_Backfill(database, catalog, now, but=but).run(""), told=told)


def backfill_pending(
    database: Database,
    catalog: Catalog,
    *,
    now: Callable[[], int],
    progress: Progress = lambda _: None,
    but: AbstractSet[str] = frozenset(),
) -> BackfillReport | None:
    """Resume the backfill after definitions changed; return None if nothing is to be done or another is at work."""
    with database.read() as connection:
        if achievements.read_set(connection).is_given:
            return None
    with database.alone(wait=False) as alone:
        if not alone:
            return None
        with database.read() as connection:
            given = achievements.read_set(connection)
        if given.is_given:
            return None
        return _gathered(_Backfill(database, catalog, now, but=but).run(given.given_up_to or ""), progress)


def _gathered(
    pages: Iterator[tuple[int, list[Update]]],
    progress: Progress = lambda _: None,
    told: Callable[[Update], None] = lambda _: None,
) -> BackfillReport:
    total, updated, earned = 0, 0, 0
    updates = list[Update]()
    for seen, given in pages:
        found = [one for one in given if one.earned]
        total += seen
        updated += len(found)
        earned += sum(len(one.earned) for one in found)
        updates += found[: max(0, UPDATES_SHOWN - len(updates))]
        for one in found:
            told(one)
        progress(seen)
    return BackfillReport(total, updated, earned, updates)


class _Backfill:
    """Surveys learners in snapshots, and locks only those to whom something is to be given."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        now: Callable[[], int],
        *,
        dry_run: bool = False,
        but: AbstractSet[str] = frozenset(),
    ) -> None:
        self.but = but
        self.database = database
        self.catalog = catalog
        self.now = now
        self.dry_run = dry_run
        with database.read() as connection:
            self.version, self.definitions = achievements.in_force(connection)

    def run(self, up_to: str) -> Iterator[tuple[int, list[Update]]]:
        """Yield for each page of learners how many were looked at, and what they earn."""
        if not self.dry_run:
            # Transactions that still record by an older version must not cross a threshold after the survey has passed.
            await_readers(self.database, achievements.readers)
        noted = time.monotonic()
        while True:
            with self.database.read() as connection:
                ids = achievements.living(connection, up_to, LEARNERS_A_PAGE)
                believed = [one for one in ids if one not in self.but]
                found = survey(connection, self.catalog, self.definitions, believed)
            if not ids:
                break
            yield len(ids), found if self.dry_run else [given for part in _parts(found) for given in self._give(part)]
            up_to = ids[-1]
            if time.monotonic() - noted > NOTED_EVERY_S:
                noted = time.monotonic()
                self._note(up_to)
        self._note(None)

    def _note(self, up_to: str | None) -> None:
        if not self.dry_run:
            committed(self.database, lambda connection: achievements.note_given(connection, self.version, up_to))

    def _give(self, portion: Sequence[Update]) -> list[Update]:
        """Give a portion of learners what they earn, and return it.

        After a COMMIT whose answer was lost, the learners have it already, and what the lost try gave is returned.
        """
        given: dict[str, Update] = {}

        def work(connection: Connection) -> None:
            locked = learners.lock(connection, [one.learner_id for one in portion])
            alive = {one.id: one for one in locked.values() if one.is_alive}
            due = survey(connection, self.catalog, self.definitions, list(alive))
            by_id = {one.id: one for one in self.definitions}
            wanted: dict[str, Sequence[Definition | DueLevel]] = {
                one.learner_id: [*one.levels, *(by_id[name] for name in one.earned)] for one in due
            }
            award(connection, self.catalog, alive, wanted, Judging(BACKFILL, self.now()))
            given.update({one.learner_id: one for one in due})

        committed(self.database, work)
        return [given[learner_id] for learner_id in sorted(given)]


def _parts(found: Iterable[Update]) -> Iterator[list[Update]]:
    """Yield the learners of one transaction each: several, or one who earns much."""
    return portions(found, lambda one: len(one.earned) + len(one.levels), GIVEN_A_TRANSACTION)


def survey(
    connection: Connection, catalog: Catalog, definitions: Sequence[Definition], ids: Sequence[str]
) -> list[Update]:
    """Return the learners who meet what they have not earned, by a fixed number of statements."""
    levels = levels_due(connection, catalog, ids)
    totals = achievements.totals(connection, ids)
    days = sums.streak_days(connection, ids)
    held = achievements.held_by(connection, ids)
    found = list[Update]()
    for one in ids:
        has = held.get(one, set())
        due = tuple(levels.get(one, ()))
        reached = totals.get(one, Totals()) + Totals(**topics_at(each.risen for each in due))
        now = Metrics(reached, attended(days[one].active if one in days else ()))
        earned = tuple(each.id for each in met(definitions, now) if each.id not in has)
        if earned or due:
            found.append(Update(one, len(has), earned, due))
    return found


def award(
    connection: Connection,
    catalog: Catalog,
    locked: Mapping[str, Locked],
    due: Mapping[str, Sequence[Definition | DueLevel]],
    why: Judging,
) -> None:
    """Write what locked learners were found to have earned."""
    batch = Batch(connection, catalog)
    batch.enter(locked[learner_id] for learner_id in due)
    for learner_id, head in learners.heads(connection, batch.learners).items():
        batch.learners[learner_id].head = head
    cause = Cause(why.cause, why.now, why.now)
    for learner_id, found in due.items():
        learner = batch.learners[learner_id]
        batch.appended += [
            reach(learner, one, cause) if isinstance(one, DueLevel) else earn(learner, one, cause) for one in found
        ]
    batch.write()


class Unachieved:
    """Finds what learners meet and have not earned, of the definitions that were given to all, or are being given."""

    def __init__(self, connection: Connection, *, also_pending: bool = False) -> None:
        known = achievements.read_set(connection)
        given = known.version if also_pending else known.given_version
        found = achievements.defined(connection)
        self._definitions = [one.definition for one in found if one.version <= given and not one.retired]

    def of(self, refolded: Refolded) -> list[Definition]:
        """Return the definitions that a learner meets by the refolded sums, and has not earned."""
        if not refolded.is_somebody or not self._definitions:
            return []
        has = refolded.sums.achievements
        return [one for one in met(self._definitions, Metrics.of(refolded.sums)) if one.id not in has]
