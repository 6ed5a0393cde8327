"""Boards in Redis: what bears a mark is the board of that mark, however shifts come, and whatever is lost."""

import random
import threading
from bisect import bisect_left
from collections.abc import Iterator
from itertools import permutations
from operator import methodcaller
from uuid import UUID

import pytest
from redis import RedisError

from headway.cache.boards import PLACE_MIN, BoardCache, Shift
from headway.domain.boards import Board, Standing
from tests.redis_server import RedisServer, redis_server

__all__ = ["redis_server"]
AT = Board("python", "all")
TODAY = Board("", "2026-03-10")


def learner(number: int) -> str:
    return str(UUID(int=number * 2**100 + number))


@pytest.fixture
def cache(redis_server: RedisServer) -> Iterator[BoardCache]:
    # On a loaded machine an answer may take a while, and what is asked here is not how long.
    opened = BoardCache(redis_server.url, patience_s=20)
    yield opened
    opened.close()


def built(cache: BoardCache, standings: list[Standing], mark: int, at: Board = AT) -> bool:
    with cache.building(at) as building:
        for n in range(0, len(standings), 3):
            building.add(standings[n : n + 3])
        return building.swap(mark)


def everybody(cache: BoardCache, mark: int, at: Board = AT) -> list[Standing] | None:
    return cache.ask(at, mark, lambda board: board.stretch(-(2**62), 0, 1_000))


def test_a_board_is_read_as_a_sorted_list_is(cache: BoardCache) -> None:
    chance = random.Random(1)
    # Many at few places, so that ids decide; the highest points that Redis can tell apart.
    places = [PLACE_MIN + 1, PLACE_MIN + 2, *(-(chance.randrange(1, 6) << 20) for _ in range(60))]
    standings = sorted((place, learner(n)) for n, place in enumerate(places))
    assert built(cache, standings, 7)

    for place in [-(2**62), PLACE_MIN - 1, PLACE_MIN, *sorted({one[0] for one in standings}), 0, 1]:
        assert cache.ask(AT, 7, methodcaller("above", place)) == sum(one[0] < place for one in standings)
        for offset, limit in ((0, 1), (2, 5), (0, 1_000), (90, 2)):
            rest = [one for one in standings if one[0] >= place]
            found = cache.ask(AT, 7, methodcaller("stretch", place, offset, limit))
            assert found == rest[offset : offset + limit]
    # Who stands there, who would stand there, and who stands elsewhere by now.
    asked = [*standings, *((place, learner(n)) for place, _ in standings[::7] for n in (0, 5, 33, 99)), (0, learner(1))]
    for one in asked:
        at = bisect_left(standings, one)
        for limit in (0, 1, 4, 100):
            before, after = (cache.ask(AT, 7, methodcaller(name, one, limit)) for name in ("before", "after"))
            assert before == standings[max(0, at - limit) : at]
            at_or_behind = at + (standings[at : at + 1] == [one])
            assert after == standings[at_or_behind : at_or_behind + limit]


def test_a_board_of_another_mark_is_not_read(cache: BoardCache, redis_server: RedisServer) -> None:
    told: list[bool] = []
    cache._told = told.append
    assert everybody(cache, 7) is None
    assert built(cache, [(-5, learner(1))], 7)
    assert (everybody(cache, 8), everybody(cache, 7)) == (None, [(-5, learner(1))])
    assert everybody(cache, 7, TODAY) is None
    assert built(cache, [], 9)
    assert everybody(cache, 9) == []
    redis_server.client.flushall()
    assert everybody(cache, 9) is None
    assert told == [False, False, True, False, True, False]
    assert not cache.reading.rests


def test_shifts_count_in_whatever_order_they_come(cache: BoardCache) -> None:
    """Each permutation of three shifts from a board that is there ends at the same board, at the last mark."""
    shifts = [
        Shift(AT, 1, 2, [(learner(1), -50), (learner(3), -7)]),
        Shift(AT, 2, 3, [(learner(1), None)]),
        Shift(AT, 3, 4, [(learner(1), -60), (learner(2), -9)]),
    ]
    for one in permutations(shifts):
        assert built(cache, [(-5, learner(1)), (-4, learner(2))], 1)
        cache.take(one)
        assert everybody(cache, 4) == [(-60, learner(1)), (-9, learner(2)), (-7, learner(3))]
        assert (everybody(cache, 1), everybody(cache, 3)) == (None, None)


def test_a_shift_from_another_board_than_is_there_changes_nothing(cache: BoardCache) -> None:
    assert built(cache, [(-5, learner(1))], 1)
    cache.take([Shift(AT, 2, 3, [(learner(1), -50)]), Shift(AT, 0, 4, [(learner(1), -60)])])
    assert (everybody(cache, 3), everybody(cache, 4)) == (None, None)
    assert everybody(cache, 1) == [(-5, learner(1))]
    # Of a board that nobody was on, the first shift is the whole of it.
    cache.take([Shift(TODAY, 5, 6, [(learner(1), -50)])])
    assert cache.marks([TODAY]) == [None]
    cache.take([Shift(TODAY, 0, 5, [(learner(1), -50)]), Shift(TODAY, 5, 6, [(learner(2), -60)])])
    assert everybody(cache, 6, TODAY) == [(-60, learner(2)), (-50, learner(1))]


def test_shifts_that_come_while_a_board_is_built_are_in_it(cache: BoardCache) -> None:
    shifts = [Shift(AT, n, n + 1, [(learner(n), -n)]) for n in range(1, 7)]
    assert built(cache, [], 1)
    with cache.building(AT) as building:
        cache.take(shifts[:3])
        # From here on it is read from the database, in the state that has the mark 3.
        building.add([(-1, learner(1)), (-2, learner(2))])
        cache.take([shifts[4], shifts[3]])
        assert everybody(cache, 6) == sorted((-n, learner(n)) for n in range(1, 6))
        assert building.swap(3)
    cache.take(shifts[5:])
    assert everybody(cache, 7) == sorted((-n, learner(n)) for n in range(1, 7))


def test_what_lost_a_part_while_it_was_built_is_not_swapped_in(cache: BoardCache, redis_server: RedisServer) -> None:
    assert built(cache, [(-5, learner(1))], 1)
    with cache.building(AT) as building:
        building.add([(-1, learner(1)), (-2, learner(2))])
        redis_server.client.delete(building.key)
        building.add([(-3, learner(3))])
        assert not building.swap(2)
    assert everybody(cache, 1) == [(-5, learner(1))]
    assert not [key for key in redis_server.client.keys("*") if "building" in key]


def test_a_full_redis_changes_a_board_wholly_or_not_at_all(cache: BoardCache, redis_server: RedisServer) -> None:
    before = [(-n, learner(n)) for n in range(1, 40)]
    assert built(cache, sorted(before), 1)
    redis_server.fill()
    cache.take([Shift(AT, 1, 2, [(learner(1), None), *((learner(n), -n) for n in range(40, 99))])])
    assert (everybody(cache, 2), everybody(cache, 1)) == (None, sorted(before))
    with pytest.raises(RedisError):
        built(cache, sorted(before), 3)
    assert everybody(cache, 1) == sorted(before)
    redis_server.empty()
    assert built(cache, sorted(before), 3)


def test_places_that_redis_cannot_tell_apart_are_not_kept(cache: BoardCache) -> None:
    with cache.building(AT) as building:
        assert not building.add([(PLACE_MIN, learner(1))])
    assert built(cache, [], 1)
    cache.take([Shift(AT, 1, 2, [(learner(1), PLACE_MIN)])])
    assert (everybody(cache, 2), everybody(cache, 1)) == (None, [])


def test_a_board_is_there_all_the_time_that_it_is_rebuilt(cache: BoardCache) -> None:
    standings = sorted((-n % 7 - 9, learner(n)) for n in range(100))
    assert built(cache, standings, 1)
    over, found = threading.Event(), list[object]()

    def look() -> None:
        while not over.is_set():
            found.append(everybody(cache, 1) == standings)

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(20):
        assert built(cache, standings, 1)
    over.set()
    reader.join()
    assert found
    assert all(found)


def test_boards_of_periods_go_by_themselves_and_no_sooner(cache: BoardCache, redis_server: RedisServer) -> None:
    for period, days in {"all": 0, "2026-03": 31, "2026-W10": 7, "2026-03-10": 1}.items():
        at = Board("", period)
        assert built(cache, [(-5, learner(1))], 1, at)
        for after in (2, 3):
            ttl = redis_server.client.ttl(f"headway:board:{period}:")
            assert days * 86_400 < ttl <= (days + 3) * 86_400 if days else ttl == -1
            redis_server.client.expire(f"headway:board:{period}:", 60)
            cache.take([Shift(at, after - 1, after, [(learner(1), -after)])])


def test_a_redis_that_stands_still_is_left_alone_for_a_while(redis_server: RedisServer) -> None:
    cache = BoardCache(redis_server.url)
    assert built(cache, [(-5, learner(1))], 1)
    redis_server.hold()
    assert everybody(cache, 1) is None
    assert cache.reading.rests
    assert everybody(cache, 1) is None
    cache.take([Shift(AT, 1, 2, [(learner(1), -6)])])
    assert cache.writing.rests
    redis_server.let_go()
    cache.close()


def test_one_process_builds_at_a_time(cache: BoardCache, redis_server: RedisServer) -> None:
    for _ in range(2):
        with cache.claimed() as first, cache.claimed() as second:
            assert (first, second) == (True, False)
            with cache.claimed() as third:
                assert not third
    with cache.claimed():
        # It took too long, and another has begun.
        redis_server.client.set("headway:boards-claim", "another")
    assert redis_server.client.get("headway:boards-claim") == "another"
