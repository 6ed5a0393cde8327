"""A database's own version, and the settings that durability depends on."""

import sqlite3
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

# Before this version, a checkpoint that overlaps a commit of another connection can corrupt the file.
SQLITE_SAFE = (3, 51, 3)


class SqliteCondition(NamedTuple):
    """A SQLite file as this connection has it open; `synchronous` is 2 for FULL."""

    version: tuple[int, ...]
    journal_mode: str
    synchronous: int


class PostgresqlCondition(NamedTuple):
    """A PostgreSQL server's configuration, apart from what Headway sets on its connections; `now` is microseconds."""

    server_version: str
    fsync: str
    full_page_writes: str
    synchronous_commit: str
    server_encoding: str
    max_connections: int
    default_transaction_read_only: str
    is_standby: bool
    now: int

    @property
    def takes_writes(self) -> bool:
        """Whether the server accepts writes."""
        return not self.is_standby and self.default_transaction_read_only == "off"


def takes_writes(connection: Connection) -> bool:
    """Whether anything can be recorded in a database: not in a PostgreSQL that is a standby, or read-only."""
    return connection.dialect.name == "sqlite" or postgresql_condition(connection).takes_writes


def sqlite_condition(connection: Connection) -> SqliteCondition:
    """The condition of a SQLite file."""
    journal_mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
    return SqliteCondition(sqlite3.sqlite_version_info, journal_mode, synchronous)


def postgresql_condition(connection: Connection) -> PostgresqlCondition:
    """The condition of a PostgreSQL server."""
    # Not `setting`, which holds what Headway set on this connection.
    statement = sa.text("SELECT name, reset_val FROM pg_settings WHERE name = ANY(:names)")
    rows = connection.execute(statement, {"names": list(PostgresqlCondition._fields)})
    said = {row[0]: row[1] for row in rows}
    is_standby, now = connection.execute(
        sa.text("SELECT pg_is_in_recovery(), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
    ).one()
    numbers = {"max_connections": int(said["max_connections"]), "now": now}
    return PostgresqlCondition(**{**said, **numbers, "is_standby": is_standby})
