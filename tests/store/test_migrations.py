"""Migrations: run at every start, by any number of processes at once, and ending where the schema says."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import headway.store.migrate
from headway.store.database import Database
from headway.store.file_lock import FileLock
from headway.store.migrate import SchemaTooNew, current, migrate, newest
from headway.store.schema import metadata

MIGRATE = """
import sys
from headway.store.database import Database
from headway.store.file_lock import FileLock
from headway.store.migrate import migrate
print("ready", flush=True)
for line in sys.stdin:
    database = Database(line.strip())
    migrate(database)
    with database.transaction() as connection:
        connection.exec_driver_sql("UPDATE learner SET roles = ''")
    database.close()
    print("migrated", flush=True)
"""
PROCESSES = 4


@pytest.fixture
def empty(new_database_url: str) -> Iterator[Database]:
    made = Database(new_database_url)
    yield made
    made.close()


def schema_of(database: Database) -> list[tuple[Any, ...]]:
    """Every table and trigger as the database keeps it."""
    statement = (
        "SELECT type, name, sql FROM sqlite_master ORDER BY name"
        if database.dialect == "sqlite"
        else "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' ORDER BY table_name, column_name"
    )
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.text(statement))]


def test_an_empty_database_is_brought_to_the_newest_revision_once(empty: Database) -> None:
    with empty.read() as connection:
        assert current(connection) is None
    assert migrate(empty) == (None, newest())
    before = schema_of(empty)
    assert migrate(empty) == (newest(), newest())
    assert schema_of(empty) == before
    with empty.read() as connection:
        assert current(connection) == newest()


def test_what_was_recorded_is_still_there_after_migrating_again(empty: Database) -> None:
    migrate(empty)
    row = {"id": "0b5d7e9a-1c2d-4e3f-8a4b-5c6d7e8f9a0b", "kind": "guest", "time_zone": "UTC", "created_at": 1}
    with empty.transaction() as connection:
        connection.execute(sa.insert(metadata.tables["learner"]).values(**row))
    migrate(empty)
    with empty.read() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM learner")).scalar() == 1


def test_sessions_from_before_tokens_stay_and_get_an_id(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = {"id": "0b5d7e9a-1c2d-4e3f-8a4b-5c6d7e8f9a0b", "kind": "guest", "time_zone": "UTC", "created_at": 1}
    with monkeypatch.context() as patched:
        patched.setattr(headway.store.migrate, "newest", lambda: "0001")
        migrate(empty)
    with empty.transaction() as connection:
        connection.execute(sa.insert(metadata.tables["learner"]).values(**learner))
        for token_hash in ("a", "b"):
            values = {"hash": token_hash, "id": learner["id"]}
            connection.execute(sa.text("INSERT INTO session VALUES (:hash, :id, 'guest', 1, 2, 3)"), values)
    migrate(empty)
    with empty.read() as connection:
        rows = connection.execute(sa.text("SELECT token_hash, kind, last_used_at, id FROM session ORDER BY 1")).all()
    assert [tuple(row[:3]) for row in rows] == [("a", "guest", 2), ("b", "guest", 2)]
    assert len({row[3] for row in rows}) == 2


def test_migrations_end_in_the_schema_that_the_code_knows(database: Database) -> None:
    with database.read() as connection:
        options = {"compare_type": True, "compare_server_default": is_other_default, "include_object": without_alembic}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    assert differences == []


def is_other_default(_context: object, _there: object, _known: object, there: str | None, *rest: str | None) -> bool:
    """Whether two defaults differ, but for quotes, brackets and casts."""
    plain = [one if one is None else one.partition("::")[0].strip("'()") for one in (there, rest[-1])]
    return plain[0] != plain[1]


def without_alembic(_object: object, name: str | None, *_rest: object) -> bool:
    return name != "alembic_version"


def test_every_constraint_and_index_of_the_code_is_in_the_database(database: Database) -> None:
    with database.read() as connection:
        found = sa.inspect(connection)
        for table in metadata.sorted_tables:
            keys = found.get_pk_constraint(table.name)["constrained_columns"]
            assert keys == [column.name for column in table.primary_key], table.name
            checks = {check["name"] for check in found.get_check_constraints(table.name)}
            assert checks == {one.name for one in table.constraints if isinstance(one, sa.CheckConstraint)}
            foreign = {tuple(one["constrained_columns"]) for one in found.get_foreign_keys(table.name)}
            assert foreign == {tuple(one.column_keys) for one in table.foreign_key_constraints}


def test_a_database_of_a_newer_headway_is_left_alone(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    before = schema_of(database)
    with pytest.raises(SchemaTooNew) as refusal:
        migrate(database)
    assert "9999" in refusal.value.detail
    assert refusal.value.code == "schema-too-new"
    assert schema_of(database) == before


def test_processes_that_start_at_once_migrate_once(new_sqlite_url: str, new_postgresql_url: str) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", MIGRATE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        for _ in range(PROCESSES)
    ]
    for url in ("", *(f"{new_sqlite_url}-{n}" for n in range(12)), new_postgresql_url):
        for process in started:
            assert process.stdin is not None
            if url:
                process.stdin.write(f"{url}\n")
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == ("migrated\n" if url else "ready\n")
    assert [process.communicate(timeout=60) for process in started] == [("", "")] * PROCESSES
    for url in (f"{new_sqlite_url}-0", new_postgresql_url):
        database = Database(url)
        assert migrate(database) == (newest(), newest())
        database.close()


def test_who_first_reads_a_new_file_waits_for_who_makes_it(new_sqlite_url: str) -> None:
    database = Database(new_sqlite_url)
    assert database.path is not None
    done = threading.Event()

    def read() -> None:
        with database.read() as connection:
            assert current(connection) is None
            # Whoever reads a file without its log would be in the way of who gives it one.
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        done.set()

    reading = threading.Thread(target=read)
    with FileLock(database.path.with_name(database.path.name + "-lock")).held():
        reading.start()
        assert not done.wait(0.2)
        assert not database.path.exists()
    assert done.wait(10)
    reading.join()
    database.close()


def test_a_new_sqlite_file_is_its_owners_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    migrate(database)
    with database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM session")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    database.close()
