"""Statements on all that a database holds: read out as of one moment, and put into one that is empty."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Table
from sqlalchemy.engine import Connection

from headway.domain.errors import HeadwayError
from headway.store import archive, entries
from headway.store.rows import Row
from headway.store.schema import ledger, metadata

# What is said of this database itself, and of this moment alone; what lies in its archive is among the rows.
LEFT_OUT: Final = frozenset({"upkeep", "ledger_opened", "archive_portion"})
_REVISIONS: Final = "alembic_version"
_ROWS_AT_ONCE: Final = 1_000


class TablesDiffer(HeadwayError):
    """Rows are for tables that this database does not have."""

    code = "backup-unusable"


def tables() -> list[Table]:
    """The tables that hold what was recorded, those that others refer to first."""
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
    """Whether there is any table, of Headway or of another."""
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
    """See that tables and their columns are those of this database; TablesDiffer says which are not."""
    inspector = sa.inspect(connection)
    there = _names(connection)
    if unlike := sorted(set(there) ^ found.keys()):
        raise TablesDiffer(f"it holds other tables than its revision has: {', '.join(unlike)}")
    for name in there:
        columns = [column["name"] for column in inspector.get_columns(name)]
        if sorted(columns) != sorted(found[name]):
            raise TablesDiffer(f"the table {name} has other columns than its revision has")


def load(connection: Connection, name: str, columns: Sequence[str], rows: Iterator[Row]) -> None:
    """Put rows into a table that is empty. Names must have been checked."""
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
    """Let rows refer to others that come behind them, within this transaction."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")


def set_sequences(connection: Connection) -> None:
    """Have whatever numbers rows by itself go on behind the highest number that is there."""
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
    """Have the planner look at what has come in."""
    connection.exec_driver_sql("ANALYZE")


def _quoted(connection: Connection, name: str) -> str:
    # To the driver as it stands: a percent sign would be read as a parameter, and no name of ours has one.
    return connection.dialect.identifier_preparer.quote_identifier(name)
