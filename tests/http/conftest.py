"""What tests of the HTTP contract may ask for: a started server with a course, on each kind of database."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from headway.ledger import passwords
from tests.http.server import Site, serving


@pytest.fixture(autouse=True)
def quick_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hash passwords of this process's servers as quickly as argon2 can, but where the hashes are what is tested."""
    if request.node.get_closest_marker("real_hashes") is None:
        monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._hash_of_nobody.cache_clear()
    yield
    passwords._hash_of_nobody.cache_clear()


@pytest.fixture
def site(database_url: str) -> Iterator[Site]:
    """A server with the course of `tests/http/server.py`."""
    with serving(database_url) as started:
        started.publish()
        yield started


@pytest.fixture
def sqlite_site(sqlite_url: str) -> Iterator[Site]:
    """The same on SQLite alone, for what no database has a part in."""
    with serving(sqlite_url) as started:
        started.publish()
        yield started
