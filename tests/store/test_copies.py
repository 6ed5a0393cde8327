"""A database that a test has used is to the next test as a new one is, or is not given to it."""

import psycopg
import pytest
from psycopg import Connection

from tests.postgres import Copies, Postgres

MADE = (
    "CREATE TABLE one (id int PRIMARY KEY, said text)",
    "CREATE TABLE two (one_id int REFERENCES one, said text)",
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'",
    "CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON one EXECUTE FUNCTION refuse()",
    "INSERT INTO one VALUES (1, 'first')",
    "INSERT INTO two VALUES (1, 'of nobody any more')",
    "DELETE FROM two",
)
ALL = "SELECT id, one.said, two.said FROM one LEFT JOIN two ON one_id = id ORDER BY id"


@pytest.fixture
def copies(postgres: Postgres) -> Copies:
    name = postgres.made()
    with psycopg.connect(postgres.url(name)) as connection:
        for statement in MADE:
            connection.execute(statement.encode())
    return Copies(postgres, name)


def identity(url: str) -> object:
    """By which one is known whatever it is called."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()


def found(connection: "Connection[tuple[object, ...]]") -> list[tuple[object, ...]]:
    return connection.execute(ALL).fetchall()


def test_a_used_copy_is_as_new_and_who_is_connected_still_is_cut_off(copies: Copies) -> None:
    with copies.taken() as first:
        was = identity(first)
        left = psycopg.connect(first, autocommit=True)
        left.execute("UPDATE one SET said = 'changed'")
        left.execute("INSERT INTO one VALUES (2, 'second')")
        left.execute("INSERT INTO two VALUES (2, 'of the second')")
        assert found(left) == [(1, "changed", None), (2, "second", "of the second")]
    with copies.taken() as again, copies.taken() as other:
        assert (identity(again), identity(other) != was) == (was, True)
        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(first)
        for url in (again, other):
            with psycopg.connect(url) as connection:
                assert found(connection) == [(1, "first", None)]
    left.close()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE one DISABLE TRIGGER kept",
        "ALTER TABLE two ADD COLUMN more int",
        "ALTER TABLE two RENAME TO three",
        "CREATE INDEX later ON two (said)",
        "ALTER TABLE one ADD CHECK (id > 0)",
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE SCHEMA more",
        "ANALYZE one",
        "ALTER TABLE two SET UNLOGGED",
        "GRANT SELECT ON one TO PUBLIC",
    ],
)
def test_what_takes_more_than_other_rows_is_given_to_nobody_again(copies: Copies, statement: str) -> None:
    with copies.taken() as first, psycopg.connect(first) as connection:
        connection.execute(statement.encode())
        connection.commit()
        was = identity(first)
    with copies.taken() as other:
        assert identity(other) != was
