"""`headway achievements`: what an operator sees of them, and gives."""

import json

import pytest

from headway.domain.achievements import Definition
from headway.ledger.definitions import define, install, retire
from headway.store.database import Database
from headway.store.schema import achievement
from tests.ledger.world import World, event
from tests.torture.proof import query
from tests.torture.server import Command

TRIES = Definition("tries", "Tries", "Make two attempts.", "practice", "attempts", 2, 7, "gold", hidden=True)
OLD = Definition("old", "Old", "Be old.", "streaks", "active_days", 1_000, 1, "bronze")


@pytest.fixture
def url(database_url: str) -> str:
    """A database in which a learner made two attempts before anything could be earned for them."""
    world = World(database_url).prepare()
    install(world.database, [OLD])
    retire(world.database, "old")
    world.send(world.learner(), event(1), event(2))
    define(world.database, TRIES)
    world.close()
    return database_url


def run(url: str, *words: str) -> Command:
    done = Command("achievements", *words, "--database", url)
    assert done.code == 0, str(done)
    return done


def test_it_lists_what_can_be_earned(url: str) -> None:
    assert run(url, "list").out == (
        "old  bronze  active_days 1,000  1 point  site, retired  Old\n"
        "tries  gold  attempts 2  7 points  site, hidden  Tries\n"
    )
    (old, tries) = json.loads(run(url, "list", "--json").out)["items"]
    assert tries == {**TRIES._asdict(), "origin": "site", "retired": False}
    assert old["retired"]


def test_it_tells_what_it_would_give_and_gives_it(url: str) -> None:
    assert run(url, "backfill", "--dry-run").out.endswith("Would give 1 achievement to 1 of 1 learner.\n")
    told = json.loads(run(url, "backfill", "--dry-run", "--json").out)
    (update,) = told["updates"]
    assert (told["total"], told["updated"], told["unchanged"]) == (1, 1, 0)
    assert (update["field"], update["old"], update["new"], update["achievements"]) == ("achievements", 0, 1, ["tries"])
    assert query(url, f"SELECT count(*) FROM {achievement.name}") == [(0,)]
    assert json.loads(run(url, "backfill", "--json").out) == told | {"dry_run": False}
    assert query(url, f"SELECT achievement_id, points FROM {achievement.name}") == [("tries", 7)]
    assert run(url, "backfill").out == "Gave 0 achievements to 0 of 1 learner.\n"


def test_a_database_without_any_says_so(sqlite_url: str) -> None:
    Database(sqlite_url).close()
    assert "There are none yet" in run(sqlite_url, "list").err
