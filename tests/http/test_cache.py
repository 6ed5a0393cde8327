"""A server with Redis: what it tells is what it would tell without, and other processes' streams are woken by it."""

import time
from collections.abc import Callable
from functools import partial
from uuid import uuid4

import httpx2
import pytest

from headway.cache import link
from headway.cache.boards import BoardCache
from headway.http import board_keeping, services
from headway.http import stream as streaming
from headway.ledger import announcing
from tests.http.server import Site, serving
from tests.http.test_metrics import scraped
from tests.http.test_stream import complete, listening, what
from tests.redis_server import RedisServer, redis_server

__all__ = ["redis_server"]
PATHS = ("leaderboards/all?limit=2", "leaderboards/day?course=python-basics", "leaderboards/week?around=me")


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end, "waited for too long"
        time.sleep(0.02)


def solve(client: httpx2.Client, *steps: str) -> None:
    for step in steps:
        reply = client.post(f"/courses/python-basics/steps/{step}/completion", json={"id": str(uuid4())})
        assert reply.is_success, reply.text


def told(client: httpx2.Client) -> list[bytes]:
    replies = [client.get(f"/{path}") for path in PATHS]
    assert {one.status_code for one in replies} == {200}
    return [one.content for one in replies]


def read_of(site: Site, of: str) -> float:
    return scraped(site.url)[f"headway_board_reads_total{{of={of}}}"]


def is_served_by_redis(site: Site, client: httpx2.Client) -> bool:
    before = read_of(site, "redis")
    told(client)
    return read_of(site, "redis") == before + len(PATHS)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_keeping, "_PAUSE_S", 0.05)
    monkeypatch.setattr(link, "REST_S", 0.05)


def test_boards_are_the_same_with_redis_without_it_and_whatever_befalls_it(
    quick: None, database_url: str, redis_server: RedisServer
) -> None:
    with serving(database_url) as plain, serving(database_url, redis_url=redis_server.url) as site:
        site.publish()
        ada = site.person("ada@example.org")
        token = ada.post("/auth/tokens", json={"name": "both", "scopes": ["read"]}).json()["token"]
        both = [one.client(token) for one in (site, plain)]
        solve(ada, "fizz")
        until(lambda: is_served_by_redis(site, both[0]))

        def same() -> bool:
            found, true = (told(one) for one in both)
            return found == true

        assert same()
        redis_server.client.flushall()
        assert same()
        until(lambda: is_served_by_redis(site, both[0]))
        redis_server.fill()
        solve(ada, "for-1")
        assert same()
        redis_server.empty()
        until(lambda: is_served_by_redis(site, both[0]))
        assert same()
        redis_server.hold()
        solve(site.person("bo@example.org"), "fizz", "for-1")
        assert same()
        redis_server.let_go()
        until(lambda: is_served_by_redis(site, both[0]))
        redis_server.stop()
        before = read_of(site, "database")
        assert same()
        assert read_of(site, "database") == before + len(PATHS)
        redis_server.start()
        until(lambda: is_served_by_redis(site, both[0]))
        assert same()


def test_an_admin_has_boards_built_anew_in_redis(
    quick: None, sqlite_url: str, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever had no patience would be told by the database, and rightly.
    monkeypatch.setattr(services, "BoardCache", partial(BoardCache, patience_s=20))
    with serving(sqlite_url, redis_url=redis_server.url) as site:
        site.publish()
        solve(site.person("ada@example.org"), "fizz")
        admin = site.person("root@example.org", "admin")
        until(lambda: is_served_by_redis(site, admin))
        for key in redis_server.client.keys("headway:board:*"):
            redis_server.client.zadd(key, {"5b0c9a0e-8f43-4f0e-9b1c-6a6f1f6b2d10": -(2**40)})
        wrong = told(admin)
        assert admin.post("/admin/leaderboards/rebuild", params={"dry_run": True}).json()["cached"] is None
        assert told(admin) == wrong
        assert admin.post("/admin/leaderboards/rebuild").json()["cached"] == 8
        assert told(admin) != wrong
        redis_server.stop()
        assert admin.post("/admin/leaderboards/rebuild").json()["cached"] is None


def test_streams_are_woken_by_redis_and_where_it_is_lost_by_postgresql(
    postgresql_url: str, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "LOOK_S", 600.0)
    redis_url = redis_server.url
    with serving(postgresql_url, redis_url=redis_url) as one, serving(postgresql_url, redis_url=redis_url) as other:
        one.publish()
        token = one.client().post("/auth/guest").json()["token"]
        with listening(one.client(token)) as events:
            until(lambda: redis_server.client.pubsub_numsub("headway:told") == [("headway:told", 1)])
            with monkeypatch.context() as patch:
                patch.setattr(announcing, "call", _never)
                complete(other.client(token), "for-1")
                assert what([next(events), next(events)]) == ["step_completed", "streak_extended"]
            redis_server.stop()
            complete(other.client(token), "fizz")
            assert what([next(events)]) == ["step_completed"]


def _never(*_: object) -> None:
    raise AssertionError("PostgreSQL was called though Redis answered")
