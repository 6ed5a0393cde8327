"""Whatever an operator gets wrong is told in a line, with the fix, and never with a traceback."""

import json
import socket
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from headway.cli.failures import explain
from tests.cli.conftest import COURSE
from tests.postgres import Postgres
from tests.torture.server import Command, Server

FAILED, MISUSED = 1, 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("audit", "--database", "mysql://x/y"), MISUSED, "is not supported: use sqlite:///FILE"),
        (("audit", "--database", "sqlite://"), MISUSED, "memory forgets"),
        (("audit", "--database", "nonsense"), MISUSED, "must be sqlite:///FILE"),
        (
            ("audit", "--database", "sqlite:///{folder}/none.db"),
            FAILED,
            "none.db yet: `headway serve` or `headway migrate` makes it",
        ),
        (("rebuild", "--database", "sqlite:///{folder}/none.db"), FAILED, "there is no database"),
        (("migrate", "--database", "sqlite:///{folder}/no/such/folder/x.db"), FAILED, "there is no folder"),
        (("audit", "--database", "postgresql://127.0.0.1:1/x"), FAILED, "PostgreSQL cannot be used"),
        (("migrate", "--database", "sqlite:///{folder}/text"), FAILED, "not a database"),
        (("import", "xml", "x"), MISUSED, "there are oulad, dalestudy, jsonl, csv"),
        (("import", "jsonl", "{folder}/none"), FAILED, "No such file"),
        (
            ("import", "json-files", "x", "--map", "{folder}/none.yaml"),
            FAILED,
            "none.yaml cannot be read: No such file or directory",
        ),
        (("import", "oulad", "{folder}/none"), FAILED, "/none cannot be read: there is no such folder"),
        (("import", "dalestudy", "{folder}/none"), FAILED, "/none cannot be read: there is no such folder"),
        (("import", "csv", "{folder}/none"), FAILED, "/none: No such file"),
        (("import", "json-files", "{folder}/none"), FAILED, "/none cannot be read: there is no such file"),
        (("import", "oulad", "{folder}/text"), FAILED, "takes one folder"),
        (("import", "oulad", "-"), FAILED, "takes one folder"),
        (("import", "csv", "{folder}/text", "--database", "sqlite:///{folder}/x.db"), FAILED, "has no column learner"),
        (("course", "check", "{folder}/none"), FAILED, "cannot be read: No such file"),
        (("course", "check", "{folder}"), FAILED, "cannot be read: Is a directory"),
        (("serve", "--workers", "2", "--database", "sqlite:///{folder}/x.db"), MISUSED, "one server of one process"),
        (("serve", "--host", "no.such.host.invalid", "--database", "sqlite:///{folder}/x.db"), FAILED, "is not known"),
        (("serve", "--port", "70000"), MISUSED, "less than or equal to 65535"),
        (("audit", "--databse", "x"), MISUSED, "--database"),
        (("admin", "create", "nobody", "--database", "sqlite:///{folder}/x.db"), FAILED, "email must be"),
        (
            ("admin", "create", "a@example.org", "--role", "king"),
            MISUSED,
            "'--role': 'king' is not one of 'admin', 'creator'",
        ),
        (("course",), MISUSED, "see `headway course --help`"),
        (("nonsense",), MISUSED, "No such command 'nonsense'; see `headway --help`"),
    ],
)
def test_it_is_told_in_a_line(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    (tmp_path / "text").write_text("this is no database, and no table either\n" * 40)
    done = Command(*(one.format(folder=tmp_path) for one in arguments))
    assert done.code == code, str(done)
    assert said in done.err
    assert done.out == ""
    assert "Traceback" not in done.err
    *before, told = done.err.splitlines()
    assert told.startswith("headway: ")
    # A database that a command made before it failed is told of as well.
    made = (tmp_path / "x.db").exists()
    assert before == [f"There was nothing in sqlite:///{tmp_path}/x.db yet: it was set up."] * made


def test_a_database_of_another_headway_is_left_alone(sqlite_url: str) -> None:
    from headway.store.database import Database

    assert Command("migrate", "--database", sqlite_url).code == 0
    for revision, said in (("0000", "run `headway migrate`"), ("9999", "run `headway migrate`")):
        database = Database(sqlite_url)
        with database.transaction() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
        database.close()
        done = Command("audit", "--database", sqlite_url)
        assert (done.code, said in done.err) == (FAILED, True), str(done)
    assert "install the newer Headway" in Command("migrate", "--database", sqlite_url).err


def test_what_is_no_backup_makes_no_database(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no backup\n")
    done = Command("restore", str(tmp_path / "text"), "--database", f"sqlite:///{tmp_path}/x.db")
    assert (done.code, "is no backup" in done.err) == (FAILED, True), str(done)
    assert [one.name for one in tmp_path.iterdir()] == ["text"]


def test_a_server_says_where_it_made_a_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mistyped.db"
    said = f"There was nothing in {url} yet: it was set up."
    for is_new in (True, False):
        with Server(url, tmp_path) as server:
            assert (said in server.said()) == is_new
        server.log.unlink()


def test_a_server_that_cannot_have_its_port_leaves_nothing_behind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = Command("serve", "--port", port, "--database", f"sqlite:///{tmp_path}/x.db")
    assert (done.code, f"127.0.0.1:{port} cannot be used" in done.err) == (FAILED, True), str(done)
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_takes_no_writes_is_told(postgres: Postgres, new_postgresql_url: str, tmp_path: Path) -> None:
    assert Command("migrate", "--database", new_postgresql_url).code == 0
    name = new_postgresql_url.partition("@/")[2].partition("?")[0]
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    (tmp_path / "course.json").write_text(json.dumps(COURSE))
    publish = ["course", "publish", str(tmp_path / "course.json")]
    for command in (["serve", "--port", "0"], ["migrate"], ["rebuild"], ["keys", "new"], publish):
        done = Command(*command, "--database", new_postgresql_url)
        assert (done.code, "the one that takes writes" in done.err) == (FAILED, True), str(done)
        assert "Traceback" not in done.err


def test_a_new_database_that_does_not_hold_all_letters_is_refused(postgres: Postgres) -> None:
    with postgres.fresh("ENCODING 'SQL_ASCII' LOCALE 'C'") as url:
        for command in (["serve", "--port", "0"], ["migrate"]):
            done = Command(*command, "--database", url)
            assert (done.code, "keeps text as SQL_ASCII" in done.err) == (FAILED, True), str(done)
            assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (psycopg.errors.LockNotAvailable, "once it has ended, run this again"),
        (psycopg.errors.InsufficientPrivilege, "give the role in --database the right to it"),
        (psycopg.errors.IoError, "PostgreSQL's own log tell more"),
        (psycopg.errors.TooManyConnections, "see that it runs"),
        (psycopg.OperationalError, "see that it runs"),
    ],
)
def test_what_postgresql_refuses_is_told_with_what_to_do(error: type[psycopg.Error], told: str) -> None:
    said = explain(DBAPIError("SELECT 1", {}, error("no")))
    assert said is not None
    assert said.startswith("PostgreSQL cannot be used: no; ")
    assert told in said


def test_a_defect_keeps_its_traceback() -> None:
    assert explain(DBAPIError("SELECT 1", {}, psycopg.errors.UndefinedTable("no"))) is None
