"""`headway archive`: move what was sent long ago out of the database, into files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.opening import DatabaseOption, database_of
from headway.cli.screen import JsonOption, Misused, counted, now, progress_bar, say, show, show_json

if TYPE_CHECKING:
    from headway.ledger.archive import Archived
    from headway.store.database import Database

_MIB = 1024**2


def archive(
    before: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="What came in before this day (UTC), as 2025-01-31.", show_default=False),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read all files, and see whether they are whole; remove what is in no use.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be moved.")] = False,
    shrink: Annotated[
        bool, typer.Option("--shrink", help="Then write a SQLite file anew, smaller; recording waits meanwhile.")
    ] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move what learners sent long ago into compressed files, which whatever reads the ledger reads as before."""
    if check is (before is not None):
        raise Misused("name a day with --before, or look at the files with --check; see `headway archive --help`")
    if check and (dry_run or shrink):
        raise Misused(
            f"{'--dry-run' if dry_run else '--shrink'} goes with --before, and not with --check: leave it out"
        )
    if dry_run and shrink:
        raise Misused("--dry-run changes nothing, --shrink does: leave one of them out")
    with database_of(database) as opened:
        if check:
            _check(opened, as_json=as_json)
            return
        moved = _run(opened, _time_of(before or ""), dry_run=dry_run)
        _tell(opened, moved, dry_run=dry_run, as_json=as_json)
        if shrink and not dry_run:
            _shrink(opened)


def _time_of(day: str) -> int:
    from headway.domain.errors import Invalid
    from headway.domain.times import parse_day, parse_time

    try:
        before = parse_time(f"{parse_day(day, field='before')}T00:00:00Z")[0]
    except Invalid as error:
        raise Misused(f"--before: {error.detail}") from None
    if before > now():
        raise Misused("--before lies in the future: what is archived came in before that day")
    return before


def _run(opened: "Database", before: int, *, dry_run: bool) -> "Archived":
    from headway.ledger.archive import archive as run
    from headway.ledger.archive import survey

    found = survey(opened, before=before)
    if dry_run:
        return found
    with progress_bar("Moving events", found.entries) as bar:
        return run(opened, before=before, now=now, progress=bar.advance)


def _tell(opened: "Database", moved: "Archived", *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        told = {"dry_run": dry_run, "events": moved.entries, "characters": moved.characters}
        show_json(told if dry_run else told | {"files": moved.files, "size": moved.size, "folder": _folder(opened)})
        return
    events = counted(moved.entries, "event")
    if dry_run:
        show(f"Would move {events} with {moved.characters / _MIB:,.1f} MiB of what was sent. Nothing was moved.")
    elif not moved.entries:
        show("There is nothing more to move.")
    else:
        files = f"{counted(moved.files, 'file')} ({moved.size / _MIB:,.1f} MiB) in {_folder(opened)}"
        show(f"Moved {events} with {moved.characters / _MIB:,.1f} MiB of what was sent into {files}.")
        say("The ledger cannot do without the files: keep a copy of the folder, or take backups, which hold all of it.")


def _folder(opened: "Database") -> str:
    return str(opened.archive.folder)


def _shrink(opened: "Database") -> None:
    from headway.ledger.archive import shrink

    if opened.path is None:
        say("PostgreSQL uses the space again by itself; VACUUM FULL ledger gives it back to the disk.")
    elif not shrink(opened):
        say("Somebody reads from an older state of the file, which cannot shrink: a server does it within the hour.")


def _check(opened: "Database", *, as_json: bool) -> None:
    from headway.ledger.archive import check, look_through, settle

    look_through(opened)
    settle(opened)
    checked = list(check(opened))
    faults = [one for one in checked if one.fault is not None]
    if as_json:
        files = [{"file": Path(one.path).name, "fault": one.fault, **_json(one.portion._asdict())} for one in checked]
        show_json({"files": files, "events": sum(one.portion.entries for one in checked), "faults": len(faults)})
    else:
        for one in faults:
            show(f"{one.path} {one.fault}")
        events = counted(sum(one.portion.entries for one in checked), "event")
        show(f"{counted(len(checked), 'file')} with {events}, {len(faults) or 'none'} of them missing or damaged.")
        if faults:
            say("Put them back from a copy of the folder, or restore a backup: the ledger needs what they hold.")
    if faults:
        raise typer.Exit(1)


def _json(portion: dict[str, object]) -> dict[str, object]:
    from headway.domain.times import format_time

    names = ("entries", "size", "sha256", "first_learner", "first_seq", "last_learner", "last_seq")
    return {name: portion[name] for name in names} | {"archived_at": format_time(int(str(portion["archived_at"])))}
