"""`headway achievements`: what can be earned, and giving learners what they meet of it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from headway.cli.opening import DatabaseOption, database_of
from headway.cli.screen import JsonOption, counted, now, progress_bar, say, show, show_json

if TYPE_CHECKING:
    from headway.ledger.backfill import BackfillReport
    from headway.store.achievements import Defined

achievements = typer.Typer(name="achievements", help="See what can be earned, and give learners what they meet.")
_SHOWN = 20


@achievements.callback()
def _group() -> None:
    """See what can be earned, and give learners what they meet."""


@achievements.command("list")
def list_(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Show all achievements: those that come with Headway and the site's own, the retired ones as well."""
    from headway.store.achievements import defined

    with database_of(database) as opened, opened.read() as connection:
        found = defined(connection)
    if as_json:
        kept = [one.definition._asdict() | {"origin": one.origin, "retired": one.retired} for one in found]
        show_json({"items": kept})
        return
    for one in found:
        show(_line(one))
    if not found:
        say("There are none yet: a server that starts brings those that come with Headway.")


def _line(one: "Defined") -> str:
    definition = one.definition
    marks = [one.origin, *(["hidden"] if definition.hidden else []), *(["retired"] if one.retired else [])]
    asks = f"{definition.metric} {definition.threshold:,}"
    parts = (definition.id, definition.tier, asks, counted(definition.points, "point"), ", ".join(marks))
    return "  ".join((*parts, definition.title))


@achievements.command()
def backfill(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say who would earn what; change nothing.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give every learner the achievements that they meet and have not been given; a running server does it by itself.

    Run it after definitions were made or changed, and again if it broke off.
    """
    from headway.ledger.backfill import backfill as run
    from headway.store import learners
    from headway.store.catalog import Catalog

    with database_of(database) as opened:
        with opened.read() as connection:
            count = learners.count(connection)
        with progress_bar("Looking at learners", count) as bar:
            report = run(opened, Catalog(), now=now, dry_run=dry_run, progress=bar.advance)
    if as_json:
        show_json(_told(report, dry_run=dry_run))
        return
    for one in report.updates[:_SHOWN]:
        show(f"{one.learner_id}  {', '.join(one.earned)}")
    if report.updated > _SHOWN:
        say(f"… and {counted(report.updated - _SHOWN, 'learner')} more; --json lists the first thousand.")
    earned = counted(report.earned, "achievement")
    done = "Would give" if dry_run else "Gave"
    show(f"{done} {earned} to {report.updated:,} of {counted(report.total, 'learner')}.")


def _told(report: "BackfillReport", *, dry_run: bool) -> dict[str, Any]:
    updates = [
        {
            "learner": one.learner_id,
            "field": "achievements",
            "old": one.had,
            "new": one.had + len(one.earned),
            "achievements": list(one.earned),
        }
        for one in report.updates
    ]
    counts = {"total": report.total, "updated": report.updated, "unchanged": report.total - report.updated}
    return {"dry_run": dry_run, **counts, "updates": updates}
