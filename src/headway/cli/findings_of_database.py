"""What `doctor` finds in the database."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError

from headway.cli.failures import explain
from headway.cli.findings import Finding, State, judged
from headway.cli.findings_of_archive import of_archive
from headway.cli.findings_of_running import files_of, of_cache, of_files, of_history, of_ledger
from headway.cli.screen import now
from headway.store.condition import SQLITE_SAFE, postgresql_condition, sqlite_condition
from headway.store.database import Database
from headway.store.migrate import current, newest

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from headway.settings import Settings

_FREE_BYTES_MIN, _FREE_BYTES_FEW = 256 * 1024**2, 2 * 1024**3
_CLOCKS_APART_MAX: Final = 5_000_000
_CONNECTIONS_A_WORKER: Final = 64
_SYNCHRONOUS_FULL: Final = 2
_GIB: Final = 1024**3
_UTF8: Final = (
    "It does not hold all letters: `headway restore` a backup into one made by CREATE DATABASE … ENCODING 'UTF8'"
    " LOCALE 'C.UTF-8' TEMPLATE template0."
)
_DURABLE: Final = "A power cut would lose what was acknowledged: set it to on in postgresql.conf."


def of_database(settings: "Settings") -> Iterator[Finding]:
    """Whether the database can be reached, keeps what it is given, and has the current tables."""
    with closing(Database(settings.database_url, settings.archive_folder)) as database:
        yield Finding("database", State.FINE, database.shown)
        if database.path is not None:
            yield _of_workers(settings.workers)
            yield from _of_folder(database.path)
            rights = _of_rights(database.path)
            yield rights
            if rights.state is State.WRONG:
                return
            if not database.path.exists():
                yield Finding("tables", State.NOTE, "no database yet", "`headway migrate` or `headway serve` makes it.")
                return
            yield from of_files(database.path)
        try:
            with database.read() as connection:
                yield from _of_sqlite(connection) if database.path else _of_postgresql(connection, settings.workers)
                revision = current(connection)
                yield _of_tables(revision)
                if revision == newest():
                    yield of_ledger(connection)
                    yield from of_history(connection)
                    yield from of_cache(database, settings)
            if revision == newest():
                yield from of_archive(database)
        except DBAPIError as error:
            yield Finding("connection", State.WRONG, "none", explain(error) or str(error))
        yield from _of_servers(database)


def _folder_of(path: Path) -> Path:
    """The folder that a file is in, or the nearest folder above it that exists."""
    return next(one for one in path.absolute().parents if os.path.exists(one))  # noqa: PTH110 - nor does that fail


def _of_workers(workers: int) -> Finding:
    advice = "No server starts so, for a SQLite file has one of one process: leave workers out, or use PostgreSQL."
    return judged("workers", workers, fine=workers == 1, advice=advice)


def _of_folder(path: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(_folder_of(path)).free
    state = State.WRONG if free < _FREE_BYTES_MIN else State.NOTE if free < _FREE_BYTES_FEW else State.FINE
    advice = "" if state is State.FINE else "Make room: with a full disk nothing more can be recorded."
    yield Finding("disk", state, f"{free / _GIB:.1f} GiB free", advice)


def _of_rights(path: Path) -> Finding:
    """Whether the user who runs this may write the file, the files beside it, and their folder."""
    path = path.resolve()
    shut = [one for one in files_of(path) if not os.access(one, os.R_OK | os.W_OK)]
    folder = _folder_of(path)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        shut.append(folder)
    told = f"none to {', '.join(map(str, shut))}" if shut else "to read and to write"
    advice = "Give the user who runs Headway the right to read and write there, or name another database."
    return judged("access", told, fine=not shut, advice=advice)


def _of_sqlite(connection: "Connection") -> Iterator[Finding]:
    found = sqlite_condition(connection)
    yield judged(
        "sqlite",
        ".".join(map(str, found.version)),
        fine=found.version >= SQLITE_SAFE,
        advice="Before 3.51.3 a checkpoint beside a commit can corrupt the file. Headway's lock prevents it:"
        " let nothing else write to the file.",
        otherwise=State.NOTE,
    )
    advice = "Nothing but Headway should open the file for writing; start the server once to set it right."
    yield judged("journal mode", found.journal_mode, fine=found.journal_mode == "wal", advice=advice)
    yield judged(
        "synchronous", found.synchronous, fine=found.synchronous >= _SYNCHRONOUS_FULL, advice="It must be FULL."
    )


def _of_postgresql(connection: "Connection", workers: int) -> Iterator[Finding]:
    found = postgresql_condition(connection)
    yield Finding("postgresql", State.FINE, found.server_version)
    yield judged(
        "writes",
        "taken" if found.takes_writes else "a standby" if found.is_standby else "refused: it is read-only",
        fine=found.takes_writes,
        advice="Nothing can be recorded: have --database lead to the server that takes writes, or let this one do so.",
    )
    yield judged("fsync", found.fsync, fine=found.fsync == "on", advice=_DURABLE)
    yield judged("full_page_writes", found.full_page_writes, fine=found.full_page_writes == "on", advice=_DURABLE)
    yield judged(
        "synchronous_commit",
        found.synchronous_commit,
        fine=found.synchronous_commit != "off",
        advice="Headway asks for `on` in its own connections; others on this server may lose what they commit.",
        otherwise=State.NOTE,
    )
    yield judged("encoding", found.server_encoding, fine=found.server_encoding == "UTF8", advice=_UTF8)
    wanted = workers * _CONNECTIONS_A_WORKER
    yield judged(
        "connections",
        f"at most {found.max_connections}",
        fine=found.max_connections >= wanted,
        advice=f"Under load {workers} workers may ask for {wanted}: raise max_connections, or take fewer.",
        otherwise=State.NOTE,
    )
    apart = abs(found.now - now())
    advice = "The clocks of this machine and of the database's differ: let both follow a time server."
    yield judged("clocks apart", f"{apart / 1e6:.1f} s", fine=apart < _CLOCKS_APART_MAX, advice=advice)


def _of_tables(revision: str | None) -> Finding:
    if revision is None:
        return Finding("tables", State.NOTE, "none", "`headway migrate` or `headway serve` makes them.")
    if revision > newest():
        return Finding("tables", State.WRONG, revision, f"This Headway knows {newest()}: install the newer Headway.")
    return judged("tables", revision, fine=revision == newest(), advice=f"`headway migrate` brings them to {newest()}.")


def _of_servers(database: Database) -> Iterator[Finding]:
    lock = database.server_lock()
    if lock is None:
        return
    free = lock.take()
    if free is not None:
        os.close(free)
    yield Finding("serving now", State.FINE, "yes" if free is None else "no")
