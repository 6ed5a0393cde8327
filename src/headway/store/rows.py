"""Rows that travel as one JSON parameter, whatever their number; beside `database.py` the one place with dialects."""

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
# Of SQLite's 32,766 values in a statement the widest table takes 23 for a row. No batch has more rows than the last.
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
# As one array: a set, it would be looked through for each row.
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
    """As `lookup`, for any list of expressions over the table `t`, of rows that meet a condition on `t` too."""
    sent = _encoded(connection, keys, by)
    if sent is None:
        return []
    statement = _select_statement(connection.dialect.name, table, what, tuple(by), also)
    return _gathered(connection, _run(connection, statement, sent))


def lock(
    connection: Connection, table: Table, keys: Iterable[Row], what: str, by: Sequence[str], *, wait: bool
) -> list[Row]:
    """As `select`, of rows that are locked in order of the columns `by`; with wait=False those that are free.

    SQLite has one writer at a time and needs no more than the reading.
    """
    if connection.dialect.name == "sqlite":
        return select(connection, table, keys, what, by)
    sent = _encoded(connection, keys, by)
    if sent is None:
        return []
    return _gathered(connection, _run(connection, _lock_statement(table, what, tuple(by), wait), sent))


class Question(NamedTuple):
    """What `select` asks: expressions over the table `t`, whose columns `by` are the keys.

    Where a `column` is named, of rows alone in which it holds one of the texts: many of each key cost far less so than
    as keys of their own.
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
    """The expressions of a source that joins with `wanted`: the keys, as these columns of the table. One statement."""
    sent = _encoded(connection, keys, names)
    if sent is None:
        return []
    return _gathered(
        connection,
        _run(connection, _wanted_statement(connection.dialect.name, table, tuple(names), what, source), sent),
    )


def readers(connection: Connection, table: Table) -> set[str]:
    """The transactions at work, but this one, that have read a table.

    None in SQLite, where who writes comes one after the other.
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
    """What `gather` selects: expressions, and whence. A flat part has one alone, and gives no rows but its values."""

    what: str
    source: str
    flat: bool = False


def gather(connection: Connection, *parts: Part, **parameters: Any) -> list[list[Any]]:
    """All rows of several parts as of one moment: one statement."""
    found = connection.exec_driver_sql(_gather_statement(connection.dialect.name, parts), parameters).one()
    return [msgspec.json.decode(one) for one in found]


def among(connection: Connection, column: Column[Any], values: Iterable[str]) -> sa.ColumnElement[bool]:
    """Whether a column of text holds one of these values, for statements that are built otherwise."""
    sent = sa.literal(msgspec.json.encode(list(values)).decode(), sa.Text)
    if connection.dialect.name == "sqlite":
        return column.in_(sa.select(sa.func.json_each(sent).table_valued("value").c.value))
    listed = sa.func.json_array_elements_text(sa.cast(sent, postgresql.JSON)).table_valued("value")
    return column.in_(sa.select(sa.cast(listed.c.value, column.type)))


def _gathered(connection: Connection, result: CursorResult[Any]) -> list[Row]:
    """SQLite hands rows over as one value.

    Stepping through them would give up the interpreter's lock at each, and under load wait for it each time.
    """
    if connection.dialect.name != "sqlite":
        return result.fetchall()  # type: ignore[return-value]  # rows are tuples
    rows: list[Row] = msgspec.json.decode(result.scalar_one())
    return rows


def _run(connection: Connection, statement: str, sent: str) -> CursorResult[Any]:
    """Straight to the driver: these statements are complete, and SQLAlchemy's own work on each costs as much again."""
    return connection.exec_driver_sql(statement, {"rows": sent})


def insert(connection: Connection, table: Table, rows: Iterable[Row], *, on_conflict: str = "") -> None:
    """Add rows, each in the order of the table's columns."""
    _write(connection, table, rows, on_conflict and f"ON CONFLICT {on_conflict}")


def upsert(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Add rows or put them in the place of those with the same primary key. A key stands once in it."""
    add_together(connection, Addition(table, rows, replaces=True))


class Addition(NamedTuple):
    """Rows for a table, each in the order of its columns, perhaps in the place of those with the same primary key.

    With `adds` the other columns are numbers, and are added to those of a row that is there. Columns that it `keeps`
    stay as they are there: SQLite writes anew the index of any that is set, changed or not.
    """

    table: Table
    rows: Iterable[Row]
    replaces: bool
    adds: bool = False
    keeps: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        """What is to happen where a row of that key is there."""
        return _on_conflict(self.table, self.keeps, adds=self.adds) if self.replaces or self.adds else ""


def add_together(connection: Connection, *additions: Addition) -> None:
    """What `insert` and `upsert` do, of several tables at once: for PostgreSQL one statement, and one way there."""
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
    """Set a column to the last value of each row, where the columns `by` equal those before it; how many there were."""
    if connection.dialect.name == "sqlite":
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
    """SQLite takes values that are bound in half the time that it needs to find them in JSON.

    A statement is prepared for each of a few sizes: what is sent is filled up with rows that its LIMIT leaves out.
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
    """As the driver takes it: these statements are long, and to find their parameters takes longer than to ask."""
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
    """The keys are walked and each is looked up, whatever the database believes of their number."""
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
    """Each answer as a JSON array of arrays, in PostgreSQL too: rows of different tables fit no other one result."""
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
    # Texts without the length of their column: a key that is longer is in no row, which is no error.
    kind = column.type.compile(dialect=_POSTGRESQL)
    return "TEXT" if kind.startswith("VARCHAR") else kind
