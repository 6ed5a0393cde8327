"""Keep leaderboards: count in what was put down for them, or work them out anew from the sums."""

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.cache.boards import BoardCache, Shift
from headway.domain.boards import Board, Gain, ends_on, gains_of, kept_from, placed
from headway.domain.progress import Worth
from headway.domain.recording import worth_of
from headway.domain.sums import Sums
from headway.domain.times import local_day
from headway.ledger.faults import Fault
from headway.ledger.refold import Refolded
from headway.ledger.resting import Progress
from headway.store import boards, learners, sums
from headway.store.boards import BoardRow, BoardState
from headway.store.catalog import Catalog
from headway.store.database import Database

MOVES_A_TRANSACTION: Final = 1_000
UPDATES_SHOWN: Final = 1_000
_LEARNERS_A_TRANSACTION: Final = 200
_CLEARED_AT_ONCE: Final = 2_000
# Below 2^53, beyond which Redis cannot tell numbers apart.
_MARK_BITS: Final = 52


def count_in(database: Database, *, now: int, limit: int = MOVES_A_TRANSACTION, cache: BoardCache | None = None) -> int:
    """Count in up to `limit` of the moves put down; return for how many learners. Recording does not wait for it."""
    shifts = list[Shift]()
    with database.transaction() as connection:
        state = _forward(connection, boards.state(connection, lock=True), now)
        taken = boards.take(connection, limit)
        if taken:
            before, shown = _kept(boards.rows_of(connection, taken), state), boards.visible(connection, taken)
            after = {one: _added(before.get(one, {}), gains, state) for one, gains in taken.items()}
            shifts = _put(connection, before, {one: _rows(places, one in shown) for one, places in after.items()})
    if cache is not None:
        cache.take(shifts)
    return len(taken)


def count_all_in(database: Database, *, now: int, limit: int = 5 * MOVES_A_TRANSACTION) -> None:
    """Count in all that was put down."""
    while is_behind(database) and count_in(database, now=now, limit=limit):
        pass


def is_behind(database: Database) -> bool:
    """Return whether any moves are not yet counted in."""
    with database.read() as connection:
        return boards.is_behind(connection)


def _forward(connection: Connection, state: BoardState, now: int) -> BoardState:
    """Advance the first day that is kept, so that periods which ended days ago are dropped."""
    kept = max(state.kept_from, kept_from(local_day(now, state.time_zone)))
    if kept != state.kept_from:
        boards.change_state(connection, kept_from=kept)
    return state._replace(kept_from=kept)


def _kept(found: Mapping[str, Mapping[Board, BoardRow]], state: BoardState) -> dict[str, dict[Board, BoardRow]]:
    return {
        one: {at: row for at, row in stands.items() if ends_on(at.period) >= state.kept_from}
        for one, stands in found.items()
    }


def _added(before: Mapping[Board, BoardRow], gains: Iterable[Gain], state: BoardState) -> dict[Board, int]:
    places = {at: row.place for at, row in before.items()}
    for at, place in placed(gains, state.time_zone, state.kept_from).items():
        places[at] = places.get(at, 0) + place
    return {at: place for at, place in places.items() if place}


def _rows(places: Mapping[Board, int], shown: bool) -> dict[Board, BoardRow]:
    return {at: BoardRow(place, shown) for at, place in places.items()}


def _put(
    connection: Connection,
    before: Mapping[str, Mapping[Board, BoardRow]],
    after: Mapping[str, Mapping[Board, BoardRow]],
) -> list[Shift]:
    """Replace the rows `before` with `after`, update the tally, and mark the boards that change."""
    changed, gone = list[tuple[str, Board, BoardRow]](), list[tuple[str, Board]]()
    moved = Counter[tuple[Board, int]]()
    seen: dict[Board, list[tuple[str, int | None]]] = {}
    for one, at, was, now in _differing(before, after):
        for row, by in ((was, -1), (now, 1)):
            if row is not None and row.shown:
                moved[at, row.place] += by
        if (was and was.shown) or (now and now.shown):
            seen.setdefault(at, []).append((one, now.place if now and now.shown else None))
        if now is None:
            gone.append((one, at))
        else:
            changed.append((one, at, now))
    boards.put(connection, changed, gone)
    boards.tally(connection, moved)
    # A board may show other learners even if its tally is unchanged.
    marked, marks = boards.marks_of(connection, seen), {at: _new_mark() for at in seen}
    boards.mark(connection, marks)
    return [Shift(at, marked.get(at, 0), marks[at], places) for at, places in seen.items()]


def _differing(
    before: Mapping[str, Mapping[Board, BoardRow]], after: Mapping[str, Mapping[Board, BoardRow]]
) -> Iterator[tuple[str, Board, BoardRow | None, BoardRow | None]]:
    for one in before.keys() | after.keys():
        was, now = before.get(one, {}), after.get(one, {})
        for at in was.keys() | now.keys():
            if was.get(at) != now.get(at):
                yield one, at, was.get(at), now.get(at)


def _new_mark() -> int:
    return secrets.randbits(_MARK_BITS) + 1


def forget(connection: Connection, learner_ids: Iterable[str]) -> None:
    """Take locked learners who are about to be erased off all boards."""
    ids = list(learner_ids)
    boards.state(connection, lock=True)
    boards.drop_moves(connection, ids)
    _put(connection, boards.rows_of(connection, ids), {})


def clear_ended(database: Database, *, now: int) -> None:
    """Delete the boards of periods that are not kept any more, some rows at a time."""
    with database.read() as connection:
        state, found = boards.state(connection), boards.marks(connection)
    kept = min(state.kept_from, kept_from(local_day(now, state.time_zone)))
    for at in found:
        more = ends_on(at.period) < kept
        while more:
            with database.transaction() as connection:
                boards.state(connection, lock=True)
                boards.mark(connection, {at: _new_mark()})
                more = boards.clear(connection, at, _CLEARED_AT_ONCE) > 0


class Differs(NamedTuple):
    """A learner whose stored place on a board does not follow from the ledger: the place stored, and the true one."""

    learner_id: str
    board: Board
    stored: int
    true: int


class Settled(NamedTuple):
    """The places that differed, board by board, and the ids of all learners with anything to mend."""

    differs: list[Differs]
    updated: set[str]


def settle(connection: Connection, gains: Mapping[str, Iterable[Gain]], *, dry_run: bool = False) -> Settled:
    """Put locked learners where their gains place them; return who stood elsewhere. A dry run changes nothing."""
    state = boards.state(connection, lock=not dry_run)
    before = _kept(boards.rows_of(connection, gains), state)
    waiting, shown = boards.pending(connection, gains), boards.visible(connection, gains)
    true = {one: placed(found, state.time_zone, state.kept_from) for one, found in gains.items()}
    stood = {one: _added(before.get(one, {}), waiting.get(one, ()), state) for one in gains}
    differs = [
        Differs(one, at, stood[one].get(at, 0), places.get(at, 0))
        for one, places in true.items()
        for at in sorted(stood[one].keys() | places.keys())
        if stood[one].get(at, 0) != places.get(at, 0)
    ]
    after = {one: _rows(places, one in shown) for one, places in true.items()}
    hidden = {one for one, _, was, now in _differing(before, after) if was and now and was.shown != now.shown}
    if not dry_run:
        boards.drop_moves(connection, waiting)
        _put(connection, before, after)
    return Settled(differs, {one.learner_id for one in differs} | (hidden - waiting.keys()))


def gains_by_sums(connection: Connection, catalog: Catalog, learner_ids: Sequence[str]) -> dict[str, list[Gain]]:
    """Return what learners gained by their stored sums; erased learners gain nothing."""

    def worth(course: str, version: int, step: str) -> Worth:
        return worth_of(catalog.load(connection, [(course, version)])[course, version], step)

    found = {one: Sums(worth) for one in learner_ids}
    for kind in (sums.STEPS, sums.ACHIEVEMENTS):
        for learner_id, key, value in sums.read_learners(connection, kind, learner_ids):
            kind.held_in(found[learner_id])[key] = value
    erased = learners.erased(connection, learner_ids)
    return {one: [] if one in erased else gains_of(held) for one, held in found.items()}


class Report(NamedTuple):
    """How many learners were looked at, how many stood in the wrong place, and the first of the differences."""

    total: int
    updated: int
    updates: list[Differs]


def work_out(
    database: Database, catalog: Catalog, *, now: int, dry_run: bool = False, progress: Progress = lambda _: None
) -> Report:
    """Put all learners where their sums place them, or with `dry_run` only report who stands elsewhere.

    Recording goes on meanwhile.
    """
    total, updated = 0, 0
    updates = list[Differs]()
    last = ""
    while True:
        with database.read() as connection:
            ids = learners.page(connection, last, _LEARNERS_A_TRANSACTION)
            look = _settled(connection, catalog, ids, dry_run=True)
        if not ids:
            break
        if look.updated and not dry_run:
            with database.transaction() as connection:
                learners.lock(connection, look.updated)
                look = _settled(connection, catalog, sorted(look.updated), dry_run=False)
        total, updated, last = total + len(ids), updated + len(look.updated), ids[-1]
        updates += look.differs[: max(0, UPDATES_SHOWN - len(updates))]
        progress(len(ids))
    if not dry_run:
        _finish(database, now)
    return Report(total, updated, updates)


def _settled(connection: Connection, catalog: Catalog, ids: Sequence[str], *, dry_run: bool) -> Settled:
    return settle(connection, gains_by_sums(connection, catalog, ids), dry_run=dry_run)


def _finish(database: Database, now: int) -> None:
    with database.transaction() as connection:
        _forward(connection, boards.state(connection, lock=True), now)
        recount(connection)
        boards.change_state(connection, is_built=True)


def adopt(database: Database, time_zone: str) -> None:
    """Set the time zone of the boards; if it changed, they must be worked out anew before they are read."""
    with database.read() as connection:
        if boards.state(connection).time_zone == time_zone:
            return
    with database.transaction() as connection:
        if boards.state(connection, lock=True).time_zone != time_zone:
            boards.change_state(connection, time_zone=time_zone, is_built=not boards.has_sums(connection))


def is_built(database: Database) -> bool:
    """Return whether the boards include everything recorded before they were introduced."""
    with database.read() as connection:
        return boards.state(connection).is_built


def recount(connection: Connection) -> list[Fault]:
    """Correct the tally, and return where it was wrong."""
    boards.state(connection, lock=True)
    found = list(boards.miscounts(connection))
    boards.recount(connection, found)
    boards.mark(connection, {one.board: _new_mark() for one in found})
    return [_fault_of(one) for one in found]


def _fault_of(one: boards.Miscount) -> Fault:
    label = f"{one.board.course}/{one.board.period}/{one.level}/{one.place}"
    return Fault("board_tally", "", label, "learners", one.stored, one.true)


def miscounted(connection: Connection) -> list[Fault]:
    """Return the faults where the tally differs from the rows."""
    return [_fault_of(one) for one in boards.miscounts(connection)] if boards.state(connection).is_built else []


class Misplaced:
    """Finds learners whose places on boards do not follow from the ledger."""

    def __init__(self, connection: Connection, learner_ids: Sequence[str], *, lock: bool = False) -> None:
        self._connection = connection
        self._state = boards.state(connection, lock=lock)
        if self._state.is_built:
            self._rows = boards.rows_of(connection, learner_ids)
            self._waiting = boards.pending(connection, learner_ids)
            self._shown = boards.visible(connection, learner_ids)

    def mended(self, refolded: Refolded) -> list[Fault]:
        """Correct the rows of a locked learner, and return what was wrong; the boards are locked too."""
        found = list(self.of(refolded))
        if found:
            settle(self._connection, {refolded.learner_id: _gains(refolded)})
        return found

    def of(self, refolded: Refolded) -> Iterator[Fault]:
        """The faults of a learner: rows that are missing, or not as they should be."""
        if not self._state.is_built:
            return
        one, state = refolded.learner_id, self._state
        true = placed(_gains(refolded), state.time_zone, state.kept_from)
        rows = _kept({one: self._rows.get(one, {})}, state)[one]
        stands = _added(rows, self._waiting.get(one, ()), state)
        for at in sorted(true.keys() | stands.keys()):
            yield from _fault(one, at, stands.get(at), true.get(at))
        for at, row in sorted(rows.items()):
            if one not in self._waiting and row.shown != (one in self._shown):
                yield Fault("board_row", one, "/".join(at), "shown", row.shown, one in self._shown)


def _gains(refolded: Refolded) -> list[Gain]:
    return gains_of(refolded.sums) if refolded.is_somebody else []


def _fault(learner_id: str, at: Board, stands: int | None, true: int | None) -> Iterator[Fault]:
    if stands is None or true is None:
        yield Fault("board_row", learner_id, "/".join(at), "*", stands and "a row", true and "a row")
    elif stands != true:
        yield Fault("board_row", learner_id, "/".join(at), "place", stands, true)
