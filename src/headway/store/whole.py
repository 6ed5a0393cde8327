"""Statements on a whole database: read as of one moment, and loaded into an empty one."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Table
from sqlalchemy.engine import Connection

from headway.domain.errors import HeadwayError
from headway.store import archive, entries
from headway.store.rows import Row
from headway.store.schema import ledger, metadata

# What concerns only this database, or this moment; bodies in the archive are read with the ledger's rows.
LEFT_OUT: Final = frozenset({"upkeep", "ledger_opened", "archive_portion"})
_REVISIONS: Final = "alembic_version"
_ROWS_AT_ONCE: Final = 1_000


class TablesDiffer(HeadwayError):
    """Rows are for tables that this database does not have."""

    code = "backup-unusable"


def tables() -> list[Table]:
    """The tables to back up, those that others refer to first."""
    return [one for one in metadata.sorted_tables if one.name not in LEFT_OUT]


def rows_of(connection: Connection, table: Table) -> Iterator[Row]:
    """All rows of a table, each in the order of its columns, in bounded memory; entries with their bodies."""
    if table is ledger and archive.portions(connection):
        # In order, so that each file of the archive is read once.
        entries_in_order = sa.select(ledger).order_by(ledger.c.learner_id, ledger.c.seq)
        yield from entries.streamed(connection, entries_in_order, _ROWS_AT_ONCE)
        return
    statement = sa.select(table).execution_options(yield_per=_ROWS_AT_ONCE)
    with connection.execute(statement) as found:
        for row in found:
            yield tuple(row)


def holds_tables(connection: Connection) -> bool:
    """Whether the database has any table, Headway's or not."""
    return bool(sa.inspect(connection).get_table_names())


def clear_seeds(connection: Connection) -> None:
    """Delete what migrations put into new tables."""
    for name in reversed(_names(connection)):
        quoted = _quoted(connection, name)
        if connection.exec_driver_sql(f"SELECT EXISTS (SELECT 1 FROM {quoted})").scalar():  # noqa: S608  # names that the database gave
            connection.exec_driver_sql(f"DELETE FROM {quoted}")  # noqa: S608  # as above


def _names(connection: Connection) -> list[str]:
    found = sa.inspect(connection).get_sorted_table_and_fkc_names()
    return [name for name, _ in found if name is not None and name != _REVISIONS and name not in LEFT_OUT]


def check_names(connection: Connection, found: Mapping[str, Sequence[str]]) -> None:
    """Check that these tables and columns are those of this database; TablesDiffer names one that is not."""
    inspector = sa.inspect(connection)
    there = _names(connection)
    if unlike := sorted(set(there) ^ found.keys()):
        raise TablesDiffer(f"it holds other tables than its revision has: {', '.join(unlike)}")
    for name in there:
        columns = [column["name"] for column in inspector.get_columns(name)]
        if sorted(columns) != sorted(found[name]):
            raise TablesDiffer(f"the table {name} has other columns than its revision has")


def load(connection: Connection, name: str, columns: Sequence[str], rows: Iterator[Row]) -> None:
    """Insert rows into an empty table; the names must have been checked."""
    driver: Any = connection.connection.driver_connection
    listed = ", ".join(_quoted(connection, column) for column in columns)
    into = f"{_quoted(connection, name)} ({listed})"
    if connection.dialect.name == "sqlite":
        values = ", ".join("?" * len(columns))
        driver.executemany(f"INSERT INTO {into} VALUES ({values})", rows)  # noqa: S608  # names that were checked
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def refer_later(connection: Connection) -> None:
    """Let rows refer to others inserted later in this transaction."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")


def set_sequences(connection: Connection) -> None:
    """Set all sequences so that they continue after the highest number in their tables."""
    if connection.dialect.name == "sqlite":
        return  # it looks for the highest by itself
    numbered = sa.text(
        "SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name)"
        " FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL"
    )
    for table, column, sequence in connection.execute(numbered).all():
        highest = f"SELECT max({_quoted(connection, column)}) FROM {_quoted(connection, table)}"  # noqa: S608  # names that the database gave
        statement = sa.text(f"SELECT setval(CAST(:sequence AS regclass), ({highest})) WHERE ({highest}) IS NOT NULL")
        connection.execute(statement, {"sequence": sequence})


def analyze(connection: Connection) -> None:
    """Update the planner's statistics after loading."""
    connection.exec_driver_sql("ANALYZE")


def _quoted(connection: Connection, name: str) -> str:
    # Passed to the driver as it stands; a percent sign would be read as a parameter, but no name of ours has one.
    return connection.dialect.identifier_preparer.quote_identifier(name)
