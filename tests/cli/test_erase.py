"""`headway erase` and `headway erasures`: who is named how, the question, and a restore."""

import json
import shutil
from pathlib import Path

import pytest

from headway.ledger.enlist import derived_id
from headway.store import learners
from headway.store.database import Database
from headway.store.migrate import migrate
from tests.torture.proof import query
from tests.torture.server import Command

ADA = "c0ffee00-dead-4bee-8000-000000000001"
BOB = derived_id("learner", "oulad:7")

COURSE = "{id: c, title: C, modules: [{id: m, title: M, steps: [{id: s, kind: lesson, title: S}]}]}"
EVENT = (
    '{"learner": "school:1", "type": "completed", "course": "c", "step": "s", "occurred_at": "2026-03-01T09:00:00Z"}'
)


@pytest.fixture
def url(database_url: str) -> str:
    """The address of a database with an account and somebody imported."""
    database = Database(database_url)
    migrate(database)
    columns = {"time_zone": "UTC", "created_at": 0}
    with database.transaction() as connection:
        learners.add(connection, columns | {"id": ADA, "kind": "account", "email": "ada@example.org"})
        learners.add(connection, columns | {"id": BOB, "kind": "imported", "external_id": "oulad:7"})
    database.close()
    return database_url


def left(url: str) -> list[tuple[object, ...]]:
    return query(url, "SELECT id FROM learner ORDER BY id")


def test_it_asks_and_takes_no_for_an_answer(url: str) -> None:
    done = Command("erase", "Ada@Example.org", "--database", url, given="n\n")
    assert (done.code, done.out.strip()) == (1, "")
    assert "Erase ada@example.org (account, 0 events) for good?" in done.err
    assert len(left(url)) == 2
    done = Command("erase", ADA.upper(), "--database", url, given="y\n")
    assert (done.code, done.out.strip()) == (0, "Erased: 0 events count on as nobody's."), str(done)
    assert len(left(url)) == 1


def test_where_nobody_can_answer_it_says_how_to_go_on(url: str) -> None:
    done = Command("erase", ADA, "--database", url)
    assert (done.code, done.err.splitlines()[-1]) == (
        2,
        "headway: nobody was there to answer: --yes does it without asking",
    )
    assert len(left(url)) == 2


def test_it_asks_about_all_that_goes(sqlite_url: str, tmp_path: Path) -> None:
    Command("course", "publish", "-", "--database", sqlite_url, given=COURSE)
    (tmp_path / "events.jsonl").write_text(EVENT)
    Command("import", "jsonl", str(tmp_path / "events.jsonl"), "--database", sqlite_url)
    Command("admin", "create", "ada@example.org", "--database", sqlite_url, given="one-step-at-a-time\n")
    Command("learners", "link", "school:1", "ada@example.org", "--database", sqlite_url)
    done = Command("erase", "ada@example.org", "--database", sqlite_url, given="n\n")
    assert "Erase ada@example.org (account, 1 event) for good?" in done.err
    assert "Erased: 1 event counts" in Command("erase", "ada@example.org", "--yes", "--database", sqlite_url).out


@pytest.mark.parametrize("named", [ADA, "ada@example.org", "oulad:7", BOB])
def test_a_learner_is_named_by_id_external_id_or_address(url: str, named: str) -> None:
    done = Command("erase", named, "--yes", "--json", "--database", url)
    assert json.loads(done.out) == {"erased": True, "identities": 1, "events": 0}, str(done)
    assert len(left(url)) == 1


@pytest.mark.parametrize("named", [ADA, "oulad:7", BOB])
def test_again_there_is_nothing_left_to_erase(url: str, named: str) -> None:
    Command("erase", named, "--yes", "--database", url)
    again = Command("erase", named, "--yes", "--database", url)
    assert (again.code, again.out) == (0, f"{named} was erased before; there is nothing left to erase.\n")
    told = json.loads(Command("erase", named, "--yes", "--json", "--database", url).out)
    assert told == {"erased": False, "identities": 0, "events": 0}


def test_who_never_was_there_is_told_so(url: str) -> None:
    done = Command("erase", "oulad:8", "--yes", "--database", url)
    assert (done.code, "there is no learner 'oulad:8'" in done.err) == (1, True), str(done)


def test_the_list_is_applied_to_what_was_restored(sqlite_url: str, url: str, tmp_path: Path) -> None:
    if url != sqlite_url:
        pytest.skip("a file is quickly restored; the rest is the same")
    path = tmp_path / "headway.db"
    backup, erasures = tmp_path / "backup.db", tmp_path / "erasures.jsonl"
    shutil.copy(path, backup)
    Command("erase", "oulad:7", "--yes", "--database", url)
    written = Command("erasures", "export", str(erasures), "--json", "--database", url)
    assert json.loads(written.out) == {"listed": 1}
    assert Command("erasures", "export", "-", "--database", url).out == erasures.read_text()
    assert set(json.loads(erasures.read_text())) == {"learner_hmac", "erased_on", "key"}
    shutil.copy(backup, path)
    assert len(left(url)) == 2
    applied = Command("erasures", "apply", str(erasures), "--database", url)
    assert applied.out == "1 erasure in the list, 1 of them new here.\n1 learner erased again.\n", str(applied)
    assert left(url) == [(ADA,)]
    again = Command("erasures", "apply", "-", "--json", "--database", url, given=erasures.read_text())
    assert json.loads(again.out) == {"listed": 1, "added": 0, "erased": 0}
    assert b"oulad:7" not in path.read_bytes()


@pytest.mark.parametrize(
    "line", ["none", "{}", '{"learner_hmac": "ff", "erased_on": "2026-03-01"}', '{"learner_hmac": 1}', "[]"]
)
def test_a_file_that_is_no_list_changes_nothing(url: str, line: str) -> None:
    done = Command("erasures", "apply", "-", "--database", url, given=f"{line}\n")
    assert (done.code, "-:1: this is no line of a list" in done.err) == (2, True), str(done)
    assert query(url, "SELECT count(*) FROM erasure") == [(0,)]


def test_a_list_of_another_database_is_refused(url: str) -> None:
    line = json.dumps({"learner_hmac": "f" * 64, "erased_on": "2026-03-01", "key": "0" * 16})
    done = Command("erasures", "apply", "-", "--database", url, given=f"{line}\n")
    assert (done.code, "-:1: this list is of another database" in done.err) == (2, True), str(done)
    assert query(url, "SELECT count(*) FROM erasure") == [(0,)]
