"""`headway export` and `headway import headway-export`."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from headway.cli.output import output
from headway.cli.screen import Misused
from tests.cli.test_erase import ADA, url
from tests.torture.server import Command

__all__ = ["url"]


def test_what_is_written_can_be_taken_in_again(url: str, tmp_path: Path) -> None:  # a fixture
    file = tmp_path / "ada.json"
    done = Command("export", "--learner", "ada@example.org", str(file), "--database", url)
    assert (done.code, "bytes about ada@example.org" in done.err) == (0, True), str(done)
    whole = json.loads(file.read_bytes())
    assert (whole["complete"], whole["learner"]["id"]) == (True, ADA)
    done = Command("export", "--learner", ADA, "--format", "csv", "--database", url)
    assert (done.code, done.out.splitlines()[0].lstrip("\ufeff")[:15]) == (0, "occurred_at,day"), str(done)
    done = Command("import", "headway-export", str(file), "--database", url)
    assert (done.code, done.out.strip()) == (0, f"Learner {ADA}: 0 entries, is here already, just so."), str(done)
    file.write_bytes(file.read_bytes()[:100])
    done = Command("import", "headway-export", str(file), "--database", url)
    assert (done.code, "no whole export" in done.err) == (1, True), str(done)
    assert Command("export", "--learner", ADA, "--format", "xml", "--database", url).code == 2


def test_what_breaks_off_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    file = tmp_path / "ada.json"
    file.write_bytes(b"whole")
    file.chmod(0o600)

    def broken_off() -> None:
        with output(str(file)) as out:
            out.write(b"cut")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken_off()
    assert (file.read_bytes(), list(tmp_path.iterdir())) == (b"whole", [file])
    with output(str(file)) as out:
        out.write(b"new")
    assert (file.read_bytes(), file.stat().st_mode & 0o777, list(tmp_path.iterdir())) == (b"new", 0o600, [file])


def test_a_database_is_not_written_over(sqlite_url: str, tmp_path: Path) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    before = path.read_bytes()
    done = Command("erasures", "export", str(path), "--database", sqlite_url)
    assert (done.code, "is a SQLite database" in done.err) == (2, True), str(done)
    assert path.read_bytes() == before
    # Nor over its log, in which lies what was committed last.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE more (a)")
        log = path.with_name(f"{path.name}-wal")
        with pytest.raises(Misused, match="part of one"), output(str(log)):
            pass
        assert log.read_bytes()[:3] == b"\x37\x7f\x06"
    assert not [*tmp_path.glob(".headway-*")]


def test_two_that_write_one_file_at_once_each_write_it_whole(tmp_path: Path) -> None:
    file, others = tmp_path / "ada.json", tmp_path / "ada.json.part"
    others.write_bytes(b"somebody's own")
    with output(str(file)) as first:
        first.write(b"A" * 20_000)
        first.flush()
        with output(str(file)) as second:
            second.write(b"B" * 50)
        assert file.read_bytes() == b"B" * 50
    assert (file.read_bytes(), others.read_bytes()) == (b"A" * 20_000, b"somebody's own")
    assert sorted(tmp_path.iterdir()) == [file, others]
    assert file.stat().st_mode & 0o777 == 0o600


def test_where_nothing_can_be_written_the_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "none" / "ada.json"
    with pytest.raises(FileNotFoundError) as refused, output(str(file)):
        pass
    assert refused.value.filename == str(file)
