"""A world of each kind of database, copied from one that was made once a run."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Postgres
from tests.ledger.world import World


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with a world in it."""
    path = tmp_path_factory.mktemp("template") / "world.db"
    World(f"sqlite:///{path}").prepare().close()
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgres: Postgres) -> Iterator[str]:
    """The name of a PostgreSQL database with a world in it."""
    name = f"world_{uuid.uuid4().hex}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    World(postgres.url(name)).prepare().close()
    yield name
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def sqlite_world(sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    path = Path(shutil.copy(sqlite_template, tmp_path))
    world = World(f"sqlite:///{path}")
    yield world
    world.close()


@pytest.fixture
def postgresql_world(postgres: Postgres, postgresql_template: str, tmp_path: Path) -> Iterator[World]:
    with postgres.fresh(postgresql_template) as url:
        world = World(url, tmp_path / "archive")
        yield world
        world.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> World:
    """A world: the test runs once on each kind of database."""
    found: World = request.getfixturevalue(f"{request.param}_world")
    return found
