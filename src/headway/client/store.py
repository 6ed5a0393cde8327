"""The client's store: one SQLite file for each user, with identities, outbox and cached answers.

Several processes use it at a time. A commit has reached the disk when it returns: a rollback journal with
synchronous=FULL ensures that, and needs no shared memory, so a home folder on a network works as well.
"""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from headway.client.errors import NotSaved

FOLDER_VARIABLE: Final = "HEADWAY_STATE_FOLDER"
VERSION: Final = 1
BUSY_S: Final = 30.0
# Several times the size of a token with its owner's data.
_ROOM: Final = 16_384
_ELSEWHERE: Final = f"let this user write there, or name another folder in {FOLDER_VARIABLE}"
_NOT_WRITABLE: Final = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
_DAMAGED: Final = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
_SCHEMA: Final = (
    # `learner` is unknown until the server has said it. `token` is kept for guests and for whoever signed in on this
    # device; of a token that a program brings, only the digest is. `into_id` is the account that a guest moves into.
    """CREATE TABLE identity (
        id INTEGER PRIMARY KEY, server TEXT NOT NULL, kind TEXT NOT NULL, learner TEXT, name TEXT, token TEXT,
        digest TEXT, into_id INTEGER, moved INTEGER NOT NULL DEFAULT 0, trouble TEXT)""",
    "CREATE UNIQUE INDEX identity_learner ON identity (server, learner)",
    "CREATE INDEX identity_digest ON identity (server, digest)",
    # `state` is waiting, locked or aside; `failures` counts how often the server failed (500) on requests with the
    # item.
    """CREATE TABLE item (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, identity_id INTEGER NOT NULL,
        event TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', reason TEXT,
        failures INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX item_next ON item (state, failures, seq)",
    """CREATE TABLE place (
        server TEXT PRIMARY KEY, tries INTEGER NOT NULL, backoff_until REAL NOT NULL, asked_until REAL NOT NULL,
        said TEXT)""",
    """CREATE TABLE cached (
        identity_id INTEGER NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL, etag TEXT, at REAL NOT NULL,
        is_stale INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (identity_id, path))""",
    "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
)


class Store:
    """The store's file; every use opens it anew, so that threads and processes are treated alike."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or state_folder()
        self.path = self.folder / "outbox.db"

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that reads one snapshot."""
        with self._opened("nothing could be read") as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("ROLLBACK")

    @contextmanager
    def writing(self, what: str = "nothing was saved") -> Iterator[sqlite3.Connection]:
        """Yield one transaction, on the disk when the context ends; else NotSaved, which begins with `what`."""
        with self._opened(what) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def sending(self) -> Iterator[bool]:
        """Yield whether this is the one process or thread that sends now; the lock ends with context or process."""
        with self._opened("nothing was sent"):
            pass  # makes the folder
        held = self._lock()
        try:
            yield held is not None
        finally:
            if held is not None:
                held.close()

    def check_room(self, what: str) -> None:
        """Write 16 KiB and delete it again, which keeps room for it in the file; NotSaved if nothing can be kept."""
        with self.writing(what) as connection:
            connection.execute("INSERT OR REPLACE INTO setting VALUES ('room', ?)", ("0" * _ROOM,))
        with self.writing(what) as connection:
            connection.execute("DELETE FROM setting WHERE name = 'room'")

    @contextmanager
    def _opened(self, what: str) -> Iterator[sqlite3.Connection]:
        try:
            self._make_file()
            with closing(self._connect(self.path, timeout_s=BUSY_S)) as connection:
                _prepare(connection, self.path)
                yield connection
        except sqlite3.Error as error:
            raise _not_saved(what, self.path, error) from error
        except OSError as error:
            raise NotSaved(f"{what}: {error.filename or self.path}: {error.strerror}; {_ELSEWHERE}") from error

    def _lock(self) -> sqlite3.Connection | None:
        """Take the lock of those who send; None if another holds it."""
        path = self.folder / "sending.lock"
        try:
            connection = self._connect(path, timeout_s=0)
            try:
                connection.execute("PRAGMA journal_mode = MEMORY")  # nothing is ever kept in it
                connection.execute("BEGIN EXCLUSIVE")
                # On a file that can only be read, SQLite lets everybody in at once: only writing is refused.
                connection.execute("PRAGMA user_version = 0")
            except sqlite3.Error:
                connection.close()
                raise
        except sqlite3.Error as error:
            if _code(error) == sqlite3.SQLITE_BUSY:
                return None
            raise _not_saved("nothing was sent", path, error) from error
        return connection

    def _make_file(self) -> None:
        """Make the file, readable by its owner alone: it holds tokens and answers."""
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                # Another was faster. It must not be opened outside of SQLite: closing it would give up SQLite's locks.
                return
        else:
            if mode & 0o077 and sys.platform != "win32":
                self.path.chmod(0o600)

    def _connect(self, path: Path, *, timeout_s: float) -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None)
        connection.row_factory = sqlite3.Row
        return connection


def state_folder() -> Path:
    """The user's own folder for Headway's state; it need not be there yet. NotSaved where the user has no home."""
    named = os.environ.get(FOLDER_VARIABLE)
    try:
        if named:
            return Path(named).expanduser()
        import platformdirs  # noqa: PLC0415  # only where no folder is named

        return Path(platformdirs.user_state_dir("headway", appauthor=False))
    except RuntimeError:
        if named:
            raise NotSaved(f"{FOLDER_VARIABLE} is {named}: there is no such home folder; name a folder whole") from None
        raise NotSaved(f"this user has no home folder: name a folder in {FOLDER_VARIABLE}") from None


def _not_saved(what: str, path: Path, error: sqlite3.Error) -> NotSaved:
    code = _code(error)
    if code == sqlite3.SQLITE_FULL:
        return NotSaved(f"{what}: the disk is full ({path}); make room and try again")
    if code in _NOT_WRITABLE:
        return NotSaved(f"{what}: {path} cannot be used: {error}; {_ELSEWHERE}")
    if code in _DAMAGED:
        return NotSaved(f"{what}: {path} is damaged ({error}): move it elsewhere, and try again without it")
    return NotSaved(f"{what}: {path} cannot be used: {error}")


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, without the higher bytes; 0 where the error is the module's own."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection)  # another process may have made the tables meanwhile
    if version > VERSION:
        raise NotSaved(f"{path} is of a newer Headway: use that one, or set {FOLDER_VARIABLE} to another folder")
    if version == 0:
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
