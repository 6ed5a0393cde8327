"""`headway backup` and `headway restore`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headway.cli.auditors import audited
from headway.cli.opening import DatabaseOption, NotReady, connected, database_of
from headway.cli.screen import JsonOption, counted, now, progress_bar, say, show, show_json

if TYPE_CHECKING:
    from headway.ledger.restore import Checked
    from headway.store.database import Database

_MIB = 1024**2


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.", show_default=False)],
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file that is there.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write all that the database holds into one file, as of one moment, while a server is at work."""
    from headway.domain.times import format_time
    from headway.ledger.backup import backup as run

    _check_folder(file)
    with database_of(database) as opened, progress_bar("Writing rows", None) as bar:
        made = run(opened, file, now=now, replace=replace, progress=bar.advance)
        shown = opened.shown
    if as_json:
        told = {"file": str(file), "taken_at": format_time(made.taken_at), "rows": made.totals.rows}
        show_json(told | {"size": made.size, "sha256": made.totals.sha256, "tables": made.totals.tables})
    else:
        entries = made.totals.tables["ledger"]
        learners = made.totals.tables["learner"]
        size = f"{made.size / _MIB:,.1f} MiB"
        show(f"Wrote {counted(learners, 'learner')} with {counted(entries, 'entry', 'entries')} to {file} ({size}).")
        say("It holds addresses and the hashes of passwords, and can be read by its owner alone: keep it so.")
    if not made.is_noted:
        say(f"{shown} takes no writes, so that when it was taken is not noted there: `headway doctor` knows of none.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `headway backup` wrote.", show_default=False)],
    check: Annotated[bool, typer.Option("--check", help="Only see whether the file is whole.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a backup into an empty database, SQLite or PostgreSQL, and audit it. Exits with 1 if that finds anything."""
    if not file.is_file():
        raise NotReady(f"there is no backup {file}")
    if check:
        _check(file, as_json=as_json)
        return
    with connected(database, make=True) as opened:
        checked = _restored(opened, file)
        shown = opened.shown
        # Said first: whatever the audit finds, the restore is done.
        (say if as_json else show)(f"Restored {_told(checked)} to {shown}.")
        report = audited(database, opened, checked.totals.tables["learner"])
    if as_json:
        told = {"learners": report.learners, "events": report.events, "found": report.found}
        show_json(_json(file, checked) | {"database": shown, "audit": told})
    else:
        if report.clean:
            show("Audited: all figures follow from the ledger.")
        else:
            show(f"The audit found {counted(report.found, 'difference')}: `headway audit` shows them.")
        say("Who was erased since it was taken is there again: `headway erasures apply FILE` before anybody is let in.")
    if not report.clean:
        raise typer.Exit(1)


def _restored(opened: "Database", file: Path) -> "Checked":
    from headway.ledger.restore import restore as run

    with progress_bar("Reading rows, to check and then to write", None) as bar:
        return run(opened, file, bar.advance)


def _check(file: Path, *, as_json: bool) -> None:
    from headway.ledger.restore import check as run

    with progress_bar("Reading rows", None) as bar:
        checked = run(file, bar.advance)
    if as_json:
        show_json(_json(file, checked))
    else:
        show(f"{file} is whole: {_told(checked)}.")


def _json(file: Path, checked: "Checked") -> dict[str, Any]:
    from headway.domain.times import format_time

    header = checked.header._asdict() | {"taken_at": format_time(checked.header.taken_at)}
    return {"file": str(file), **header, "rows": checked.totals.rows, "tables": checked.totals.tables}


def _told(checked: "Checked") -> str:
    from headway.domain.times import format_time

    tables = checked.totals.tables
    held = f"{counted(tables['learner'], 'learner')} with {counted(tables['ledger'], 'entry', 'entries')}"
    return f"{held}, as of {format_time(checked.header.taken_at)} ({checked.header.database})"


def _check_folder(file: Path) -> None:
    if not file.parent.is_dir():
        raise NotReady(f"there is no folder {file.parent} for the backup; make it, or name another")
    if file.is_dir():
        raise NotReady(f"{file} is a folder; name a file in it")
