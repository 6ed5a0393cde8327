"""What tests of the HTTP contract may ask for: a started server with a course, on each kind of database."""

from collections.abc import Iterator

import pytest

from tests.http.server import Site, serving


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
