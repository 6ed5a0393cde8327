"""`headway doctor`: what it looks at, and that it finds what is wrong."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from headway.cli.findings import Finding, State, of_settings
from headway.cli.findings_of_database import of_database
from headway.settings import Settings
from tests.torture.server import Command, Server


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
