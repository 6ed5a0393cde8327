"""With Redis lost, stopped, flushed, full or out of step, boards are byte by byte those of the database."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from headway.cache import link
from headway.cache.boards import BoardCache
from headway.cache.link import lost
from headway.domain.periods import PERIODS
from headway.ledger.board_cache import Keeper, held, rebuild
from headway.ledger.boards import count_all_in, count_in
from headway.ledger.erase import erase
from headway.views.leaderboards import BoardQuery, read_leaderboard
from headway.views.peers import read_peers
from headway.views.subject import Subject
from tests.ledger.test_boards import NOW, STEPS, Play
from tests.ledger.world import World
from tests.redis_server import RedisServer, redis_server

__all__ = ["redis_server"]


class CachedPlay(Play):
    """The same, while things happen to Redis; half of the counting in is done by a process that knows none."""

    def __init__(self, world: World, seed: int, redis: RedisServer) -> None:
        super().__init__(world, seed)
        self.redis = redis
        self.cached: list[bool] = []
        # On a loaded machine an answer may take a while, and what is asked here is not how long.
        self.cache = BoardCache(redis.url, patience_s=5, told=self.cached.append)
        self.keeper = Keeper(world.database, self.cache)
        self.older: dict[str, bytes] = {}

    def count(self) -> None:
        cache = self.chance.choice([self.cache, self.cache, None])
        count_in(self.world.database, now=NOW, limit=self.chance.choice([1, 2, 50]), cache=cache)

    def keep(self) -> None:
        with suppress(*lost()):
            self.keeper.keep(now=NOW)

    def trouble(self) -> None:
        """Something happens to Redis."""
        troubles: tuple[Callable[[], object], ...] = (self.flush, self.stop, self.fill, self.evict)
        self.chance.choice([*troubles, self.remember, self.recall])()

    def flush(self) -> None:
        self._running().client.flushall()

    def stop(self) -> None:
        if self.redis.is_running:
            self.redis.stop()
        else:
            self.redis.start()

    def fill(self) -> None:
        self.chance.choice([self._running().fill, self._running().empty])()

    def evict(self) -> None:
        """It throws away what it likes."""
        self._running().fill("allkeys-random")
        with suppress(*lost()):
            for n in range(self.chance.randrange(20)):
                self.redis.client.set(f"junk {n}", "x")
        self.redis.empty()

    def remember(self) -> None:
        found = [str(key) for key in self._running().client.keys("headway:board:*")]
        self.older = {key: self._raw().dump(key) for key in found}

    def recall(self) -> None:
        """It begins anew with what it held a while ago, as from a file of its own."""
        with suppress(*lost()):
            for key, held in self.older.items():
                self._running()
                self._raw().restore(key, 0, held, replace=True)

    def erase_one(self, who: str) -> None:
        """Erase somebody."""
        self.accounts.remove(who)
        erase(self.world.database, self.world.catalog, who, now=NOW)

    def _raw(self) -> Any:
        from redis import Redis

        return Redis(port=self.redis.port)

    def _running(self) -> RedisServer:
        if not self.redis.is_running:
            self.redis.start()
        return self.redis

    def check(self) -> None:
        """Each page, with Redis and without."""
        for kind in PERIODS:
            for of in (None, *STEPS):
                me = self.chance.choice([None, *self.accounts])
                for around in (False, True):
                    begins = None
                    for _ in range(3):
                        asked = BoardQuery(kind, of, around, begins, self.chance.choice([1, 2, 3, 50]))
                        begins = self._same(asked, me)
                        if begins is None:
                            break
                subject = Subject(self.chance.choice(self.accounts), "UTC")
                self._same_peers(subject, kind, of)

    def _same(self, asked: BoardQuery, me: str | None) -> Any:
        with self.world.database.read() as connection:
            told, plain = (read_leaderboard(connection, asked, me, NOW, one) for one in (self.cache, None))
        assert msgspec.json.encode(told.board) == msgspec.json.encode(plain.board)
        assert told.next_place == plain.next_place
        return plain.next_place

    def _same_peers(self, subject: Subject, kind: str, of: str | None) -> None:
        with self.world.database.read() as connection:
            told, plain = (read_peers(connection, subject, NOW, kind, of, one) for one in (self.cache, None))
        assert msgspec.json.encode(told) == msgspec.json.encode(plain)


def test_whatever_happens_to_redis_boards_are_those_of_the_database(
    world: World, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "REST_S", 0.0)
    monkeypatch.setattr("headway.views.peers.OTHERS_MIN", 1)
    play = CachedPlay(world, 1, redis_server)
    for _ in range(7):
        for _ in range(5):
            play.act()
            play.chance.choice([play.count, play.keep, play.keep])()
        play.check()
        play.trouble()
        play.check()
    # Both were read, or nothing was shown here.
    assert 0 < sum(play.cached) < len(play.cached)
    play._running().empty()
    count_all_in(world.database, now=NOW)
    # What is behind is built at the second look.
    play.keep()
    play.keep()
    right, there = held(world.database, play.cache, now=NOW)
    assert right == there > 0
    play.cached.clear()
    play.check()
    assert all(play.cached)
    play.redis.stop()
    play.check()
    play.cache.close()


def test_what_redis_holds_is_followed_by_shifts_and_rebuilt_when_asked(world: World, redis_server: RedisServer) -> None:
    play = CachedPlay(world, 7, redis_server)
    # A board that nobody was on comes to be by its first shift; no look, and nothing built.
    for _ in range(6):
        play.learn()
        count_in(world.database, now=NOW, cache=play.cache)
        assert held(world.database, play.cache, now=NOW)[0] == held(world.database, play.cache, now=NOW)[1] > 0
    assert play.keeper.keep(now=NOW) == 0
    # Somebody wrote into it by hand, under the right mark: nobody can know, but whoever asks for a rebuild.
    (board,) = redis_server.client.keys("headway:board:all:")
    redis_server.client.zadd(board, {play.accounts[0]: -(2**40)})
    assert play.keeper.keep(now=NOW) == 0
    assert rebuild(world.database, play.cache, now=NOW) == held(world.database, play.cache, now=NOW)[1]
    play.check()
    assert all(play.cached)
    # What is behind is not built at once: the shift may be on its way.
    play.learn()
    count_all_in(world.database, now=NOW)
    behind = held(world.database, play.cache, now=NOW)
    assert behind[0] < behind[1]
    assert play.keeper.keep(now=NOW) == 0
    assert play.keeper.keep(now=NOW) == behind[1] - behind[0]
    # Whoever is erased is nowhere in Redis either, once it was looked at: neither on yesterday's board.
    gone = play.accounts[0]
    assert len(boards_of(redis_server, gone)) > 3
    play.erase_one(gone)
    for _ in range(2):
        play.keeper.keep(now=NOW + 86_400_000_000)
    assert redis_server.client.exists("headway:board:all:")
    assert not boards_of(redis_server, gone)
    play.cache.close()


def boards_of(redis_server: RedisServer, learner_id: str) -> list[str]:
    keys = [str(key) for key in redis_server.client.keys("headway:board:*")]
    return [key for key in keys if redis_server.client.zscore(key, learner_id) is not None]
