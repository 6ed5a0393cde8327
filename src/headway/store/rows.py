"""Rows sent as one JSON parameter, whatever their number; the only place, with `database.py`, that knows dialects."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import Any, NamedTuple, TypeAlias

import msgspec
import sqlalchemy as sa
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection, CursorResult

Row: TypeAlias = Sequence[Any]
# SQLite takes 32,766 values per statement, and the widest table has 27 columns. Larger batches are split.
_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
_ARRAYS = {
    "sqlite": "json_group_array(json_array({}))",
    "postgresql": "CAST(coalesce(json_agg(json_build_array({})), '[]') AS text)",
}
_FLAT_ARRAYS = {
    "sqlite": "json_group_array({})",
    "postgresql": "CAST(coalesce(json_agg({}), '[]') AS text)",
}
_PARAMETER = re.compile(r"(?<![:\w]):(\w+)")
# As one array: PostgreSQL would search a set anew for each row.
_ONE_OF = {
    "sqlite": "IN (SELECT value FROM json_each(:{}))",
    "postgresql": "= ANY (ARRAY(SELECT json_array_elements_text(CAST(%({})s AS json))))",
}
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves dialects untyped


def lookup(
    connection: Connection,
    table: Table,
    keys: Iterable[Row],
    *names: str,
    by: Sequence[str],
) -> list[Row]:
    """The named columns of the rows whose columns `by` equal one of the keys: one statement."""
    return select(connection, table, keys, ", ".join(f"t.{name}" for name in names), by)


def select(
    connection: Connection,
    table: Table,
    keys: Iterable[Row],
    what: str,
    by: Sequence[str],
    also: str = "",
) -> list[Row]:
    """The same as `lookup`, for any SQL expressions over the table `t`, with a further condition (`AND …`) on it."""
    sent = _encoded(connection, keys, by)
    if sent is None:
        return []
    statement = _select_statement(connection.dialect.name, table, what, tuple(by), also)
    return _gathered(connection, _run(connection, statement, sent))


def lock(
    connection: Connection, table: Table, keys: Iterable[Row], what: str, by: Sequence[str], *, wait: bool
) -> list[Row]:
    """The same as `select`, locking rows in order of the columns `by`; with wait=False, locked ones are skipped.

    In SQLite it only reads, for there is one writer at a time.
    """
    if connection.dialect.name == "sqlite":
        return select(connection, table, keys, what, by)
    sent = _encoded(connection, keys, by)
    if sent is None:
        return []
    return _gathered(connection, _run(connection, _lock_statement(table, what, tuple(by), wait), sent))


class Question(NamedTuple):
    """A question for `ask`: SQL expressions over the table `t`, whose columns `by` equal one of the keys.

    If a `column` is named, only rows where it holds one of the texts: for many texts per key, this is far cheaper than
    as many keys.
    """

    table: Table
    keys: Iterable[Row]
    what: str
    by: tuple[str, ...]
    column: str = ""
    texts: Iterable[str] = ()


def ask(connection: Connection, *questions: Question) -> list[list[Row]]:
    """The answers to several questions as of one moment: one statement, for each costs as much as a dozen rows."""
    dialect = connection.dialect.name
    sent = [_encoded(connection, one.keys, one.by) for one in questions]
    if not any(sent):
        return [[] for _ in questions]
    statement = _question_statement(dialect, tuple((one.table, one.what, one.by, one.column) for one in questions))
    parameters = {f"rows{n}": one or "[]" for n, one in enumerate(sent)}
    texts = ((n, one.texts) for n, one in enumerate(questions) if one.column)
    parameters |= {f"texts{n}": msgspec.json.encode(list(some)).decode() for n, some in texts}
    found = connection.exec_driver_sql(statement, parameters).one()
    return [msgspec.json.decode(one) for one in found]


def of_wanted(
    connection: Connection, table: Table, keys: Iterable[Row], names: Sequence[str], what: str, source: str
) -> list[Row]:
    """Expressions over a source that may join `wanted`, a table of the keys with these names; one statement."""
    sent = _encoded(connection, keys, names)
    if sent is None:
        return []
    return _gathered(
        connection,
        _run(connection, _wanted_statement(connection.dialect.name, table, tuple(names), what, source), sent),
    )


def readers(connection: Connection, table: Table) -> set[str]:
    """The open transactions, except this one, that have read or written a table.

    Empty in SQLite, where writers take turns.
    """
    if connection.dialect.name == "sqlite":
        return set()
    statement = (
        "SELECT virtualtransaction FROM pg_locks WHERE relation = CAST(:name AS regclass) AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND pid <> pg_backend_pid()"
    )
    return set(connection.execute(sa.text(statement), {"name": table.name}).scalars())


class Part(NamedTuple):
    """A selection for `gather`: expressions, and their FROM. A flat part has one, and gives values instead of rows."""

    what: str
    source: str
    flat: bool = False


def gather(connection: Connection, *parts: Part, **parameters: Any) -> list[list[Any]]:
    """All rows of several parts as of one moment: one statement."""
    found = connection.exec_driver_sql(_gather_statement(connection.dialect.name, parts), parameters).one()
    return [msgspec.json.decode(one) for one in found]


def among(connection: Connection, column: Column[Any], values: Iterable[str]) -> sa.ColumnElement[bool]:
    """The condition that a text column holds one of these values, for statements built with SQLAlchemy."""
    sent = sa.literal(msgspec.json.encode(list(values)).decode(), sa.Text)
    if connection.dialect.name == "sqlite":
        return column.in_(sa.select(sa.func.json_each(sent).table_valued("value").c.value))
    listed = sa.func.json_array_elements_text(sa.cast(sent, postgresql.JSON)).table_valued("value")
    return column.in_(sa.select(sa.cast(listed.c.value, column.type)))


def _gathered(connection: Connection, result: CursorResult[Any]) -> list[Row]:
    """All rows of a result; SQLite returns them as one JSON value.

    Stepping through its rows would release the interpreter's lock at each, and under load wait for it each time.
    """
    if connection.dialect.name != "sqlite":
        return result.fetchall()  # type: ignore[return-value]  # rows are tuples
    rows: list[Row] = msgspec.json.decode(result.scalar_one())
    return rows


def _run(connection: Connection, statement: str, sent: str) -> CursorResult[Any]:
    """Send to the driver directly: the statements are complete, and SQLAlchemy's work on each would double its cost."""
    return connection.exec_driver_sql(statement, {"rows": sent})


def insert(connection: Connection, table: Table, rows: Iterable[Row], *, on_conflict: str = "") -> None:
    """Add rows, each in the order of the table's columns."""
    _write(connection, table, rows, on_conflict and f"ON CONFLICT {on_conflict}")


def upsert(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Insert rows, replacing those with the same primary key, which must be unique among the new ones."""
    add_together(connection, Addition(table, rows, replaces=True))


class Addition(NamedTuple):
    """Rows for a table, each in the order of its columns; if it `replaces`, in place of those with the same key.

    If it `adds`, the other columns are numbers, and are added to those of an existing row. Columns in `keeps` are left
    as they are in an existing row: SQLite rewrites the index of every column that is set, changed or not.
    """

    table: Table
    rows: Iterable[Row]
    replaces: bool
    adds: bool = False
    keeps: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        """The ON CONFLICT clause for rows whose key exists."""
        return _on_conflict(self.table, self.keeps, adds=self.adds) if self.replaces or self.adds else ""


def add_together(connection: Connection, *additions: Addition) -> None:
    """Do what `insert` and `upsert` do for several tables at once: in PostgreSQL one statement, and one round trip."""
    suffixes = [one.suffix for one in additions]
    if connection.dialect.name == "sqlite":
        for one, suffix in zip(additions, suffixes, strict=True):
            _write_values(connection, one.table, list(one.rows), suffix)
        return
    found = [
        (one.table, suffix, sent)
        for one, suffix in zip(additions, suffixes, strict=True)
        if (sent := _encoded(connection, one.rows, tuple(one.table.c.keys()))) is not None
    ]
    if found:
        statement = _additions_statement(tuple((table, suffix) for table, suffix, _ in found))
        connection.exec_driver_sql(statement, {f"rows{n}": sent for n, (_, _, sent) in enumerate(found)})


def change(connection: Connection, table: Table, name: str, new: Sequence[Row], by: tuple[str, ...]) -> int:
    """Set a column to each row's last value, where the columns `by` equal the values before it; return how many."""
    if connection.dialect.name == "sqlite":
        if not new:  # the driver would take no rows for one without values
            return 0
        matching = " AND ".join(f"{one} = ?" for one in by)
        statement = f"UPDATE {table.name} SET {name} = ? WHERE {matching}"  # noqa: S608  # our own words
        return connection.exec_driver_sql(statement, [(row[-1], *row[:-1]) for row in new]).rowcount
    sent = _encoded(connection, new, (*by, name))
    if sent is None:
        return 0
    source = _source("postgresql", tuple(table.c[one] for one in (*by, name)))
    statement = f"UPDATE {table.name} t SET {name} = r.{name} FROM {source} WHERE {_matching(by)}"  # noqa: S608  # our own words
    return _run(connection, statement, sent).rowcount


def delete(connection: Connection, table: Table, keys: Iterable[Row]) -> None:
    """Delete the rows with these primary keys."""
    names = tuple(column.name for column in table.primary_key)
    sent = _encoded(connection, keys, names)
    if sent is not None:
        source = _source(connection.dialect.name, tuple(table.c[name] for name in names))
        key = ", ".join(names)
        statement = f"DELETE FROM {table.name} WHERE ({key}) IN (SELECT {key} FROM {source})"  # noqa: S608  # our names
        _run(connection, statement, sent)


def _write(connection: Connection, table: Table, rows: Iterable[Row], suffix: str) -> None:
    if connection.dialect.name == "sqlite":
        _write_values(connection, table, list(rows), suffix)
        return
    sent = _encoded(connection, rows, tuple(table.c.keys()))
    if sent is not None:
        connection.exec_driver_sql(_insert_statement(table, suffix), {"rows": sent})


def _write_values(connection: Connection, table: Table, rows: Sequence[Row], suffix: str) -> None:
    """Insert rows in SQLite by bound values, which takes half the time of reading them from JSON.

    Statements are prepared for a few sizes: missing rows are filled up with nulls, which the LIMIT leaves out.
    """
    width = len(table.c)
    for portion in (rows[at : at + _SIZES[-1]] for at in range(0, len(rows), _SIZES[-1])):
        size = _SIZES[bisect_left(_SIZES, len(portion))]
        values = (*chain.from_iterable(portion), *repeat(None, width * (size - len(portion))), len(portion))
        connection.exec_driver_sql(_values_statement(table, suffix, size), values)


def _encoded(connection: Connection, rows: Iterable[Row], names: Sequence[str]) -> str | None:
    if connection.dialect.name == "sqlite":
        listed: list[Any] = [tuple(row) for row in rows]
    else:
        listed = [dict(zip(names, row, strict=True)) for row in rows]
    return msgspec.json.encode(listed).decode() if listed else None


@lru_cache(maxsize=512)
def _gather_statement(dialect: str, parts: tuple[Part, ...]) -> str:
    """In the driver's parameter style: finding parameters in these long statements would take longer than the query."""
    arrays = ((_FLAT_ARRAYS if one.flat else _ARRAYS)[dialect].format(one.what) for one in parts)
    selected = ", ".join(f"(SELECT {array} {one.source})" for array, one in zip(arrays, parts, strict=True))
    statement = f"SELECT {selected}"  # our words
    return statement if dialect == "sqlite" else _PARAMETER.sub(r"%(\1)s", statement.replace("%", "%%"))


@lru_cache(maxsize=512)
def _select_statement(dialect: str, table: Table, what: str, by: tuple[str, ...], also: str) -> str:
    rest = _found_in(dialect, table, by, "rows", also)
    columns = _ARRAYS[dialect].format(what) if dialect == "sqlite" else what
    return f"SELECT {columns} {rest} "


@lru_cache(maxsize=16)
def _lock_statement(table: Table, what: str, by: tuple[str, ...], wait: bool) -> str:
    source = _source("postgresql", tuple(table.c[name] for name in by))
    order = ", ".join(f"t.{name}" for name in by)
    rest = f"{source} CROSS JOIN {table.name} t WHERE {_matching(by)} ORDER BY {order}"
    return f"SELECT {what} FROM {rest} FOR NO KEY UPDATE OF t{'' if wait else ' SKIP LOCKED'}"  # noqa: S608  # our own words


def _found_in(dialect: str, table: Table, by: tuple[str, ...], sent: str, also: str = "") -> str:
    """FROM and WHERE by which each key is looked up in turn, however many keys or rows the planner expects."""
    source = _source(dialect, tuple(table.c[name] for name in by), sent)
    match = f"{_matching(by)} {also}"
    if dialect == "sqlite":
        return f"FROM {source} CROSS JOIN {table.name} t WHERE {match}"
    # OFFSET 0 keeps PostgreSQL from making a join of it: with stale statistics it would read the whole table.
    return f"FROM {source} CROSS JOIN LATERAL (SELECT * FROM {table.name} t WHERE {match} OFFSET 0) AS t"  # noqa: S608  # our own words


def _matching(by: tuple[str, ...]) -> str:
    return " AND ".join(f"t.{name} = r.{name}" for name in by)


@lru_cache(maxsize=64)
def _wanted_statement(dialect: str, table: Table, names: tuple[str, ...], what: str, source: str) -> str:
    columns = _ARRAYS[dialect].format(what) if dialect == "sqlite" else what
    wanted = _source(dialect, tuple(table.c[name] for name in names))
    return f"WITH wanted AS (SELECT {', '.join(names)} FROM {wanted}) SELECT {columns} {source}"  # noqa: S608  # our own words


@lru_cache(maxsize=64)
def _question_statement(dialect: str, questions: tuple[tuple[Table, str, tuple[str, ...], str], ...]) -> str:
    """Each answer is a JSON array of arrays, because rows of different tables do not fit into one result otherwise."""
    parts = []
    for n, (table, what, by, column) in enumerate(questions):
        also = f"AND t.{column} {_ONE_OF[dialect].format(f'texts{n}')}" if column else ""
        rest = _found_in(dialect, table, by, f"rows{n}", also)
        parts.append(f"(SELECT {_ARRAYS[dialect].format(what)} {rest})")
    return "SELECT " + ", ".join(parts)


@lru_cache(maxsize=64)
def _additions_statement(tables: tuple[tuple[Table, str], ...]) -> str:
    *before, last = (_insert_statement(table, suffix, f"rows{n}") for n, (table, suffix) in enumerate(tables))
    parts = ", ".join(f"a{n} AS ({one})" for n, one in enumerate(before))
    return f"WITH {parts} {last}" if before else last


@lru_cache(maxsize=64)
def _insert_statement(table: Table, suffix: str, sent: str = "rows") -> str:
    names = ", ".join(table.c.keys())
    source = _source("postgresql", tuple(table.c), sent)
    return f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {source} {suffix}"  # noqa: S608  # names of our own tables


@lru_cache(maxsize=512)
def _values_statement(table: Table, suffix: str, size: int) -> str:
    values = ", ".join([f"({', '.join('?' * len(table.c))})"] * size)
    names = ", ".join(table.c.keys())
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM (VALUES {values}) WHERE true LIMIT ? {suffix}"  # noqa: S608  # names of our own tables


@lru_cache(maxsize=64)
def _on_conflict(table: Table, keeps: tuple[str, ...], *, adds: bool) -> str:
    key = ", ".join(column.name for column in table.primary_key)
    before = f"{table.name}.{{0}} + " if adds else ""
    names = [c.name for c in table.c if not c.primary_key and c.name not in keeps]
    values = ", ".join(f"{name} = {before.format(name)}excluded.{name}" for name in names)
    return f"ON CONFLICT ({key}) DO UPDATE SET {values}"


def _source(dialect: str, columns: tuple[Column[Any], ...], sent: str = "rows") -> str:
    if dialect == "sqlite":
        parts = ", ".join(f"json_extract(value, '$[{n}]') AS {c.name}" for n, c in enumerate(columns))
        return f"(SELECT {parts} FROM json_each(:{sent})) AS r"  # noqa: S608  # names of our own tables
    shape = ", ".join(f"{c.name} {_sent_type(c)}" for c in columns)
    return f"json_to_recordset(CAST(%({sent})s AS json)) AS r({shape})"


def _sent_type(column: Column[Any]) -> str:
    # Texts without their column's length limit: a key that is too long then matches no row, and is no error.
    kind = column.type.compile(dialect=_POSTGRESQL)
    return "TEXT" if kind.startswith("VARCHAR") else kind
