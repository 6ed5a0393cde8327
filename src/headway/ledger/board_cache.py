"""Keeping the leaderboards in Redis: what is missing there, or was left behind, is built anew beside what is read."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.cache.boards import BoardCache
from headway.domain.boards import Board, Standing, periods_at
from headway.domain.times import local_day
from headway.store import boards
from headway.store.database import Database

_LEARNERS_AT_ONCE: Final = 2_000
# Read in front of all who stand anywhere.
_FIRST: Final = -(2**62)


class Keeper:
    """Looks now and then whether the boards that can be asked for are in Redis as the database has them."""

    def __init__(self, database: Database, cache: BoardCache, is_over: Callable[[], bool] = lambda: False) -> None:
        """Once `is_over`, what is being built is left."""
        self._is_over = is_over
        self._database = database
        self._cache = cache
        # Of boards that were behind: the mark that they bore.
        self._behind: dict[Board, int] = {}

    def keep(self, *, now: int) -> int:
        """Build what is missing, and what has been behind for as long as since the last look; how many boards.

        One process at a time builds. Boards that have ended go: nobody would take out of them who is erased. Raises
        what `lost` names.
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
        # What was counted in a moment ago may still be on its way.
        behind = {at: mark for at, mark in borne.items() if mark is not None and mark != there[at]}
        stuck = [at for at, mark in behind.items() if self._behind.get(at) == mark]
        self._behind = behind
        return [at for at, mark in borne.items() if mark is None] + stuck


def rebuild(database: Database, cache: BoardCache, *, now: int) -> int:
    """Build all boards that can be asked for anew, whatever is in Redis; how many. Raises what `lost` names."""
    return sum(build(database, cache, at) for at in _boards(database, now).current)


def build(database: Database, cache: BoardCache, at: Board, is_over: Callable[[], bool] = lambda: False) -> bool:
    """Build one board, and put it in the place of what Redis has of it, if anything; whether that was done.

    It is read from one snapshot. What is counted in meanwhile is noted in Redis, and added before it is swapped in.
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
    """All who stand on a board, in order."""
    stored = boards.Stored(connection, at)
    found = stored.stretch(_FIRST, 0, _LEARNERS_AT_ONCE)
    while found:
        yield found
        found = stored.after(found[-1], _LEARNERS_AT_ONCE)


class _Boards(NamedTuple):
    """The boards that can be asked for at a time, with their marks, and those that cannot any more."""

    current: dict[Board, int]
    ended: list[Board]


def _boards(database: Database, now: int) -> _Boards:
    with database.read() as connection:
        state, marks = boards.state(connection), boards.marks(connection)
    periods = periods_at(local_day(now, state.time_zone))
    current = {at: mark for at, mark in marks.items() if at.period in periods}
    return _Boards(current, [at for at in marks if at not in current])


def held(database: Database, cache: BoardCache, *, now: int) -> tuple[int, int]:
    """How many boards Redis holds as the database has them, and of how many. Raises what `lost` names."""
    there = _boards(database, now).current
    borne = cache.marks(list(there))
    return sum(mark == true for mark, true in zip(borne, there.values(), strict=True)), len(there)
