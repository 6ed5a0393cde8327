"""`headway leaderboards rebuild` and `headway doctor` with Redis and without."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from headway.ledger.boards import count_all_in
from tests.cli.terminal import Terminal
from tests.ledger.conftest import sqlite_world
from tests.ledger.world import NOON, World, event
from tests.redis_server import RedisServer, redis_server

__all__ = ["redis_server", "sqlite_world"]


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, monkeypatch, capfd)


def of_boards(terminal: Terminal) -> Any:
    terminal.run("doctor", "--json")
    found = json.loads(terminal.out)["findings"]
    return next((one["state"], one["value"]) for one in found if one["name"] == "boards in redis")


def test_boards_are_built_anew_in_redis_and_redis_may_be_lost(
    sqlite_world: World, redis_server: RedisServer, terminal: Terminal
) -> None:
    who = sqlite_world.learner(display_name="Ada")
    sqlite_world.send(who, event(str(uuid4()), "completed", "loops", score=90))
    count_all_in(sqlite_world.database, now=NOON)
    terminal.set("HEADWAY_DATABASE_URL", sqlite_world.url)
    assert terminal.json("leaderboards", "rebuild")["cached"] is None
    terminal.set("HEADWAY_REDIS_URL", redis_server.url)
    assert of_boards(terminal) == ("note", "0 of 2")
    assert terminal.json("leaderboards", "rebuild", "--dry-run")["cached"] is None
    assert redis_server.client.dbsize() == 0
    assert terminal.run("leaderboards", "rebuild") == 0
    assert terminal.out == "Moved 0 of 1 learner.\nBuilt 2 leaderboards anew in Redis.\n"
    assert of_boards(terminal) == ("fine", "2 of 2")
    terminal.set("HEADWAY_REDIS_URL", None)
    redis_server.stop()
    assert terminal.json("leaderboards", "rebuild", "--redis", redis_server.url)["cached"] is None
    assert "Redis has none of it" in terminal.err
