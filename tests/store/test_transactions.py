"""Transactions that are known to be committed, and reading that sees one moment."""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from headway.store import calls
from headway.store.database import CommitFailed, Database, is_fault_of_data, is_lost, is_outage
from headway.store.migrate import migrate
from headway.store.schema import learner
from tests.postgres import Postgres
from tests.torture.proxy import Proxy

ADD = "INSERT INTO learner (id, kind, time_zone, created_at) VALUES ('{}', 'guest', 'UTC', 1)"
IDS = [f"0000000{n}-0000-4000-8000-000000000000" for n in range(9)]


def add(connection: Connection, learner_id: str) -> None:
    connection.exec_driver_sql(ADD.format(learner_id))


def count(connection: Connection) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(learner)).scalar_one()


def counted(database: Database) -> int:
    with database.read() as connection:
        return count(connection)


def test_what_is_committed_is_seen_and_nothing_else(database: Database) -> None:
    with database.transaction() as connection:
        add(connection, IDS[0])
        assert counted(database) == 0
    assert counted(database) == 1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_within_takes_everything_back(database: Database, error: type[BaseException]) -> None:
    def fail() -> None:
        with database.transaction() as connection:
            add(connection, IDS[0])
            raise error

    for _ in range(3):
        with pytest.raises(error):
            fail()
    assert counted(database) == 0
    with database.transaction() as connection:
        add(connection, IDS[0])


def test_an_error_of_the_database_passes_through_and_takes_everything_back(database: Database) -> None:
    def add_twice() -> None:
        with database.transaction() as connection:
            add(connection, IDS[0])
            add(connection, IDS[0])

    with pytest.raises(DBAPIError) as error:
        add_twice()
    assert is_fault_of_data(error.value)
    assert counted(database) == 0


def test_a_commit_that_the_database_answers_with_rollback_is_noticed(postgresql_url: str) -> None:
    database = Database(postgresql_url)

    def swallow_an_error() -> None:
        with database.transaction() as connection:
            connection.exec_driver_sql("CREATE TABLE kept (id integer)")
            with pytest.raises(DBAPIError):
                connection.exec_driver_sql("SELECT 1 / 0")

    with pytest.raises(CommitFailed):
        swallow_an_error()
    with database.read() as connection:
        assert not sa.inspect(connection).has_table("kept")
    database.close()


def test_a_constraint_that_speaks_at_commit_is_heard(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    with database.transaction() as connection:
        connection.exec_driver_sql("CREATE TABLE one (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")

    def add_the_same_twice() -> None:
        with database.transaction() as connection:
            connection.exec_driver_sql("INSERT INTO one VALUES (1), (1)")

    with pytest.raises(DBAPIError) as error:
        add_the_same_twice()
    assert is_fault_of_data(error.value)
    with database.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO one VALUES (1)")
    database.close()


def test_a_statement_out_of_place_is_no_fault_of_data(database: Database) -> None:
    with pytest.raises(DBAPIError) as error, database.transaction() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")
    assert not is_fault_of_data(error.value)


def test_reading_sees_one_moment(database: Database) -> None:
    with database.read() as connection:
        assert count(connection) == 0
        with database.transaction() as writing:
            add(writing, IDS[0])
        assert count(connection) == 0
    assert counted(database) == 1


def test_reading_cannot_write(database: Database) -> None:
    for statement in (ADD.format(IDS[0]), "CREATE TABLE sneaked_in (id integer)", "DELETE FROM learner"):
        with pytest.raises(DBAPIError, match=r"read-?only"), database.read() as connection:
            connection.exec_driver_sql(statement)
    assert counted(database) == 0
    with database.transaction() as connection:
        add(connection, IDS[0])


def test_a_transaction_may_follow_reading_that_failed(database: Database) -> None:
    for _ in range(50):
        with pytest.raises(ZeroDivisionError), database.read() as connection:
            count(connection) // 0
    assert counted(database) == 0


def test_transactions_in_many_threads_lose_nothing(database: Database) -> None:
    with database.transaction() as connection:
        add(connection, IDS[0])

    def increase() -> None:
        for _ in range(10):
            with database.transaction() as connection:
                connection.exec_driver_sql("UPDATE learner SET created_at = created_at + 1")

    threads = [threading.Thread(target=increase) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(sa.select(learner.c.created_at)).scalar() == 81


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("recursive_triggers", 1), ("secure_delete", 1)],
)
def test_sqlite_keeps_what_was_promised(sqlite_url: str, pragma: str, value: object) -> None:
    database = Database(sqlite_url)
    with database.transaction() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    database.close()


def test_postgresql_waits_for_the_disk_before_it_says_commit(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    with database.transaction() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"
        assert connection.exec_driver_sql("SHOW TimeZone").scalar() == "UTC"
    with database.read() as connection:
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "repeatable read"
    database.close()


@pytest.mark.parametrize(
    "said",
    ["host=/nowhere&host={}", "host={}&host=/nowhere", "host=/nowhere,{}", "host={}&options=-c%20search_path%3Dpublic"],
)
def test_whoever_listens_reads_an_address_as_whoever_writes_does(
    postgres: Postgres, postgresql_url: str, said: str
) -> None:
    name = sa.make_url(postgresql_url).database
    database = Database(f"postgresql://postgres@/{name}?{said.format(postgres.socket)}&connect_timeout=3")
    with calls.listening(database.url) as listening:
        with database.transaction() as connection:
            calls.call(connection, ["ada"])
        assert [set(one.payload.split(",")) for one in listening.notifies(timeout=10, stop_after=1)] == [{"ada"}]
    database.close()


@pytest.mark.skipif(sys.platform != "linux", reason="what the system keeps to, as Linux tells it")
def test_a_machine_that_is_gone_is_given_up_within_the_minute(postgres: Postgres, postgresql_url: str) -> None:
    with Proxy(f"{postgres.socket}/.s.PGSQL.5432") as proxy:
        address = proxy.url(sa.make_url(postgresql_url).database or "")
        for url, patience_ms in ((address, 30_000), (f"{address}&tcp_user_timeout=5000", 5_000)):
            database = Database(url)
            for engine in (database.writers, database.readers):
                with engine.connect() as connection:
                    driver: Any = connection.connection.driver_connection
                    assert kept_to(driver.fileno()) == (patience_ms, 30)
            with calls.listening(database.url) as listening:
                assert kept_to(listening.fileno()) == (patience_ms, 30)
            database.close()


def kept_to(descriptor: int) -> tuple[int, int]:
    """After how many milliseconds what is not acknowledged ends a connection, after how many seconds it is tried."""
    with socket.socket(fileno=os.dup(descriptor)) as found:
        assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        options = (socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE)
        unanswered_ms, idle_s = (found.getsockopt(socket.IPPROTO_TCP, one) for one in options)
        return unanswered_ms, idle_s


def test_what_was_sent_with_a_statement_that_fails_is_in_no_error_and_so_in_no_log(database: Database) -> None:
    def fail() -> None:
        with database.transaction() as connection:
            connection.execute(sa.text("INSERT INTO no_such_table VALUES (:hash)"), {"hash": "$argon2id$secret"})

    with pytest.raises(DBAPIError) as raised:
        fail()
    assert "no_such_table" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_complaint_that_no_server_made_says_that_the_connection_is_lost(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    for using in (database.transaction, database.read):

        def fails(complaint: psycopg.Error, using: Any = using) -> DBAPIError:
            with pytest.raises(DBAPIError) as raised, using() as connection, complaining(connection, complaint):
                connection.exec_driver_sql("SELECT 1")
            return raised.value

        assert not is_lost(fails(psycopg.errors.InvalidCursorState()))
        assert not is_lost(fails(psycopg.DataError("text cannot contain NUL bytes")))
        assert is_lost(fails(psycopg.InternalError("got no result from the query")))
        with using() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar_one() == 1
    database.close()


@contextmanager
def complaining(connection: Connection, complaint: psycopg.Error) -> Iterator[None]:
    """Have psycopg complain of whatever is asked next on a connection, without asking it."""

    def complain(cursor: Any, statement: str, *_: Any) -> None:
        if statement == "SELECT 1":
            raise complaint

    sa.event.listen(connection.engine, "do_execute", complain)
    try:
        yield
    finally:
        sa.event.remove(connection.engine, "do_execute", complain)


def test_all_that_lead_to_a_server_that_takes_no_writes_are_left_at_the_first(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    migrate(database)
    before = read_only(database.readers, 3)
    read_only(database.writers, 8)

    with database.read() as reading:
        assert reading.exec_driver_sql("SELECT 1").scalar_one() == 1
        with pytest.raises(DBAPIError) as raised, database.transaction() as connection:
            add(connection, IDS[0])
        assert is_lost(raised.value)
        assert count(reading) == 0  # who reads already reads on
    for n in range(8):
        with database.transaction() as connection:
            add(connection, IDS[n])
    with ExitStack() as stack:
        for connection in [stack.enter_context(database.read()) for _ in range(3)]:
            assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() not in before
            assert count(connection) == 8
    database.close()


def read_only(engine: Engine, number: int) -> set[int]:
    """Have some connections of a pool take no writes any more; their processes."""
    with ExitStack() as stack:
        connections = [stack.enter_context(engine.connect()) for _ in range(number)]
        for one in connections:
            one.exec_driver_sql("SET default_transaction_read_only = on")
        return {one.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() for one in connections}


def test_a_write_among_what_is_read_is_a_defect_and_no_outage(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    migrate(database)
    with pytest.raises(DBAPIError) as raised, database.read() as connection:
        add(connection, IDS[0])
    assert not is_lost(raised.value)
    assert not is_outage(raised.value)
    database.close()
