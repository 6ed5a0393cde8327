"""`headway audit` and `headway rebuild`: prove the figures, and mend them."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headway.cli.auditors import audited
from headway.cli.naming import LearnerOption, learner_id_of
from headway.cli.opening import DatabaseOption, database_of
from headway.cli.screen import JsonOption, agreeing, counted, harmless, now, progress_bar, say, show, show_json

if TYPE_CHECKING:
    from headway.ledger.audit import AuditReport
    from headway.ledger.faults import Fault
    from headway.ledger.recompute import Recomputed, Updated
    from headway.store.database import Database

_ROWS_MAX = 20
_VALUE_MAX = 40


def audit(learner: LearnerOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Work every figure out again from the ledger and compare. Exits with 1 where something differs."""
    with database_of(database) as opened:
        learner_id = None if learner is None else learner_id_of(opened, learner)
        report = audited(database, opened, _count(opened, learner_id), learner_id)
    if as_json:
        show_json(_audit_json(report))
    else:
        _tell_audit(report)
    if not report.clean:
        raise typer.Exit(1)


def rebuild(
    learner: LearnerOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put what follows from the ledger in the place of what is stored, and tell of whom what changed.

    For all learners it also goes on judging by new versions of courses, and gives what new achievements they meet.

    Safe beside a running server.
    """
    from headway.ledger.recompute import recompute
    from headway.store.catalog import Catalog

    with database_of(database) as opened:
        learner_id = None if learner is None else learner_id_of(opened, learner)
        with progress_bar(
            "Looking at learners" if dry_run else "Rebuilding learners", _count(opened, learner_id)
        ) as bar:
            run = partial(recompute, opened, Catalog(), now=now, progress=bar.advance)
            report = run(learner_id=learner_id, dry_run=dry_run)
    if as_json:
        show_json({"dry_run": dry_run, **_rebuild_json(report)})
    else:
        _tell_rebuild(report, dry_run=dry_run)
    if report.found:
        raise typer.Exit(1)


def _count(database: "Database", learner_id: str | None) -> int:
    from headway.store import learners

    if learner_id is not None:
        return 1
    with database.read() as connection:
        return learners.count(connection)


def _audit_json(report: "AuditReport") -> dict[str, Any]:
    return {
        "learners": report.learners,
        "events": report.events,
        "found": report.found,
        "faults": [fault._asdict() for fault in report.faults],
    }


def _rebuild_json(report: "Recomputed") -> dict[str, Any]:
    return {
        "total": report.total,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "broken": report.broken,
        "updates": [_update_json(one) for one in report.updates],
        "found": report.found,
        "faults": [fault._asdict() for fault in report.faults],
    }


def _update_json(one: "Updated") -> dict[str, Any]:
    """A change as the API tells it, without empty fields."""
    told = {"learner": one.learner_id, "field": one.field, "old": one.old, "new": one.new}
    more = {"key": one.key, "achievements": list(one.achievements)}
    return told | {name: value for name, value in more.items() if value}


def _tell_audit(report: "AuditReport") -> None:
    # Entries, for besides learners' events there are those that the server wrote: grants, grades, achievements.
    looked_at = f"{counted(report.learners, 'learner')} with {counted(report.events, 'entry', 'entries')}"
    if report.clean:
        show(f"Clean: all figures of {looked_at} follow from the ledger.")
        return
    show(f"{counted(report.found, 'difference')} in {looked_at}.")
    _table(report.faults, report.found)
    others = _tell_unjudged(report.faults)
    if others:
        say("Next: `headway rebuild` mends derived figures. A difference is a defect: please report it.")
    if any(fault.table == "ledger" for fault in others):
        say("Entries of the ledger itself differ: keep a copy of the database before you rebuild.")


def _tell_rebuild(report: "Recomputed", *, dry_run: bool) -> None:
    for one in report.updates[:_ROWS_MAX]:
        show(_line(one))
    if report.changes > _ROWS_MAX:
        say(f"… and {report.changes - _ROWS_MAX:,} more; --json lists the first thousand.")
    mended = "would be mended" if dry_run else "mended"
    show(f"{counted(report.total, 'learner')}: {report.updated:,} {mended}, {report.unchanged:,} right.")
    if report.faults:
        _table(report.faults, report.found)
        if _tell_unjudged(report.faults):
            say("This follows from nothing that is there, and no rebuild can mend it: restore it from a backup.")


def _line(one: "Updated") -> str:
    where = filter(None, (one.learner_id, one.field, one.key))
    joined = f": {', '.join(one.achievements)}" if one.achievements else ""
    return f"{'  '.join(where)}  {_short(one.old)} → {_short(one.new)}{joined}"


def _tell_unjudged(faults: "list[Fault]") -> "list[Fault]":
    """Say why some learners cannot be judged, and what to do; returns the faults of other kinds."""
    from headway.ledger.refold import DAMAGED, UNGRADED
    from headway.ledger.versions import MANIFEST

    damaged = [fault for fault in faults if fault.table == "course_version" and fault.column == MANIFEST]
    unjudged = [fault for fault in faults if fault.table == "ledger" and fault.column in (DAMAGED, UNGRADED)]
    for fault in damaged[:_ROWS_MAX]:
        course, _, version = fault.key.rpartition("/")
        say(f"Version {version} of the course {course!r} is damaged: {fault.true}.")
    if any(fault.column == DAMAGED for fault in unjudged):
        say("Learners who need a damaged version cannot be judged, and nothing of theirs is touched.")
    if damaged:
        say("Next: restore a backup from before the damage, and run this again.")
    if any(fault.column == UNGRADED for fault in unjudged):
        say("A grader is not installed, or fails, and these learners cannot be judged without it.")
        say("Next: install or mend the grader (--json names it), and run this again.")
    return [fault for fault in faults if fault not in damaged and fault not in unjudged]


def _table(faults: "list[Fault]", found: int) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("table", "learner", "key", "column", "stored", "should be")
    for fault in faults[:_ROWS_MAX]:
        table.add_row(*(Text(_short(value)) for value in fault))
    Console().print(table)
    if found > _ROWS_MAX:
        more = found - _ROWS_MAX
        say(f"{more:,} more {agreeing(more, 'is', 'are')} not shown; --json gives the first {len(faults):,}.")


def _short(value: object) -> str:
    text = "nothing" if value is None else harmless(str(value))
    return text if len(text) <= _VALUE_MAX else text[: _VALUE_MAX - 1] + "…"
