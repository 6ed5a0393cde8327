"""`headway archive` as an operator meets it."""

import json
from pathlib import Path

from headway.ledger.publish import publish
from headway.store.database import Database
from tests.ledger.world import PYTHON, World
from tests.torture.server import Command

ID = "0b9f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c10"
EVENT = {"type": "attempted", "course": "python", "step": "loops", "score": 1, "response": "x" * 500}


def filled(url: str, folder: Path) -> None:
    database = Database(url)
    publish(database, dict(PYTHON), now=1)
    database.close()
    line = EVENT | {"id": ID, "occurred_at": "2026-03-01T12:00:00Z", "learner": "ada"}
    (folder / "events.jsonl").write_text(json.dumps(line))
    assert Command("import", "jsonl", str(folder / "events.jsonl"), "--database", url).code == 0
    # What is archived goes by when it came in.
    world = World(url)
    with world.opened() as connection:
        connection.exec_driver_sql("UPDATE ledger SET received_at = 1772366400000000 WHERE source <> 'server'")
    world.close()
    assert Command("rebuild", "--database", url).code == 0  # what was told depends on when it came in


def test_what_came_in_before_a_day_is_moved_once_and_a_missing_file_is_named(sqlite_url: str, tmp_path: Path) -> None:
    filled(sqlite_url, tmp_path)

    def run(*arguments: str) -> Command:
        return Command(*arguments, "--database", sqlite_url)

    before = ("--before", "2026-03-02")
    both = (("--check", "--dry-run"), ("--check", "--shrink"), (*before, "--dry-run", "--shrink"))
    for wrong in ((), (*before, "--check"), ("--before", "soon"), ("--before", "9998-01-01"), *both):
        assert run("archive", *wrong).code == 2
    said = json.loads(run("archive", "--before", "2026-03-02", "--dry-run", "--json").out)
    assert (said["dry_run"], said["events"]) == (True, 1)
    assert "nothing more to move" in run("archive", "--before", "2026-03-01").out
    moved = run("archive", "--before", "2026-03-02", "--shrink")
    assert moved.out.startswith("Moved 1 event with "), str(moved)
    assert "keep a copy of the folder" in moved.err
    (file,) = json.loads(run("archive", "--check", "--json").out)["files"]
    assert (file["fault"], file["entries"], file["first_seq"]) == (None, 1, 1)
    path = next(tmp_path.glob(f"*-archive/{file['file']}"))
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert run("audit").code == 0
    path.rename(tmp_path / "elsewhere")
    for command in (("audit",), ("rebuild",), ("backup", str(tmp_path / "saved.hw")), ("erase", "ada", "--yes")):
        stopped = run(*command)
        assert stopped.code == 1
        assert f"{path} is missing: put it back from a copy" in stopped.err, str(stopped)
    assert not (tmp_path / "saved.hw").exists()
    looked = run("doctor")
    assert looked.code == 1
    assert f"{path} is missing" in " ".join(looked.out.split())
    assert run("archive", "--check").code == 1
    (tmp_path / "elsewhere").rename(path)
    assert run("archive", "--check").code == 0
    assert run("erase", "ada", "--yes").code == 0
    assert list(path.parent.iterdir()) == []


def test_postgresql_needs_a_folder_to_be_named(postgresql_url: str, tmp_path: Path) -> None:
    filled(postgresql_url, tmp_path)
    refused = Command("archive", "--before", "2026-03-02", "--database", postgresql_url)
    assert refused.code == 1
    assert "archive_folder" in refused.err
