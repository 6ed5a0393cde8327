"""What tests of the HTTP contract may ask for: a started server with a course, on each kind of database."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from headway.ledger import passwords
from tests.http.postbox import Box, Post, at_noon, mailbox
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


@pytest.fixture
def box() -> Iterator[tuple[Box, int]]:
    """A mail server of the test's, and its port."""
    with mailbox() as made:
        yield made


@pytest.fixture
def post(database_url: str, box: tuple[Box, int]) -> Iterator[Post]:
    """A process that mails when the test says so, by whose clock it is noon."""
    made = Post(database_url, box[1])
    made.now = at_noon(made.now)
    yield made
    made.database.close()
