"""`headway guests clear`: counts first, then clears, beside a running server as well."""

import json
import time

import pytest
import sqlalchemy as sa

from headway.domain.times import DAY
from headway.store import learners
from headway.store.database import Database
from headway.store.migrate import migrate
from headway.store.schema import learner
from tests.torture.proof import query
from tests.torture.server import Command

OLD, NEW = "0b9f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c11", "0b9f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c12"


@pytest.fixture
def filled(database_url: str) -> str:
    """A database with a guest of forty days ago, and one of now."""
    database, now = Database(database_url), time.time_ns() // 1000
    migrate(database)
    with database.transaction() as connection:
        for learner_id, at in ((OLD, now - 40 * DAY), (NEW, now)):
            learners.add(connection, {"id": learner_id, "kind": "guest", "time_zone": "UTC", "created_at": at})
    database.close()
    return database_url


def clear(url: str, *flags: str) -> Command:
    done = Command("guests", "clear", *flags, "--database", url)
    assert done.code == 0, str(done)
    return done


def left(url: str) -> set[str]:
    return {str(row[0]) for row in query(url, str(sa.select(learner.c.id)))}


def test_it_counts_first_and_then_clears(filled: str) -> None:
    assert clear(filled).out == "Cleared 0 guests with 0 entries: nothing done for 365 days.\n"
    assert clear(filled, "--days", "30", "--dry-run").out.startswith("Would clear 1 guest with 0 entries")
    assert left(filled) == {OLD, NEW}
    told = json.loads(clear(filled, "--days", "30", "--json").out)
    assert told == {"guests": 1, "entries": 0, "days": 30, "dry_run": False}
    assert left(filled) == {NEW}


@pytest.mark.parametrize("days", ["0", "-1", "some", "40000"])
def test_days_that_are_none_are_refused(filled: str, days: str) -> None:
    done = Command("guests", "clear", "--days", days, "--database", filled)
    assert (done.code, left(filled)) == (2, {OLD, NEW})
