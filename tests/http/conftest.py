"""What tests of the HTTP contract may ask for: a started server with a course, on each kind of database."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from headway.http import delivering
from headway.ledger import passwords
from tests.http.postbox import Box, Post, at_noon, mailbox
from tests.http.receiving import Receiver, receiving
from tests.http.sending import OWN, Still
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


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for what is due more often than every few seconds."""
    monkeypatch.setattr(delivering, "LOOK_S", 0.1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """What takes messages."""
    with receiving() as made:
        yield made


@pytest.fixture
def sending(database_url: str) -> Iterator[Site]:
    """A server that may send to this machine."""
    with serving(database_url, webhook_networks=OWN) as site:
        site.publish()
        yield site


@pytest.fixture
def still(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Still]:
    """A site of which nothing is sent but by the test, at times of the test's own."""
    monkeypatch.setattr("headway.http.delivering.take", lambda *_, **__: [])
    made = Still(site)
    site.publish()
    yield made
    made.services.database.close()
