"""Keep the leaderboards in Redis: boards that are missing or out of date there are rebuilt, while readers go on."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.cache.boards import BoardCache
from headway.domain.boards import Board, Standing, periods_at
from headway.domain.times import local_day
from headway.store import boards
from headway.store.database import Database

_LEARNERS_AT_ONCE: Final = 2_000
# Below the place of anybody on a board.
_FIRST: Final = -(2**62)


class Keeper:
    """Checks now and then whether Redis has the current boards as the database has them."""

    def __init__(self, database: Database, cache: BoardCache, is_over: Callable[[], bool] = lambda: False) -> None:
        """Give up a board that is being built as soon as `is_over` returns true."""
        self._is_over = is_over
        self._database = database
        self._cache = cache
        # The marks of the boards that were out of date at the last check.
        self._behind: dict[Board, int] = {}

    def keep(self, *, now: int) -> int:
        """Build the boards that are missing, or have been out of date since the last check; return how many.

        Only one process at a time builds. Boards that have ended are dropped: erased learners would not be removed from
        them. Raises what `lost` names.
        """
        there, ended = _boards(self._database, now)
        self._cache.drop(ended)
        wanted = self._wanted(there)
        if not wanted:
            return 0
        with self._cache.claimed() as is_ours:
            return sum(build(self._database, self._cache, at, self._is_over) for at in wanted if is_ours)

    def _wanted(self, there: dict[Board, int]) -> list[Board]:
        found = list(there)
        borne = dict(zip(found, self._cache.marks(found), strict=True))
        # A shift that was just counted in may still be on its way.
        behind = {at: mark for at, mark in borne.items() if mark is not None and mark != there[at]}
        stuck = [at for at, mark in behind.items() if self._behind.get(at) == mark]
        self._behind = behind
        return [at for at, mark in borne.items() if mark is None] + stuck


def rebuild(database: Database, cache: BoardCache, *, now: int) -> int:
    """Rebuild all current boards, whatever is in Redis, and return how many. Raises what `lost` names."""
    return sum(build(database, cache, at) for at in _boards(database, now).current)


def build(database: Database, cache: BoardCache, at: Board, is_over: Callable[[], bool] = lambda: False) -> bool:
    """Build one board, replace what Redis has of it, if anything, and return whether that was done.

    The board is read from one snapshot. What is counted in meanwhile is noted in Redis, and added before the swap.
    """
    with cache.building(at) as building, database.read() as connection:
        mark = boards.marks_of(connection, [at]).get(at)
        if mark is None:
            return False
        for some in _portions(connection, at):
            if is_over() or not building.add(some):
                return False
        return building.swap(mark)


def _portions(connection: Connection, at: Board) -> Iterator[list[Standing]]:
    """Yield the learners on a board, in order, some at a time."""
    stored = boards.StoredBoard(connection, at)
    found = stored.stretch(_FIRST, 0, _LEARNERS_AT_ONCE)
    while found:
        yield found
        found = stored.after(found[-1], _LEARNERS_AT_ONCE)


class _Boards(NamedTuple):
    """The boards of current periods, with their marks, and the boards whose periods have ended."""

    current: dict[Board, int]
    ended: list[Board]


def _boards(database: Database, now: int) -> _Boards:
    with database.read() as connection:
        state, marks = boards.state(connection), boards.marks(connection)
    periods = periods_at(local_day(now, state.time_zone))
    current = {at: mark for at, mark in marks.items() if at.period in periods}
    return _Boards(current, [at for at in marks if at not in current])


def held(database: Database, cache: BoardCache, *, now: int) -> tuple[int, int]:
    """Return how many of the current boards Redis holds as the database has them, and how many there are.

    Raises what `lost` names.
    """
    there = _boards(database, now).current
    borne = cache.marks(list(there))
    return sum(mark == true for mark, true in zip(borne, there.values(), strict=True)), len(there)
