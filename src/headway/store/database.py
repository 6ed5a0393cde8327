"""Connections and transactions; with `rows.py` the one place that knows the dialects."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from headway.domain.errors import HeadwayError
from headway.store.address import CONNECTING, checked, impatient
from headway.store.archive_files import Archive
from headway.store.failover import follow
from headway.store.file_lock import FileLock

_WAL_PAGES = 4000
_BUSY_MS = 30_000
# Short, because nobody can write while an attempt to empty the log waits for readers.
_SCRUB_PATIENCE_MS = 200
_EMPTY_TRIES = 2
_SCRUB_TRIES = 25
_ALONE_PAUSE_S = 0.05
# Advisory locks share their numbers with every program on the database; these are unlikely to be another's.
_ALONE = {"publish": 5230183001, "archive": 5230183002}
_DATA_FAULTS = ("22", "23")
_AGAIN = "40"
_IN_TRANSACTION = 2  # libpq's PQTRANS_INTRANS


class CommitFailed(HeadwayError):
    """The database rolled back what it was asked to commit."""

    code = "unavailable"


class Database:
    """A database and the rules for talking to it. Errors of the driver pass through as SQLAlchemy's."""

    def __init__(self, url: str, archive_folder: str | None = None) -> None:
        self.url = checked(url)
        self.dialect = "sqlite" if self.url.get_backend_name() == "sqlite" else "postgresql"
        self.path = Path(self.url.database or "") if self.dialect == "sqlite" else None
        # Unless a folder is named, the archive of a SQLite file lies beside it.
        beside = _beside(self.path, "-archive") if self.path else None
        self.archive = Archive(Path(archive_folder) if archive_folder else beside)
        self._write_lock = FileLock(_beside(self.path, "-lock")) if self.path else None
        self.writers = self._engine(reading=False)
        self.readers = self._engine(reading=True)
        for engine in (self.writers, self.readers):
            engine.update_execution_options(archive=self.archive)  # where `store/archive.py` looks for it
        if self.path is None:
            follow(self.writers, self.readers)
        self._is_prepared = self.path is None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction that writes; when left, it is known to be committed, or an error is raised.

        Never catch a database error inside: in PostgreSQL, COMMIT after a failed statement rolls back.
        """
        with self._locked():
            yield from self._within(self.writers, "BEGIN IMMEDIATE" if self.path else "BEGIN")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot to read from; keep it short, for an open reader lets a SQLite log grow."""
        if not self._is_prepared:
            with self._locked():
                pass
        yield from self._within(
            self.readers, "BEGIN" if self.path else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the file lock, if there is one. Under it a new file is switched to WAL: two at once would both fail."""
        with self._write_lock.held() if self._write_lock else nullcontext():
            if not self._is_prepared:
                self.writers.connect().close()
                self._is_prepared = True
            yield

    @contextmanager
    def alone(self, *, wait: bool, what: str = "publish") -> Iterator[bool]:
        """Be the only one inside among all processes; yields False where another is inside and `wait` is False.

        The lock is released when the process ends. Publishing and moving the archive's files (`archive`) exclude only
        their own kind.
        """
        with self._file_alone(wait, what) if self.path else self._session_alone(wait, what) as inside:
            yield inside

    @contextmanager
    def _file_alone(self, wait: bool, what: str) -> Iterator[bool]:
        lock = FileLock(_beside(self.path or Path(), f"-{what}-lock"))
        if wait:
            with lock.held():
                yield True
            return
        descriptor = lock.take()
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                os.close(descriptor)

    @contextmanager
    def _session_alone(self, wait: bool, what: str) -> Iterator[bool]:
        """By an advisory lock of the session, polled, because a wait for it would end with the lock_timeout."""
        connection = self.writers.connect()
        try:
            asked = f"SELECT pg_try_advisory_lock({_ALONE[what]})"
            while not (inside := connection.exec_driver_sql(asked).scalar_one()) and wait:
                time.sleep(_ALONE_PAUSE_S)
            yield bool(inside)
        finally:
            with suppress(DBAPIError):
                connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_ALONE[what]})")
            # Closed and not returned to the pool, so that the lock ends with the session in any case.
            connection.invalidate()
            connection.close()

    def server_lock(self) -> FileLock | None:
        """The lock that one server at a time holds on a SQLite file; None where several may serve."""
        return FileLock(_beside(self.path, "-server-lock")) if self.path else None

    @property
    def shown(self) -> str:
        """The address for logs, without its password; of its query only host and port, as it may hold one too."""
        query = {name: value for name, value in self.url.query.items() if name in ("host", "port")}
        shown = self.url.set(drivername=self.url.get_backend_name(), query=query)
        return shown.render_as_string(hide_password=True)

    def make_file(self) -> None:
        """Create a SQLite database's file where there is none, for its owner alone, because it will hold addresses.

        An existing file is not opened: when a process closes a file, all of its locks on it end, SQLite's included, and
        another process closing the database would then delete the log that this one still uses.
        """
        if self.path is not None:
            with suppress(FileExistsError):
                os.close(os.open(self.path.resolve(), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    def empty_log(self) -> bool:
        """Empty a SQLite file's log, so that nothing deleted remains in it; return whether that was possible.

        It is not while a reader still uses an older snapshot; call again later.
        """
        return self.path is None or self._without_readers(_is_log_emptied, _EMPTY_TRIES)

    def scrub(self) -> bool:
        """Rewrite a SQLite file that was marked for it, so that nothing deleted remains; return whether nothing does.

        Pages that SQLite has split keep, in unused space, copies that no DELETE reaches. Recording waits while the file
        is rewritten: a second for some hundred megabytes.
        """
        return self.path is None or self._without_readers(_is_rewritten, _SCRUB_TRIES)

    def _without_readers(self, tried: Callable[[Connection], bool], times: int) -> bool:
        for _ in range(times):
            with self._locked(), self.writers.connect() as connection:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_SCRUB_PATIENCE_MS}")
                try:
                    if tried(connection):
                        return True
                finally:
                    connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_MS}")
            time.sleep(_SCRUB_PATIENCE_MS / 1000)
        return False

    def close(self) -> None:
        """Close all connections."""
        self.writers.dispose()
        self.readers.dispose()

    def _engine(self, *, reading: bool) -> Engine:
        # AUTOCOMMIT: this class itself executes BEGIN and COMMIT, so that it sees the answer to COMMIT.
        if self.path is None:
            return _postgresql_engine(self.url, _READING if reading else _WRITING)
        # busy_timeout is for recovery after a crash alone; writers wait for the file lock instead of polling.
        options: dict[str, Any] = {
            "isolation_level": "AUTOCOMMIT",
            "pool_size": 8,
            "max_overflow": 32,
        }
        engine = sa.create_engine(
            self.url,
            connect_args={"check_same_thread": False, "timeout": _BUSY_MS / 1000},
            hide_parameters=True,  # errors reach the log, and what was sent with them holds hashes and addresses
            **options,
        )
        event.listen(engine, "connect", _sqlite_connected(reading=reading))
        return engine

    def _within(self, engine: Engine, begin: str) -> Iterator[Connection]:
        with _begun(engine, begin) as connection:
            try:
                yield connection
            except BaseException:
                self._roll_back(connection)
                raise
            self._commit(connection)

    def _commit(self, connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        # PostgreSQL answers COMMIT with ROLLBACK, and no error, where a statement before it had failed.
        if self.path is None and driver.info.transaction_status != _IN_TRANSACTION:
            self._roll_back(connection)
            raise CommitFailed("a statement of this transaction had failed; nothing of it was kept")
        connection.exec_driver_sql("COMMIT")

    def _roll_back(self, connection: Connection) -> None:
        if connection.invalidated:
            return  # lost: to say ROLLBACK would hide that, and nobody would try again
        try:
            connection.exec_driver_sql("ROLLBACK")
        except DBAPIError:
            # The connection is lost or already outside the transaction; the error underway says more than this one.
            connection.invalidate()


def mark_for_scrubbing(connection: Connection) -> None:
    """Note, in the transaction that deletes for good, that a SQLite file is to be scrubbed."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA user_version=1")


def _is_log_emptied(connection: Connection) -> bool:
    is_busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not is_busy


def _is_rewritten(connection: Connection) -> bool:
    is_marked = connection.exec_driver_sql("PRAGMA user_version").scalar()
    if not _is_log_emptied(connection):
        return False
    if not is_marked:
        return True
    connection.exec_driver_sql("PRAGMA temp_store=FILE")  # the new file is made there, and may be large
    try:
        connection.exec_driver_sql("VACUUM")
    finally:
        connection.exec_driver_sql("PRAGMA temp_store=MEMORY")
    if not _is_log_emptied(connection):
        return False
    connection.exec_driver_sql("PRAGMA user_version=0")
    _is_log_emptied(connection)
    return True


def _begun(engine: Engine, begin: str) -> Connection:
    """A connection in a transaction. One that the pool kept over a restart of the database is replaced."""
    try:
        return _try_to_begin(engine, begin)
    except DBAPIError as error:
        if not is_lost(error):
            raise
        return _try_to_begin(engine, begin)


def _try_to_begin(engine: Engine, begin: str) -> Connection:
    connection = engine.connect()
    try:
        connection.exec_driver_sql(begin)
    except BaseException:
        connection.close()
        raise
    return connection


def is_lost(error: DBAPIError) -> bool:
    """Whether the connection is gone, or was closed because its server no longer takes writes."""
    return error.connection_invalidated


def is_outage(error: SQLAlchemyError) -> bool:
    """Whether the database is out of reach now, perhaps only for a moment."""
    if isinstance(error, PoolTimeout | OperationalError | InterfaceError):
        return True
    return isinstance(error, DBAPIError) and is_lost(error)


def is_fault_of_data(error: DBAPIError) -> bool:
    """Whether the rows themselves are at fault (SQLSTATE 22, 23), so that trying again cannot help."""
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state)[:2] in _DATA_FAULTS
    name = getattr(error.orig, "sqlite_errorname", "") or ""
    return name.startswith(("SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG"))


def is_reference_gone(error: DBAPIError) -> bool:
    """Whether a row refers to another that does not exist (any more)."""
    state = getattr(error.orig, "sqlstate", None)
    return state == "23503" or getattr(error.orig, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_FOREIGNKEY"


def told(error: Exception) -> str:
    """An error for the log; PostgreSQL's as SQLSTATE and primary message alone, because the rest quotes rows."""
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    return f"{state}: {cause.diag.message_primary}" if state else repr(cause)[:500]


def is_worth_repeating(error: DBAPIError) -> bool:
    """Whether the database itself asks to try again: serialization failures and deadlocks (SQLSTATE 40)."""
    return str(getattr(error.orig, "sqlstate", None) or "")[:2] == _AGAIN


def _beside(path: Path, suffix: str) -> Path:
    """A path beside the real file, as SQLite's own log is, so that all who come by symbolic links use the same lock."""
    path = path.resolve()
    return path.with_name(path.name + suffix)


def _sqlite_connected(*, reading: bool) -> Any:
    pragmas = [
        "query_only=ON" if reading else "journal_mode=WAL",
        "synchronous=FULL",  # NORMAL loses acknowledged commits at a power cut
        "foreign_keys=ON",
        "recursive_triggers=ON",  # else INSERT OR REPLACE passes the ledger's triggers by
        "secure_delete=ON",
        # Checkpoints happen within COMMIT, under the file lock: before 3.51.3 one that overlaps another connection's
        # commit can corrupt the file. Readers never commit, so never checkpoint.
        f"wal_autocheckpoint={_WAL_PAGES}",
        "cache_size=-32000",
        "temp_store=MEMORY",
    ]

    def connected(driver: Any, _record: Any) -> None:
        for pragma in pragmas:
            driver.execute(f"PRAGMA {pragma}").close()

    return connected


# Writers look up many keys at a time, in statements planned once. Before the first ANALYZE, and long after a table has
# grown, the planner thinks it small and would join all of it to every batch.
_WRITING = (
    "SET plan_cache_mode = force_generic_plan",
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
)
_READING = ("SET plan_cache_mode = force_custom_plan",)


def _postgresql_engine(url: URL, planning: Sequence[str]) -> Engine:
    engine = sa.create_engine(
        impatient(url),
        isolation_level="AUTOCOMMIT",
        pool_size=8,
        max_overflow=24,
        pool_pre_ping=False,
        hide_parameters=True,  # as for SQLite
        connect_args=dict(CONNECTING),
    )
    event.listen(engine, "connect", _postgresql_connected(planning))
    return engine


def _postgresql_connected(planning: Sequence[str]) -> Any:
    settings = (
        "SET synchronous_commit = on",
        "SET default_transaction_isolation = 'read committed'",
        "SET TimeZone = 'UTC'",
        "SET lock_timeout = '10s'",
        "SET idle_in_transaction_session_timeout = '60s'",
        *planning,
    )

    def connected(driver: Any, _record: Any) -> None:
        from psycopg.types.string import TextLoader  # noqa: PLC0415  # only where PostgreSQL is used

        # Ids are text everywhere else.
        driver.adapters.register_loader("uuid", TextLoader)
        for setting in settings:
            driver.execute(setting)

    return connected
