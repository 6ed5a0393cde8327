"""The ledger only grows: whoever would change or remove an entry is refused by the database itself."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from headway.store import courses, entries, learners
from headway.store.courses import Publication
from headway.store.database import Database
from headway.store.entries import Entry
from headway.store.migrate import migrate
from headway.store.schema import ledger, ledger_opened

ADA, BEN, NOBODY = (str(UUID(int=n)) for n in (1, 2, 3))
EVENT, OTHER = (str(UUID(int=n)) for n in (11, 12))


BLANK: tuple[Any, ...] = (
    *(ADA, 1, EVENT, "{}", 1, 0, "UTC", "reported", 1),
    *("attempted", "python", 1, "loops", 1, "1970-01-01", "reported", 500_000, False, 0, 0, None, None),
)


def entry(**fields: Any) -> Entry:
    return Entry(*BLANK)._replace(**fields)


def fill(database: Database) -> None:
    people = [{"id": one, "kind": "guest", "time_zone": "UTC", "created_at": 1} for one in (ADA, BEN)]
    with database.transaction() as connection:
        learners.add(connection, *people)
        courses.publish(connection, Publication("python", 1, "Python", "{}", "{}", 1, None))
        entries.append(connection, [entry()])


@pytest.fixture
def kept(database: Database) -> Iterator[Database]:
    """A database with one entry in its ledger; nothing may leave it open."""
    fill(database)
    yield database
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(ledger_opened)).scalar() == 0


def held(database: Database) -> list[Entry]:
    with database.read() as connection:
        return list(entries.between(connection, ADA, NOBODY))


def run(database: Database, statement: str) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(statement)


COLUMNS = ", ".join(ledger.c.keys())
REPLACED = COLUMNS.replace("body", "'falsified' AS body")
OTHERWISE = "ON CONFLICT (learner_id, seq) DO UPDATE SET body = 'falsified'"
FORBIDDEN = {
    "sqlite": [
        f"INSERT OR REPLACE INTO ledger SELECT {REPLACED} FROM ledger",
        f"REPLACE INTO ledger ({COLUMNS}) SELECT {REPLACED} FROM ledger",
        "UPDATE OR REPLACE ledger SET body = 'falsified'",
    ],
    "postgresql": [
        "TRUNCATE ledger",
        "MERGE INTO ledger l USING learner r ON r.id = l.learner_id WHEN MATCHED THEN DELETE",
    ],
    "both": [
        "UPDATE ledger SET body = 'falsified'",
        "UPDATE ledger SET seq = seq + 1",
        "DELETE FROM ledger",
        f"DELETE FROM ledger WHERE learner_id = '{ADA}'",
        f"INSERT INTO ledger SELECT {COLUMNS} FROM ledger WHERE true {OTHERWISE}",
    ],
}


@pytest.mark.parametrize("statement", FORBIDDEN["both"])
def test_an_entry_is_neither_changed_nor_removed(kept: Database, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        run(kept, statement)
    assert held(kept) == [entry()]


def test_nor_in_any_way_of_one_databases_own(kept: Database) -> None:
    for statement in FORBIDDEN[kept.dialect]:
        with pytest.raises(DBAPIError, match="append-only"):
            run(kept, statement)
        assert held(kept) == [entry()]


def test_entries_are_added_freely(kept: Database) -> None:
    with kept.transaction() as connection:
        entries.append(connection, [entry(seq=2, event_id=OTHER), entry(learner_id=BEN)])
        entries.append(connection, [])
    assert len(held(kept)) == 3


def test_replace_is_the_one_opening_and_closes_behind_itself(kept: Database) -> None:
    with kept.transaction() as connection:
        entries.replace(connection, [entry(day="1970-01-02")], reason="test")
    assert held(kept) == [entry(day="1970-01-02")]
    with pytest.raises(DBAPIError, match="append-only"):
        run(kept, "UPDATE ledger SET day = '1970-01-03'")


def test_it_is_closed_again_within_the_transaction_that_opened_it(kept: Database) -> None:
    def replace_and_delete() -> None:
        with kept.transaction() as connection:
            entries.replace(connection, [entry(day="1970-01-02")], reason="test")
            connection.exec_driver_sql("DELETE FROM ledger")

    with pytest.raises(DBAPIError, match="append-only"):
        replace_and_delete()
    assert held(kept) == [entry()]


def test_an_opening_is_seen_by_its_own_transaction_alone(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    migrate(database)
    fill(database)
    with database.transaction() as connection:
        connection.execute(sa.insert(ledger_opened).values(reason="test"))
        with pytest.raises(DBAPIError, match="append-only"):
            run(database, "DELETE FROM ledger")
        connection.execute(sa.delete(ledger_opened))
    database.close()


def test_an_opening_that_fails_leaves_nothing_open(kept: Database) -> None:
    with pytest.raises(DBAPIError), kept.transaction() as connection:
        entries.replace(connection, [entry(day=None)], reason="test")
    with pytest.raises(DBAPIError, match="append-only"):
        run(kept, "DELETE FROM ledger")
    assert held(kept) == [entry()]
