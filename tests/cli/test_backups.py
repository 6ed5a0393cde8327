"""`headway backup` and `headway restore` as an operator meets them, and a restore that brings back who was erased."""

import json
from pathlib import Path

import pytest

from headway.ledger.publish import publish
from headway.store.database import Database
from tests.ledger.world import PYTHON
from tests.postgres import Postgres
from tests.torture.proof import query
from tests.torture.server import Command

ADA, BEN = "ada", "ben"


@pytest.fixture
def filled(sqlite_url: str, tmp_path: Path) -> str:
    """A database with two imported learners."""
    database = Database(sqlite_url)
    publish(database, dict(PYTHON), now=1)
    database.close()
    lines = [
        {
            "type": "completed",
            "course": "python",
            "step": "hello",
            "occurred_at": "2026-03-01T12:00:00Z",
            "learner": name,
        }
        | {"id": f"0b9f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c1{n}"}
        for n, name in enumerate((ADA, BEN))
    ]
    path = tmp_path / "events.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    assert run("import", "jsonl", str(path), "--database", sqlite_url).code == 0
    return sqlite_url


def run(*arguments: str) -> Command:
    return Command(*arguments)


def names(url: str) -> set[str]:
    return {row[0] for row in query(url, "SELECT external_id FROM learner WHERE external_id IS NOT NULL")}


def test_a_database_that_takes_no_writes_is_backed_up(
    postgres: Postgres, new_postgresql_url: str, tmp_path: Path
) -> None:
    saved = str(tmp_path / "saved.hw")
    assert run("migrate", "--database", new_postgresql_url).code == 0
    assert "takes no writes" not in run("backup", saved, "--database", new_postgresql_url).err
    name = new_postgresql_url.partition("@/")[2].partition("?")[0]
    postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    for more in ([], ["--json"]):
        taken = run("backup", saved, "--replace", "--database", new_postgresql_url, *more)
        assert taken.code == 0, str(taken)
        (told,) = [line for line in taken.err.splitlines() if "takes no writes" in line]
        assert "not noted there" in told
        assert run("restore", saved, "--check").code == 0


def test_who_was_erased_since_a_backup_is_erased_again_after_its_restore(
    filled: str, new_postgresql_url: str, tmp_path: Path
) -> None:
    saved, listed = str(tmp_path / "saved.hw"), str(tmp_path / "erasures.jsonl")
    taken = run("backup", saved, "--database", filled)
    assert taken.code == 0, str(taken)
    assert taken.out.startswith(f"Wrote 2 learners with 2 entries to {saved} (")
    assert run("erase", ADA, "--yes", "--database", filled).code == 0
    assert run("erasures", "export", listed, "--database", filled).code == 0
    restored = run("restore", saved, "--database", new_postgresql_url)
    assert restored.code == 0, str(restored)
    assert "Audited: all figures follow from the ledger." in restored.out
    assert "headway erasures apply" in restored.err
    assert names(new_postgresql_url) == {ADA, BEN}
    applied = run("erasures", "apply", listed, "--database", new_postgresql_url)
    assert "1 learner erased again" in applied.out, str(applied)
    assert names(new_postgresql_url) == {BEN}
    assert run("audit", "--database", new_postgresql_url).code == 0


def test_what_goes_wrong_is_told_in_a_line(filled: str, new_sqlite_url: str, tmp_path: Path) -> None:
    saved = tmp_path / "saved.hw"
    assert run("backup", str(saved), "--database", filled).code == 0
    checked = run("restore", str(saved), "--check")
    assert (checked.code, checked.out.startswith(f"{saved} is whole: 2 learners with 2 entries, as of")) == (0, True)
    (tmp_path / "cut.hw").write_bytes(saved.read_bytes()[:-20])
    for arguments, said in (
        (("backup", str(saved), "--database", filled), "is there already"),
        (("backup", str(tmp_path), "--database", filled), "is a folder"),
        (("backup", str(tmp_path / "no" / "saved.hw"), "--database", filled), "there is no folder"),
        (("restore", str(tmp_path / "none.hw"), "--database", new_sqlite_url), "there is no backup"),
        (("restore", str(tmp_path / "cut.hw"), "--check"), "cut short or damaged"),
        (("restore", str(saved), "--database", filled), "holds something"),
    ):
        done = run(*arguments)
        assert (done.code, said in done.err, len(done.err.splitlines())) == (1, True, 1), str(done)
    assert not Path(new_sqlite_url.removeprefix("sqlite:///")).exists()
