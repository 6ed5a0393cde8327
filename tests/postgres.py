"""PostgreSQL for tests: databases of a server of the run's own; those that were used are emptied and used again."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg.sql import SQL, Identifier

# All but rows: what a test left otherwise than it found it makes a database useless to the next.
SHAPE: Final = """
SELECT md5(string_agg(said, ' ' ORDER BY said)) FROM (
    SELECT concat_ws(',', oid, relname, relkind, relpersistence, relacl, reloptions) FROM pg_class
        WHERE oid >= 16384 AND relnamespace <> 99
    UNION ALL SELECT a::text FROM pg_attribute a WHERE attrelid >= 16384
    UNION ALL SELECT c::text FROM pg_constraint c WHERE oid >= 16384
    UNION ALL SELECT i::text FROM pg_index i WHERE indexrelid >= 16384
    UNION ALL SELECT t::text FROM pg_trigger t
    UNION ALL SELECT p::text FROM pg_proc p WHERE oid >= 16384
    UNION ALL SELECT n::text FROM pg_namespace n
    UNION ALL SELECT concat_ws(',', starelid, staattnum) FROM pg_statistic WHERE starelid >= 16384
    UNION ALL SELECT s::text FROM pg_db_role_setting s
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS everything (said)
"""
TABLES: Final = """
SELECT relname, size FROM pg_class, pg_relation_size(pg_class.oid) AS size
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND size > 0
"""
# Fewer pages than PostgreSQL reckons with where it knows nothing: dead rows change no plan.
SMALL_BYTES: Final = 8 * 8192
OTHERS: Final = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = '{}' AND backend_type = 'client backend'
"""


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL server, reached through the socket in a directory."""

    socket: str

    def url(self, database: str) -> str:
        """The address of one of its databases, as Headway and libpq take it."""
        return f"postgresql://postgres@/{database}?host={self.socket}"

    def execute(self, *statements: str) -> None:
        """Run statements as the owner of the server, each in a transaction of its own."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def made(self, template: str = "template0", options: str = "") -> str:
        """Make a database, a copy of the template, otherwise where options say so; its name."""
        name = _new_name()
        # A copy of its files takes a third of what writing it all to the log does.
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy {options}")
        return name

    def renamed(self, name: str) -> str:
        """End all sessions with a database, and give it a name under which nobody finds it who used it before."""
        new = _new_name()
        self.execute(OTHERS.format(name), f"ALTER DATABASE {name} RENAME TO {new}")
        return new

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def fresh(self, options: str = "") -> Iterator[str]:
        """Give the address of a new database without tables, and drop it afterwards."""
        name = self.made(options=options)
        try:
            yield self.url(name)
        finally:
            self.drop(name)


class Copies:
    """Copies of a database: each is a test's for as long as that lasts.

    Emptying one takes a tenth of what copying all the files of another one does.
    """

    def __init__(self, postgres: Postgres, template: str) -> None:
        self._postgres = postgres
        self._template = template
        self._free: list[str] = []
        with psycopg.connect(postgres.url(template)) as connection:
            sequences = connection.execute("SELECT relname FROM pg_class WHERE relkind = 'S'").fetchall()
            assert not sequences, "where a sequence stands is not put back"
            self._shape = connection.execute(SHAPE).fetchone()
            self._held = {name: held for name, _ in _tables(connection) if (held := _rows(connection, name))}

    @contextmanager
    def taken(self) -> Iterator[str]:
        """Give the address of a copy as the template is."""
        name = self._free.pop() if self._free else self._postgres.made(self._template)
        try:
            yield self._postgres.url(name)
        finally:
            self._take_back(name)

    def _take_back(self, name: str) -> None:
        try:
            name = self._postgres.renamed(name)
            is_emptied = self._is_emptied(name)
        except psycopg.Error:  # as where somebody goes on connecting to it
            is_emptied = False
        if is_emptied:
            self._free.append(name)
        else:
            self._postgres.drop(name)

    def _is_emptied(self, name: str) -> bool:
        """Make a copy what it was before; False where that takes more than other rows."""
        with psycopg.connect(self._postgres.url(name)) as connection:
            connection.execute("SET session_replication_role = replica")  # triggers would refuse
            if connection.execute(SHAPE).fetchone() != self._shape:
                return False
            _empty(connection)
            for table, rows in self._held.items():
                with connection.cursor().copy(
                    SQL("COPY {} FROM STDIN (FORMAT binary)").format(Identifier(table))
                ) as to:
                    to.write(rows)
        return True


def _new_name() -> str:
    return f"headway_{uuid.uuid4().hex}"


def _tables(connection: psycopg.Connection) -> list[tuple[str, int]]:
    """The tables in which there ever was a row: their names and sizes in bytes."""
    return connection.execute(TABLES).fetchall()


def _empty(connection: psycopg.Connection) -> None:
    """Take the rows out of all tables. To truncate a small one takes ten times as long as to delete what is in it."""
    found = _tables(connection)
    large = [Identifier(name) for name, size in found if size > SMALL_BYTES]
    small = [Identifier(name) for name, size in found if size <= SMALL_BYTES]
    if large:
        connection.execute(SQL("TRUNCATE {} CASCADE").format(SQL(", ").join(large)))
    connection.execute(SQL("; ").join(SQL("DELETE FROM {}").format(name) for name in small))


def _rows(connection: psycopg.Connection, table: str) -> bytes:
    """What a table holds, as a copy of it takes it; nothing where it holds nothing."""
    if connection.execute(SQL("SELECT FROM {} LIMIT 1").format(Identifier(table))).fetchone() is None:
        return b""
    with connection.cursor().copy(SQL("COPY {} TO STDOUT (FORMAT binary)").format(Identifier(table))) as found:
        return b"".join(found)
