"""A world of each kind of database."""

from collections.abc import Iterator

import pytest

from tests.ledger.world import World


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = World(database_url)
    yield made
    made.database.close()
