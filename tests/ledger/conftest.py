"""A world of each kind of database, copied from one that was made once a run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Templates
from tests.ledger.world import World


def prepared(url: str) -> None:
    """Make a world in a new database."""
    World(url).prepare().close()


@pytest.fixture
def sqlite_world(templates: Templates, tmp_path: Path) -> Iterator[World]:
    with templates.copy("sqlite", prepared, tmp_path) as (url, _):
        world = World(url)
        yield world
        world.close()


@pytest.fixture
def postgresql_world(templates: Templates, tmp_path: Path) -> Iterator[World]:
    with templates.copy("postgresql", prepared, tmp_path) as (url, _):
        world = World(url, tmp_path / "archive")
        yield world
        world.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> World:
    """A world: the test runs once on each kind of database."""
    found: World = request.getfixturevalue(f"{request.param}_world")
    return found
