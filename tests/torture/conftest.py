"""What the crash and multi-process tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture.client import prepare
from tests.torture.server import Server


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    """A server at work on a database with the course published: the test runs once on each kind."""
    prepare(database_url)
    with Server(database_url, tmp_path) as started:
        yield started
