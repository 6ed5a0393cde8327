"""`headway doctor`: what it looks at, and that it finds what is wrong."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from headway.cli.findings import Finding, State, of_settings
from headway.cli.findings_of_database import of_database
from headway.cli.findings_of_running import of_surroundings
from headway.cli.screen import now
from headway.domain.times import DAY
from headway.settings import Settings
from headway.store import upkeep
from headway.store.database import Database
from tests.http.test_mail import receiving
from tests.postgres import Postgres
from tests.torture.server import Command, Server

ID = "00000000-0000-4000-8000-00000000000a"


def findings(url: str) -> dict[str, dict[str, Any]]:
    done = Command("doctor", "--json", "--database", url)
    said = json.loads(done.out)
    assert done.code == (not said["healthy"]), str(done)
    assert said["healthy"] == all(one["state"] != "wrong" for one in said["findings"])
    return {one["name"]: one for one in said["findings"]}


def test_a_database_that_is_right_is_fine(database_url: str) -> None:
    Command("migrate", "--database", database_url)
    found = findings(database_url)
    wrong = {name for name, one in found.items() if one["state"] == "wrong"}
    # The tests' own server waits for no disk, and that is found.
    assert wrong == ({"fsync", "full_page_writes"} if database_url.startswith("postgresql") else set())
    assert found["tables"]["state"] == "fine"
    assert {
        "python",
        "clock",
        "time zones",
        "queue",
        "disk" if "sqlite" in database_url else "encoding",
    } <= (found.keys())


def test_a_database_that_takes_no_writes_is_wrong(postgres: Postgres, new_postgresql_url: str) -> None:
    Command("migrate", "--database", new_postgresql_url)
    assert findings(new_postgresql_url)["writes"]["state"] == "fine"
    name = new_postgresql_url.partition("@/")[2].partition("?")[0]
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    found = findings(new_postgresql_url)["writes"]
    assert (found["state"], found["value"]) == ("wrong", "refused: it is read-only")


def test_a_database_that_does_not_hold_all_letters_is_wrong_and_read_as_text(
    postgres: Postgres, new_postgresql_url: str
) -> None:
    Command("migrate", "--database", new_postgresql_url)
    name = new_postgresql_url.partition("@/")[2].partition("?")[0]
    # As one that was set up before such were refused.
    ascii_one = f"pg_char_to_encoding('SQL_ASCII') WHERE datname = '{name}'"
    postgres.execute(f"UPDATE pg_database SET encoding = {ascii_one}")
    found = findings(new_postgresql_url)["encoding"]
    assert (found["state"], found["value"]) == ("wrong", "SQL_ASCII")
    for command in ("migrate", "audit"):
        assert Command(command, "--database", new_postgresql_url).code == 0


def test_a_ledger_that_stands_open_is_wrong(database_url: str) -> None:
    Command("migrate", "--database", database_url)
    assert findings(database_url)["ledger"]["state"] == "fine"
    database = Database(database_url)
    with database.transaction() as connection:
        connection.exec_driver_sql("INSERT INTO ledger_opened VALUES ('x')")
    database.close()
    found = findings(database_url)["ledger"]
    assert (found["state"], found["value"]) == ("wrong", "stands open to be changed ('x')")
    assert "headway rebuild" in found["advice"]


def test_an_old_sqlite_is_noted(sqlite_url: str) -> None:
    Command("migrate", "--database", sqlite_url)
    note = findings(sqlite_url)["sqlite"]
    assert note["state"] == ("note" if sqlite3.sqlite_version_info < (3, 51, 3) else "fine")


def test_it_reads_as_text_and_makes_no_database(tmp_path: Path) -> None:
    done = Command("doctor", "--database", f"sqlite:///{tmp_path}/none.db")
    assert done.code == 0, str(done)
    assert "no database yet" in done.out
    assert done.err == "Nothing is wrong.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_server_at_work_is_seen(sqlite_url: str, tmp_path: Path) -> None:
    with Server(sqlite_url, tmp_path):
        assert findings(sqlite_url)["serving now"]["value"] == "yes"
    assert findings(sqlite_url)["serving now"]["value"] == "no"


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/none", "sqlite:///{folder}/text"])
def test_a_database_that_cannot_be_used_is_wrong(url: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all\n" * 200)
    assert findings(url.format(folder=tmp_path))["connection"]["state"] == "wrong"


@pytest.mark.parametrize(("revision", "said"), [("0000", "headway migrate"), ("9999", "newer Headway")])
def test_tables_of_another_headway_are_wrong(sqlite_url: str, revision: str, said: str) -> None:
    Command("migrate", "--database", sqlite_url)
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
    found = findings(sqlite_url)["tables"]
    assert (found["state"], said in found["advice"]) == ("wrong", True)


def test_a_disk_that_is_nearly_full_is_wrong(monkeypatch: pytest.MonkeyPatch, sqlite_url: str) -> None:
    class Usage:
        free = 100 * 1024**2

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    (disk,) = [one for one in of_database(Settings(database_url=sqlite_url)) if one.name == "disk"]
    assert disk == Finding("disk", State.WRONG, "0.1 GiB free", disk.advice)
    assert "Make room" in disk.advice


def test_where_mails_go_is_told_without_the_password() -> None:
    settings = Settings(database_url="sqlite:///none.db", smtp_url="smtp://me:hunter2secret@mail", mail_from="a@b.org")
    told = {one.name: one for one in of_settings(settings)}["mail"]
    assert (told.state, told.value) == (State.FINE, "smtp://mail as a@b.org")
    (none,) = [one for one in of_settings(Settings(database_url="sqlite:///none.db")) if one.name == "mail"]
    assert (none.state, none.value) == (State.NOTE, "to the log")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "none: smtp_url and public_url are not set"),
        ({"public_url": "https://learn.example.org"}, "none: smtp_url is not set"),
        (
            {"smtp_url": "smtp://mail", "mail_from": "a@b.org", "public_url": "http://x"},
            "none: public_url is not https",
        ),
        ({"smtp_url": "smtp://mail", "mail_from": "a@b.org", "public_url": "https://x"}, "what they ask for"),
    ],
)
def test_what_mails_to_learners_lack_is_told(settings: dict[str, Any], told: str) -> None:
    found = {one.name: one for one in of_settings(Settings(database_url="sqlite:///none.db", **settings))}
    assert found["mail to learners"].value.startswith(told)


@pytest.mark.parametrize(
    ("settings", "state", "advice"),
    [
        ({}, State.NOTE, "public_url"),
        ({"public_url": "http://learn.example.org"}, State.NOTE, "HTTPS"),
        ({"public_url": "https://learn.example.org"}, State.NOTE, "signing_secret"),
        ({"public_url": "https://learn.example.org", "signing_secret": "hunter2" * 3}, State.FINE, ""),
    ],
)
def test_what_credentials_lack_is_told_and_no_secret(settings: dict[str, Any], state: State, advice: str) -> None:
    told = {one.name: one for one in of_settings(Settings(database_url="sqlite:///none.db", **settings))}["credentials"]
    assert told.state == state
    assert advice in told.advice
    assert "hunter2" not in str(told)


@pytest.mark.parametrize(("workers", "state"), [(1, State.FINE), (2, State.WRONG)])
def test_workers_that_no_server_starts_with_on_sqlite_are_wrong(tmp_path: Path, workers: int, state: State) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/none.db", workers=workers)
    assert {one.name: one.state for one in of_database(settings)}["workers"] == state


def test_files_that_others_may_read_a_log_that_is_held_and_a_clock_that_went_back_are_told(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))

    def found() -> dict[str, Finding]:
        return {one.name: one for one in of_database(Settings(database_url=sqlite_url))}

    path.parent.chmod(0o755)
    path.chmod(0o600)
    assert found()["file permissions"].state is State.FINE
    path.chmod(0o644)
    open_file = found()["file permissions"]
    assert (open_file.state, open_file.value) == (State.NOTE, "headway.db open to others")
    path.parent.chmod(0o700)
    assert found()["file permissions"].state is State.FINE
    assert found()["log"].state is State.FINE
    monkeypatch.setattr("headway.cli.findings_of_running._LOG_MAX", -1)
    assert found()["log"].state is State.NOTE
    assert "newest record" not in found()
    database = Database(sqlite_url)
    at = {"began_at": now(), "outcome": "done", "done": 7, "total": 7, "report": "{}"}
    with database.transaction() as connection:
        upkeep.add_done(connection, "backup", {"id": ID, "ended_at": now() + 60_000_000, **at})
    database.close()
    late = found()["newest record"]
    assert (late.state, "gone back" in late.advice) == (State.WRONG, True)


def test_the_last_backup_and_audit_are_told(database_url: str, tmp_path: Path) -> None:
    assert findings(database_url)["last backup"]["state"] == "note"
    done = Command("backup", str(tmp_path / "saved.hw"), "--database", database_url)
    assert done.code == 0, str(done)
    assert findings(database_url)["last backup"]["state"] == "fine"
    database, old = Database(database_url), now() - 3 * DAY
    with database.transaction() as connection:
        connection.exec_driver_sql(f"UPDATE upkeep SET began_at = {old}, noted_at = {old}, ended_at = {old}")
        run = {"id": ID, "began_at": old, "ended_at": old, "outcome": "found", "done": 1, "total": 1, "report": None}
        upkeep.add_done(connection, "audit", run)
    database.close()
    told = findings(database_url)
    assert (told["last backup"]["state"], told["last audit"]["state"]) == ("note", "wrong")


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({}, set()),
        ({"public_url": "https://learn.example.org"}, {"https", "proxy"}),
        ({"public_url": "https://learn.example.org", "https": True, "trusted_proxies": "127.0.0.1"}, set()),
        ({"public_url": "https://learn.example.org", "https": True, "host": "0.0.0.0"}, set()),
        ({"redis_url": "redis://:hunter2@127.0.0.1:1"}, {"redis"}),
        ({"smtp_url": "smtp://me:hunter2@127.0.0.1:1", "mail_from": "a@example.org"}, {"mail server"}),
    ],
)
def test_what_stands_around_a_site_is_looked_at(settings: dict[str, Any], wrong: set[str]) -> None:
    found = list(of_surroundings(Settings(database_url="sqlite:///none.db", **settings), mail=True))
    assert {one.name for one in found if one.state is State.WRONG} == wrong
    assert all(one.advice for one in found if one.state is not State.FINE)
    assert "hunter2" not in str(found)
    asked = of_surroundings(Settings(database_url="sqlite:///none.db", **settings), mail=False)
    assert "mail server" not in {one.name for one in asked}


def test_a_mail_server_is_asked_and_sent_nothing() -> None:
    with receiving() as (box, port):
        known = Settings(
            database_url="sqlite:///none.db", smtp_url=f"smtp://127.0.0.1:{port}", mail_from="a@example.org"
        )
        (found,) = [one for one in of_surroundings(known, mail=True) if one.name == "mail server"]
        assert (found.state, found.value) == (State.FINE, "takes mails")
        assert box.letters == []
