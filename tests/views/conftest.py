"""A migrated database of each kind, in which learners learn."""

from collections.abc import Iterator

import pytest

from headway.store.database import Database
from headway.store.migrate import migrate
from tests.views.learning import Learning


@pytest.fixture
def learning(database_url: str) -> Iterator[Learning]:
    database = Database(database_url)
    migrate(database)
    yield Learning(database)
    database.close()
