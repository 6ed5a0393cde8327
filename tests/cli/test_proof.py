"""`headway audit` and `rebuild` as an operator sees them."""

import json
from pathlib import Path
from typing import Any

import pytest

from headway.domain.achievements import Definition
from headway.importers.learners import enlisted
from headway.ledger.definitions import define
from headway.ledger.merge import move_guest
from headway.store import learners
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.schema import metadata
from tests.importers.conftest import PYTHON
from tests.importers.test_own_events import EVENT, jsonl
from tests.ledger.guests import session_of
from tests.ledger.world import NOON, World
from tests.torture.server import Command

ROWS = 30


@pytest.fixture
def filled(database_url: str, tmp_path: Path) -> str:
    """A database with thirty learners."""
    Command("course", "publish", "-", "--database", database_url, given=json.dumps(PYTHON))
    path = jsonl(tmp_path / "events", *({**EVENT, "learner": f"school:{n}"} for n in range(ROWS)))
    done = Command("import", "jsonl", str(path), "--database", database_url)
    assert done.code == 0, str(done)
    return database_url


def falsify(url: str) -> None:
    database = Database(url)
    with database.transaction() as connection:
        connection.exec_driver_sql("UPDATE step_sum SET attempts = attempts + 5")
    database.close()


def everything(url: str) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    world = World(url)
    found = {table.name: world.rows_of(table.name) for table in metadata.sorted_tables}
    world.close()
    return found


def test_a_clean_database_is_clean(filled: str) -> None:
    done = Command("audit", "--database", filled)
    assert (done.code, done.err) == (0, ""), str(done)
    assert done.out == "Clean: all figures of 30 learners with 30 entries follow from the ledger.\n"
    assert Command("rebuild", "--database", filled).out == "30 learners: 0 mended, 30 right.\n"


def test_a_difference_is_shown_and_mended(filled: str) -> None:
    falsify(filled)
    done = Command("audit", "--database", filled)
    assert done.code == 1
    assert done.out.startswith("30 differences in 30 learners with 30 entries.\n")
    assert done.out.count("step_sum") == 20
    assert "10 more are not shown" in done.err
    assert "headway rebuild" in done.err
    report = json.loads(Command("audit", "--json", "--database", filled).out)
    assert (report["found"], len(report["faults"])) == (30, 30)
    assert {(one["column"], one["stored"], one["true"]) for one in report["faults"]} == {("attempts", 6, 1)}
    assert Command("rebuild", "--database", filled).code == 0
    assert Command("audit", "--database", filled).code == 0


def test_a_dry_run_tells_who_would_change_from_what_to_what_and_changes_nothing(filled: str) -> None:
    falsify(filled)
    before = everything(filled)
    dry = Command("rebuild", "--dry-run", "--database", filled)
    lines = dry.out.splitlines()
    assert (dry.code, len(lines)) == (0, 21), str(dry)
    learner_id = lines[0].split()[0]
    assert lines[0] == f"{learner_id}  step_sum.attempts  python/1/loops  6 → 1"
    assert lines[-1] == "30 learners: 30 would be mended, 0 right."
    assert "… and 10 more" in dry.err
    told = json.loads(Command("rebuild", "--dry-run", "--json", "--database", filled).out)
    assert everything(filled) == before
    counts = {"total": 30, "updated": 30, "unchanged": 0, "broken": 0, "found": 0, "faults": []}
    assert {**told, "updates": len(told["updates"])} == {"dry_run": True, **counts, "updates": 30}
    assert told["updates"][0] == {
        "learner": learner_id,
        "field": "step_sum.attempts",
        "key": "python/1/loops",
        "old": 6,
        "new": 1,
    }
    assert json.loads(Command("rebuild", "--json", "--database", filled).out) == told | {"dry_run": False}
    assert Command("rebuild", "--database", filled).out == "30 learners: 0 mended, 30 right.\n"


def test_what_is_nobodys_own_is_told_dry_as_it_is_mended(filled: str) -> None:
    """Whoever is in a course whose keys cannot be read is judged by it as it will be."""
    world = World(filled)
    world.run(
        "INSERT INTO ledger_opened (reason) VALUES ('left open')",
        "UPDATE course_version SET step_keys = '[]'",
        "UPDATE course SET title = 'Pythons'",
        "INSERT INTO board_tally VALUES ('', 'all-time', 0, 5, 7)",
        "INSERT INTO course_counter VALUES ('python', 'enrolled', '', 0, 0, 7)",
    )
    world.close()
    dry = Command("rebuild", "--dry-run", "--database", filled)
    assert (dry.code, dry.out.splitlines()[1][:47]) == (0, 'course_version.step_keys  python/1  [] → {"essa')
    assert dry.out.splitlines()[-1] == "30 learners: 0 would be mended, 30 right."
    told = json.loads(Command("rebuild", "--dry-run", "--json", "--database", filled).out)
    (keys,) = [one["new"] for one in told["updates"] if one["key"] == "python/1"]
    assert {(one["field"], one["key"], one["old"], one["new"]) for one in told["updates"]} == {
        ("ledger_opened.*", "left open", "a row", "none: the ledger stands open to be changed"),
        ("course_version.step_keys", "python/1", "[]", keys),
        ("course.title", "python", "Pythons", "Python"),
        ("board_tally.learners", "/all-time/0/5", 7, 0),
        ("course_counter.learners", "python/enrolled//0", 7, 0),
    }
    assert {one["learner"] for one in told["updates"]} == {""}
    assert json.loads(Command("rebuild", "--json", "--database", filled).out) == told | {"dry_run": False}
    assert Command("audit", "--database", filled).code == 0


def test_what_a_rebuild_gives_is_told_by_name_and_what_it_cannot_mend_is_told_dry_as_well(filled: str) -> None:
    world = World(filled)
    define(world.database, Definition("once", "Once", "Try.", "practice", "attempts", 1, 1, "gold"))
    ada, ben = (row["id"] for row in world.rows_of("learner")[:2])
    with world.opened() as connection:
        connection.exec_driver_sql(f"UPDATE ledger SET time_zone = 'Mars/Olympus' WHERE learner_id = '{ada}'")
    dry = Command("rebuild", "--dry-run", "--database", filled)
    assert (dry.code, dry.out.splitlines()[0]) == (1, f"{ben}  achievements  0 → 1: once"), str(dry)
    assert "no rebuild can mend it" in dry.err
    assert world.count("achievement") == 0
    one = Command("rebuild", "--dry-run", "--learner", "school:7", "--json", "--database", filled)
    assert json.loads(one.out)["updated"] == 0  # what is new is given to all alike
    told = json.loads(Command("rebuild", "--dry-run", "--json", "--database", filled).out)
    assert (told["updated"], told["unchanged"], told["broken"], told["found"]) == (29, 0, 1, 1)
    assert [(fault["learner"], fault["column"]) for fault in told["faults"]] == [(ada, "body")]
    assert told["updates"][0]["achievements"] == ["once"]
    assert json.loads(Command("rebuild", "--json", "--database", filled).out) == told | {"dry_run": False}
    assert world.count("achievement") == 29
    world.close()


def test_one_learner_is_looked_at_alone_by_either_name(filled: str) -> None:
    falsify(filled)
    database = Database(filled)
    learner_id = enlisted(database, ["school:7"], 0)["school:7"]
    database.close()
    for name in ("school:7", learner_id, learner_id.upper()):
        report = json.loads(Command("audit", "--json", "--learner", name, "--database", filled).out)
        assert (report["learners"], report["found"]) == (1, 1)
    assert Command("rebuild", "--learner", "school:7", "--database", filled).code == 0
    assert Command("audit", "--learner", "school:7", "--database", filled).code == 0
    assert json.loads(Command("audit", "--json", "--database", filled).out)["found"] == ROWS - 1


def test_a_guest_who_was_moved_leads_to_its_account(filled: str) -> None:
    database = Database(filled)
    ids = enlisted(database, ["school:7", "school:8"], 0)
    guest, account = ids["school:7"], ids["school:8"]
    with database.transaction() as connection:
        learners.change(connection, account, {"kind": "account"})
        learners.change(connection, guest, {"kind": "guest"})
        learners.add_sessions(connection, session_of(guest, "secret"))
    token_hash = session_of(guest, "secret")["token_hash"]
    assert move_guest(database, Catalog(), account, token_hash, now=NOON) is not None
    database.close()
    # That they are an account now was not done as it is done: their places on the boards do not know it yet.
    for command in ("rebuild", "audit"):
        done = Command(command, "--learner", guest, "--database", filled)
        assert (done.code, f"part of the account {account}" in done.err) == (0, True), str(done)
    assert Command("audit", "--learner", account, "--database", filled).err == ""
    report = json.loads(Command("audit", "--json", "--learner", guest, "--database", filled).out)
    assert (report["learners"], report["events"], report["found"]) == (1, 2, 0)


def test_a_learner_who_is_not_there_is_told(filled: str) -> None:
    for name in ("school:99", "00000000-0000-4000-8000-000000000000", "x" * 300):
        done = Command("audit", "--learner", name, "--database", filled)
        assert (done.code, "there is no learner" in done.err) == (1, True), str(done)


def test_one_is_told_as_one(filled: str) -> None:
    done = Command("audit", "--learner", "school:7", "--database", filled)
    assert done.out == "Clean: all figures of 1 learner with 1 entry follow from the ledger.\n"
    assert Command("rebuild", "--learner", "school:7", "--database", filled).out == "1 learner: 0 mended, 1 right.\n"


def test_a_damaged_course_is_named_with_what_to_do(filled: str) -> None:
    damage(filled)
    done = Command("audit", "--database", filled)
    assert done.code == 1, str(done)
    assert done.out.startswith("31 differences in 30 learners with ")
    assert "Version 1 of the course 'python' is damaged: its manifest: id: is missing" in done.err
    assert "cannot be judged" in done.err
    assert "restore a backup" in done.err
    assert "headway rebuild" not in done.err
    told = json.loads(Command("audit", "--json", "--database", filled).out)
    assert {(one["table"], one["column"]) for one in told["faults"]} == {
        ("course_version", "manifest"),
        ("ledger", "version"),
    }
    rebuilt = Command("rebuild", "--database", filled)
    assert (rebuilt.code, rebuilt.out.splitlines()[0]) == (1, "30 learners: 0 mended, 0 right.")
    assert "Version 1 of the course 'python' is damaged: " in rebuilt.err


def test_another_command_that_needs_a_damaged_course_names_it(filled: str) -> None:
    damage(filled)
    done = Command("course", "publish", "-", "--database", filled, given=json.dumps(PYTHON))
    assert done.code == 1
    assert done.err.startswith("headway: version 1 of the course 'python' is damaged in the database: its manifest: ")
    assert done.err.endswith("restore it from a backup\n")


def damage(url: str) -> None:
    """Put something else in the place of all manifests."""
    database = Database(url)
    with database.transaction() as connection:
        connection.exec_driver_sql("UPDATE course_version SET manifest = '{}'")
    database.close()
