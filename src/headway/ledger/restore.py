"""Restore a backup into an empty database, in one transaction."""

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from headway.domain.errors import HeadwayError
from headway.ledger.backup_file import BackupUnusable, Header, Reading, Totals
from headway.ledger.resting import Progress, counted
from headway.store import whole
from headway.store.database import Database
from headway.store.migrate import newest, revisions, upgrade
from headway.store.whole import TablesDiffer


class RestoreRefused(HeadwayError):
    """A backup cannot be restored into this database."""

    code = "not-empty"


class Checked(NamedTuple):
    """The content of a backup that was read completely."""

    header: Header
    totals: Totals
    columns: dict[str, list[str]]


def check(path: Path, progress: Progress = lambda _: None) -> Checked:
    """Read a whole backup and compare its checksums; BackupUnusable where anything is wrong with it."""
    columns: dict[str, list[str]] = {}
    with closing(Reading(path)) as reading:
        _check_revision(path, reading.header)
        for table in reading.tables():
            columns[table.name] = table.columns
            for _ in counted(table.rows, progress):
                pass
        return Checked(reading.header, reading.totals, columns)


def restore(database: Database, path: Path, progress: Progress = lambda _: None) -> Checked:
    """Restore a backup into an empty database, all of it or nothing, and migrate that to the newest revision.

    The file is read twice: nothing is written before all of it was found to be whole. Raise RestoreRefused if the
    database is not empty, and BackupUnusable if the file cannot be restored.
    """
    with closing(Reading(path)):  # a file that is no backup must not create a database
        database.make_file()
    with database.read() as connection:
        _check_empty(database, holds=whole.holds_tables(connection))
    checked = check(path, progress)
    with database.transaction() as connection:
        _check_empty(database, holds=whole.holds_tables(connection))
        upgrade(connection, checked.header.revision)
        whole.clear_seeds(connection)
        try:
            whole.check_names(connection, checked.columns)
        except TablesDiffer as error:
            raise BackupUnusable(f"{path} cannot be restored: {error.detail}") from None
        whole.refer_later(connection)
        with closing(Reading(path)) as reading:
            for table in reading.tables():
                whole.load(connection, table.name, table.columns, counted(table.rows, progress))
            if reading.totals != checked.totals:
                raise BackupUnusable(f"{path} was changed while it was read; nothing was restored")
        whole.set_sequences(connection)
        upgrade(connection, newest())
    with database.transaction() as connection:
        whole.analyze(connection)
    return checked


def _check_empty(database: Database, *, holds: bool) -> None:
    if holds:
        raise RestoreRefused(
            f"{database.shown} holds something, and a restore goes into an empty database alone: name a new one with"
            " --database, and have the server use that afterwards"
        )


def _check_revision(path: Path, header: Header) -> None:
    if header.revision > newest():
        raise BackupUnusable(
            f"{path} is of a database at revision {header.revision}, this Headway knows {newest()}:"
            " install the newer Headway"
        )
    if header.revision not in revisions():
        raise BackupUnusable(f"{path} is of a revision that there never was: {header.revision}")
