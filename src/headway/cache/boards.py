"""Leaderboards in Redis: read only where they have the mark that the database has."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, TypeVar

from headway.cache import scripts
from headway.cache.link import Link, connected, lost
from headway.domain.boards import ALL, Asking, Board, Question, Standing

T = TypeVar("T")
# How long a reader waits for Redis, whatever it asks, before it reads from the database.
PATIENCE_S: Final = 0.04
READERS: Final = 8
# Redis keeps places as floating-point numbers, which below this cannot tell all places apart.
PLACE_MIN: Final = -(2**53)
_BUILDING_S: Final = 120
_KEPT_AFTER_DAYS: Final = 3
_DAY_S: Final = 86_400
# The longest month and week in days, by the length of a period's name.
_DAYS_MOST: Final = {len("2026-03"): 31, len("2026-W10"): 7}
_PREFIX: Final = "headway:board"
_CLAIM: Final = "headway:boards-claim"


class Stale(Exception):
    """Redis holds the board with another mark than the database, or not at all."""


class Shift(NamedTuple):
    """A board's change from one mark to the next (0 before a new board): learners' new places, None for those gone."""

    board: Board
    before: int
    after: int
    places: Sequence[tuple[str, int | None]]


class Cached(Asking):
    """A board as Redis holds it; raises Stale unless it has this mark."""

    def __init__(self, ask: Callable[..., Any], at: Board, mark: int) -> None:
        self._ask = ask
        self._key = _key(at)
        self._mark = mark

    def ask(self, *asked: Question) -> list[Any]:
        """The answers to several questions, of one moment."""
        said = [part for one in asked for part in (one.what, _bound(one.standing[0]), one.standing[1], *one[2:])]
        found = self._ask([self._key], [self._mark, *said])
        if found is None:
            raise Stale
        pairs = zip(asked, found, strict=True)
        return [int(answer) if one.what == "above" else _standings(answer) for one, answer in pairs]


class BoardCache:
    """A site's leaderboards in its Redis; where Redis fails, reading and recording go on without it."""

    def __init__(
        self, address: str, patience_s: float = PATIENCE_S, told: Callable[[bool], None] = lambda _: None
    ) -> None:
        """`told` is called after each read of a board, with whether Redis could answer."""
        # Apart, because a Redis that is full or a replica can be read but not written.
        self.reading, self.writing = Link(), Link()
        self._told = told
        self._patience_s = patience_s
        self._reading = connected(address, patience_s)
        self._writing = connected(address)
        self._read = self._reading.register_script(scripts.READ)
        self._shift = self._writing.register_script(scripts.SHIFT)
        self._swap = self._writing.register_script(scripts.SWAP)
        self._threads = ThreadPoolExecutor(READERS, "headway-cache")

    def close(self) -> None:
        """Stop asking, and close all connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._reading.close()
        self._writing.close()

    def ask(self, at: Board, mark: int, read: Callable[[Cached], T]) -> T | None:
        """The result of `read` on the board with this mark; None where Redis lacks it, or does not answer in time.

        Redis is asked in a separate thread, so that an address that is not resolved, or a Redis that hangs, delays
        nobody.
        """
        found = None if self.reading.rests else self._asked(Cached(self._read, at, mark), read)
        self._told(found is not None)
        return found

    def _asked(self, cached: Cached, read: Callable[[Cached], T]) -> T | None:
        work = self._threads.submit(read, cached)
        try:
            return work.result(self._patience_s)
        except Stale:
            return None
        except lost():
            work.cancel()
            self.reading.failed()
            return None

    def take(self, shifts: Iterable[Shift]) -> None:
        """Apply shifts, after their transaction is committed, to boards that have the mark before the shift."""
        for one in shifts:
            if self.writing.rests or any(place is not None and place <= PLACE_MIN for _, place in one.places):
                continue
            sent = [value for pair in one.places for value in (pair[0], "" if pair[1] is None else pair[1])]
            keys = [_key(one.board), _log(one.board), _early(one.board)]
            with self._tried():
                self._shift(keys, [one.before, one.after, _kept_s(one.board), *sent])

    @contextmanager
    def _tried(self) -> Iterator[None]:
        try:
            yield
        except lost():
            self.writing.failed()

    def marks(self, found: Sequence[Board]) -> list[int | None]:
        """The marks of boards in Redis; None for one that is not there. Raises what `lost` names."""
        with self._writing.pipeline(transaction=False) as pipeline:
            for at in found:
                pipeline.zscore(_key(at), "mark")
            scores = pipeline.execute()
        return [None if one is None else int(float(one)) for one in scores]

    def drop(self, found: Sequence[Board]) -> None:
        """Delete boards from Redis. Raises what `lost` names."""
        if found:
            self._writing.unlink(*(_key(at) for at in found))

    @contextmanager
    def claimed(self) -> Iterator[bool]:
        """Claim the right to build missing boards, which one process has at a time; yields False if another has it."""
        token = secrets.token_hex(8)
        is_ours = bool(self._writing.set(_CLAIM, token, nx=True, ex=_BUILDING_S))
        try:
            yield is_ours
        finally:
            if is_ours and self._writing.get(_CLAIM) == token:
                self._writing.delete(_CLAIM)

    @contextmanager
    def building(self, at: Board) -> Iterator["Building"]:
        """Build a board anew, beside the one being read; enter this before reading the board from the database."""
        building = Building(self, at)
        try:
            yield building
        finally:
            with self._tried():
                self._writing.unlink(building.key)

    def begin(self, at: Board) -> None:
        """Have shifts from now on logged for whoever builds this board."""
        log = _log(at)
        self._writing.rpush(log, '["begun"]')
        self._writing.expire(log, _BUILDING_S)

    def add(self, key: str, at: Board, standings: Sequence[Standing]) -> None:
        """Add learners to a board being built."""
        with self._writing.pipeline(transaction=False) as pipeline:
            pipeline.zadd(key, {learner_id: place for place, learner_id in standings})
            for one in (key, _log(at), _CLAIM):
                pipeline.expire(one, _BUILDING_S)
            pipeline.execute()

    def swap(self, key: str, at: Board, count: int, mark: int) -> bool:
        """Replace the board by the one built; False where Redis has lost part of it."""
        return bool(self._swap([_key(at), key, _log(at)], [count, mark, _kept_s(at)]))


class Building:
    """A board being built. Where Redis fails, methods raise what `lost` names."""

    def __init__(self, cache: BoardCache, at: Board) -> None:
        self.key = f"headway:building:{secrets.token_hex(8)}"
        self._cache = cache
        self._at = at
        self._count = 0
        cache.begin(at)

    def add(self, standings: Sequence[Standing]) -> bool:
        """Add learners; False where Redis could not tell their places from others."""
        if any(place <= PLACE_MIN for place, _ in standings):
            return False
        self._count += len(standings)
        self._cache.add(self.key, self._at, standings)
        return True

    def swap(self, mark: int) -> bool:
        """Replace the board by this one; False where Redis has lost part of it."""
        return self._cache.swap(self.key, self._at, self._count, mark)


def _key(at: Board) -> str:
    return f"{_PREFIX}:{at.period}:{at.course}"


def _log(at: Board) -> str:
    return f"headway:shifts:{at.period}:{at.course}"


def _early(at: Board) -> str:
    return f"headway:early:{at.period}:{at.course}"


def _bound(place: int) -> int | str:
    """A place for Redis; -inf for one that it cannot tell apart, which lies before all places on a board there."""
    return place if place > PLACE_MIN else "-inf"


def _kept_s(at: Board) -> int | str:
    """How many seconds a board is kept after its last change, until its period has surely ended; '' for no limit."""
    if at.period == ALL:
        return ""
    days = _DAYS_MOST.get(len(at.period), 1)
    return (days + _KEPT_AFTER_DAYS) * _DAY_S


def _standings(found: Sequence[Any]) -> list[Standing]:
    """Standings from Redis's flat list of members and scores, without the mark, whose score is positive."""
    pairs = zip(found[::2], found[1::2], strict=True)
    return [(int(float(place)), learner_id) for learner_id, place in pairs if float(place) < 0]
