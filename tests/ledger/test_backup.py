"""A backup holds all that was recorded, goes into either database, and is whole or nothing."""

import gzip
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from headway.ledger.audit import audit
from headway.ledger.backup import BackupRefused, backup
from headway.ledger.backup_file import FORMAT, BackupUnusable, Header, Writing
from headway.ledger.boards import count_all_in
from headway.ledger.restore import RestoreRefused, check, restore
from headway.store import upkeep, whole
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.migrate import current, migrate, newest, upgrade
from headway.store.schema import metadata
from tests.conftest import Templates, tables
from tests.ledger.canaries import add_canary
from tests.ledger.world import NOON, World, event

NOW = NOON + 1
# So many tables canaries leave something in, at least.
FILLED = 22
CHILD = """
import os, sys
from pathlib import Path
from headway.ledger import backup, restore, resting
from headway.store.database import Database
resting._TOLD_EVERY = 5
verb, url, path, stop_at = sys.argv[1:]
told = 0
def progress(count):
    global told
    told += 1
    if told == int(stop_at):
        print("in the middle", flush=True)
        sys.stdin.read()
database = Database(url)
if verb == "backup":
    backup.backup(database, Path(path), now=lambda: 1, progress=progress)
else:
    restore.restore(database, Path(path), progress)
"""


@pytest.fixture
def filled(world: World) -> World:
    """A world with learners who left something everywhere, some of them guests before."""
    for number in (2, 3, 4):
        count_all_in(world.database, now=NOW)
        add_canary(world, number)
    return world


@pytest.fixture(scope="module")
def file(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole backup, of a SQLite database."""
    folder = tmp_path_factory.mktemp("whole")
    with templates.copy("sqlite", tables, folder) as (url, _):
        world = World(url).prepare()
        add_canary(world, 1)
        path = saved(world, folder)
        world.close()
    return path


@pytest.fixture
def empty(new_database_url: str) -> Iterator[Database]:
    opened = Database(new_database_url)
    yield opened
    opened.close()


def rows_of(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All that a database holds, in no order."""
    with database.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in metadata.sorted_tables
            if table.name not in whole.LEFT_OUT
        }


def saved(world: World, folder: Path) -> Path:
    path = folder / "saved.hw"
    backup(world.database, path, now=lambda: NOW)
    return path


def is_empty(database: Database) -> bool:
    with database.read() as connection:
        return not whole.holds_tables(connection)


def test_all_that_is_in_one_database_is_in_the_other_after_a_restore(
    filled: World, empty: Database, tmp_path: Path
) -> None:
    made = backup(filled.database, tmp_path / "saved.hw", now=lambda: NOW)
    there = rows_of(filled.database)
    assert sum(map(bool, there.values())) >= FILLED
    checked = restore(empty, tmp_path / "saved.hw")
    assert checked.totals == made.totals
    assert checked.header.taken_at == NOW
    assert rows_of(empty) == there
    restored = World(str(empty.url.render_as_string(hide_password=False)))
    restored.assert_clean()
    with empty.read() as connection:
        learner_id, entries = connection.execute(
            sa.text("SELECT learner_id, max(seq) FROM ledger GROUP BY learner_id ORDER BY learner_id LIMIT 1")
        ).one()
        assert upkeep.last(connection, "backup") is None
    restored.sent_one(str(learner_id), event("11111111-0000-4000-8000-000000000000"))
    assert [one.seq for one in restored.entries(str(learner_id))][-1] == entries + 1
    restored.assert_clean()
    restored.close()
    with filled.database.read() as connection:
        noted = upkeep.last(connection, "backup")
    assert noted is not None
    assert (noted["began_at"], noted["done"]) == (NOW, made.totals.rows)


def test_a_file_can_be_read_by_its_owner_alone_and_another_is_not_replaced(filled: World, tmp_path: Path) -> None:
    path = saved(filled, tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    with pytest.raises(BackupRefused, match="--replace"):
        backup(filled.database, path, now=lambda: NOW + 1)
    assert path.read_bytes() == before
    backup(filled.database, path, now=lambda: NOW + 1, replace=True)
    assert check(path).header.taken_at == NOW + 1
    assert [one.name for one in tmp_path.glob("saved*")] == ["saved.hw"]


@pytest.mark.parametrize("held", [b"SQLite format 3\0", b"somebody's own", gzip.compress(b"{}\n", mtime=0)])
def test_nothing_but_a_backup_is_replaced(filled: World, tmp_path: Path, held: bytes) -> None:
    path, pipe = tmp_path / "other.db", tmp_path / "pipe"
    path.write_bytes(held)
    os.mkfifo(pipe)
    for refused in (path, pipe):
        with pytest.raises(BackupRefused, match="is no backup"):
            backup(filled.database, refused, now=lambda: NOW, replace=True)
    assert ([*tmp_path.glob("other.db*")], path.read_bytes(), pipe.is_fifo()) == ([path], held, True)
    path.write_bytes(b"")
    backup(filled.database, path, now=lambda: NOW, replace=True)
    path.write_bytes(path.read_bytes()[:-9])  # damaged is a backup still
    backup(filled.database, path, now=lambda: NOW, replace=True)
    assert check(path).header.taken_at == NOW


def test_no_damaged_or_foreign_file_is_taken_and_nothing_of_it_is_written(
    file: Path, empty: Database, tmp_path: Path
) -> None:
    whole_file, chance = file.read_bytes(), random.Random(7)
    path = tmp_path / "damaged.hw"
    sizes = [0, 1, 9, 10, 11, len(whole_file) - 1, *(chance.randrange(len(whole_file)) for _ in range(20))]
    damaged = [whole_file[:size] for size in sizes]
    for _ in range(60):
        place = chance.randrange(len(whole_file))
        damaged.append(
            whole_file[:place] + bytes([whole_file[place] ^ (1 << chance.randrange(8))]) + whole_file[place + 1 :]
        )
    lines = gzip.decompress(whole_file).splitlines(keepends=True)
    for left_out in (1, len(lines) // 2, len(lines) - 2, len(lines) - 1):
        damaged += [zipped(lines[:left_out] + lines[left_out + 1 :])]
    row = next(n for n, line in enumerate(lines) if line.startswith(b"[") and b'"attempted"' in line)
    damaged += [zipped([*lines[:row], lines[row].replace(b"attempted", b"completed"), *lines[row + 1 :]])]
    damaged += [b"SQLite format 3\0", b"{}\n", zipped([b"hello\n"]), whole_file + b"more", whole_file + whole_file]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(BackupUnusable, match=r"no backup that|cut short or damaged"):
            restore(empty, path)
    assert is_empty(empty)


def zipped(lines: Any) -> bytes:
    return gzip.compress(b"".join(lines), mtime=0)[:8] + b"\0\xff" + gzip.compress(b"".join(lines), mtime=0)[10:]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (b'"revision":"9999"', "install the newer Headway"),
        (b'"revision":"0000"', "never was"),
        (b'"headway_backup":%d' % (FORMAT + 1), "later format"),
    ],
)
def test_what_this_headway_does_not_know_is_refused(
    file: Path, empty: Database, tmp_path: Path, changed: bytes, told: str
) -> None:
    lines = gzip.decompress(file.read_bytes())
    key = changed.partition(b":")[0] + b":"
    start = lines.index(key)
    stop = min(lines.index(b, start) for b in (b",", b"}"))
    path = tmp_path / "unknown.hw"
    path.write_bytes(zipped([lines[:start] + changed + lines[stop:]]))
    with pytest.raises(BackupUnusable, match=told):
        restore(empty, path)
    assert is_empty(empty)


def test_a_database_that_holds_anything_takes_no_restore(file: Path, empty: Database) -> None:
    migrate(empty)
    before = rows_of(empty)
    with pytest.raises(RestoreRefused, match="empty database"):
        restore(empty, file)
    assert rows_of(empty) == before


def test_a_backup_of_an_older_headway_is_brought_up_to_date(
    new_sqlite_url: str, empty: Database, tmp_path: Path
) -> None:
    row = ["0b5d7e9a-1c2d-4e3f-8a4b-5c6d7e8f9a0b", "account", "UTC", 1]
    old = Database(f"{new_sqlite_url}-old")
    old.make_file()
    with old.transaction() as connection:
        upgrade(connection, "0008")
        tables = {
            name: [c["name"] for c in sa.inspect(connection).get_columns(name)] for name in whole._names(connection)
        }
    old.close()
    path = tmp_path / "old.hw"
    with path.open("wb") as file:
        writing = Writing(file, Header(NOW, "0008", "0.0", "sqlite"))
        for name, columns in tables.items():
            said = dict(zip(["id", "kind", "time_zone", "created_at"], row, strict=True)) | {
                "roles": "",
                "epoch": 0,
            }
            writing.table(name, columns, [[said.get(column) for column in columns]] if name == "learner" else [])
        writing.close()
    restore(empty, path)
    with empty.read() as connection:
        assert current(connection) == newest()
        assert connection.execute(sa.text("SELECT kind FROM learner")).scalar_one() == "account"


def test_a_file_with_tables_that_its_revision_does_not_have_is_refused(empty: Database, tmp_path: Path) -> None:
    path = tmp_path / "odd.hw"
    with path.open("wb") as file:
        writing = Writing(file, Header(NOW, newest(), "0.0", "sqlite"))
        writing.table("alembic_version", ["version_num"], [["0001"]])
        writing.close()
    with pytest.raises(BackupUnusable, match="other tables"):
        restore(empty, path)
    assert is_empty(empty)


def killed_in_the_middle(*arguments: str) -> None:
    """Run a verb in a process of its own, and kill -9 it where it says that it is in the middle."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"in the middle\n"
        child.send_signal(signal.SIGKILL)


def test_a_backup_that_is_killed_leaves_nothing_under_its_name(filled: World, tmp_path: Path) -> None:
    path = tmp_path / "saved.hw"
    for stop_at in ("1", "15", "60"):
        killed_in_the_middle("backup", filled.url, str(path), stop_at)
        assert not path.exists()
    # What it left takes no room for good: the next one takes it over.
    assert check(saved(filled, tmp_path)).totals.rows
    assert [one.name for one in tmp_path.glob("saved*")] == ["saved.hw"]


def test_a_restore_that_is_killed_leaves_an_empty_database(file: Path, empty: Database) -> None:
    total = sum(count // 5 for count in check(file).totals.tables.values())
    url = empty.url.render_as_string(hide_password=False)
    # While it is checked, while the first rows are written, and when nearly all of them are.
    for stop_at in (total // 2, total + 2, total + total // 2):
        killed_in_the_middle("restore", url, str(file), str(stop_at))
        assert is_empty(empty)
    restore(empty, file)
    assert audit(empty, Catalog()).clean
