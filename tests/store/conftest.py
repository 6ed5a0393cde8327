"""A migrated database of each kind."""

from collections.abc import Iterator

import pytest

from headway.store.database import Database
from headway.store.migrate import migrate


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    migrate(made)
    yield made
    made.close()
