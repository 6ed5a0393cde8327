"""Back up all that a database holds at one moment into one file, while a server is at work."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, NamedTuple
from uuid import uuid4

import msgspec

from headway import __version__
from headway.domain.errors import HeadwayError
from headway.ledger.backup_file import Header, Totals, Writing, is_one
from headway.ledger.commit import committed
from headway.ledger.resting import Progress, counted
from headway.store import upkeep, whole
from headway.store.condition import takes_writes
from headway.store.database import Database
from headway.store.folders import sync
from headway.store.migrate import current, newest

KIND: Final = "backup"
UNFINISHED: Final = ".part"


class BackupRefused(HeadwayError):
    """A backup cannot be written there."""

    code = "file-there"


class Backup(NamedTuple):
    """A backup that was written: when it was taken (microseconds), what it holds, its size.

    And whether its database knows of it: one that takes no writes cannot.
    """

    taken_at: int
    totals: Totals
    size: int
    is_noted: bool


def backup(
    database: Database,
    path: Path,
    *,
    now: Callable[[], int],
    replace: bool = False,
    progress: Progress = lambda _: None,
) -> Backup:
    """Write a backup, whole or not at all: an unfinished file never stands under its name.

    `replace` replaces only an older backup, because a mistyped name may be that of the database itself.
    """
    if path.exists() and not replace:
        raise BackupRefused(f"{path} is there already; name another, or replace it with --replace")
    if path.exists() and not is_one(path):
        raise BackupRefused(f"{path} is no backup, and --replace replaces nothing else: name another file")
    with _unfinished(path) as file:
        began, totals = _write(database, file, now, progress)
        file.flush()
        os.fsync(file.fileno())
        size = os.fstat(file.fileno()).st_size
        path.with_name(path.name + UNFINISHED).replace(path)
    sync(path.parent)
    with database.read() as connection:
        made = Backup(began, totals, size, takes_writes(connection))
    if made.is_noted:
        _note(database, made, now())
    return made


def _write(database: Database, file: IO[bytes], now: Callable[[], int], progress: Progress) -> tuple[int, Totals]:
    # Taken before the snapshot, which begins with the first read: nothing committed by this moment is left out.
    taken_at = now()
    with database.read() as connection:
        if (revision := current(connection)) != newest():
            raise BackupRefused(f"the tables are at revision {revision}, this Headway knows {newest()}: migrate first")
        writing = Writing(file, Header(taken_at, newest(), __version__, database.dialect))
        for table in whole.tables():
            writing.table(str(table.name), table.c.keys(), counted(whole.rows_of(connection, table), progress))
    return taken_at, writing.close()


@contextmanager
def _unfinished(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file, which is deleted unless it was renamed; take over what a killed backup left."""
    name = path.with_name(path.name + UNFINISHED)
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRefused(f"another backup is being written to {name}; wait for it, or name another") from None
        os.fchmod(descriptor, 0o600)
        os.ftruncate(descriptor, 0)
        try:
            yield file
        except BaseException:
            with suppress(FileNotFoundError):
                name.unlink()
            raise


def _note(database: Database, made: Backup, now: int) -> None:
    report = msgspec.json.encode({"rows": made.totals.rows, "size": made.size, "sha256": made.totals.sha256})
    rows = made.totals.rows
    run = {"id": str(uuid4()), "began_at": made.taken_at, "ended_at": now, "outcome": "done"}
    run |= {"done": rows, "total": rows, "report": report.decode()}
    committed(database, lambda connection: upkeep.add_done(connection, KIND, run))
