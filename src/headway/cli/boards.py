"""`headway leaderboards`: working them out anew."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from headway.cli.opening import DatabaseOption, RedisOption, database_of
from headway.cli.screen import JsonOption, counted, now, progress_bar, say, show, show_json

if TYPE_CHECKING:
    from headway.ledger.boards import Differs, Report
    from headway.store.database import Database

leaderboards = typer.Typer(name="leaderboards", help="Work the leaderboards out anew.")
_SHOWN = 20


@leaderboards.callback()
def _group() -> None:
    """Work the leaderboards out anew."""


@leaderboards.command()
def rebuild(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say who would stand elsewhere; change nothing.")] = False,
    database: DatabaseOption = None,
    redis: RedisOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put every learner where the points and exercises recorded of them say, on every board; beside a running server.

    Where there is Redis, boards are built anew there too, and then take the place of the old ones. Boards keep
    themselves right: this is for what somebody changed by hand.
    """
    from headway.ledger.boards import work_out
    from headway.store import learners
    from headway.store.catalog import Catalog

    with database_of(database) as opened:
        with opened.read() as connection:
            count = learners.count(connection)
        with progress_bar("Looking at learners", count) as bar:
            report = work_out(opened, Catalog(), now=now(), dry_run=dry_run, progress=bar.advance)
        cached = None if dry_run else _cached(opened, redis)
    if as_json:
        show_json(_told(report, dry_run=dry_run) | {"cached": cached})
        return
    for one in report.updates[:_SHOWN]:
        show(_line(one))
    if len(report.updates) > _SHOWN:
        say("… and more; --json lists the first thousand.")
    done = "Would move" if dry_run else "Moved"
    show(f"{done} {report.updated:,} of {counted(report.total, 'learner')}.")
    if cached is not None:
        show(f"Built {counted(cached, 'leaderboard')} anew in Redis.")


def _cached(database: "Database", redis: str | None) -> int | None:
    """Build the boards in Redis anew; returns how many. None without Redis, or where it fails, which is said."""
    from headway.settings import load_settings

    address = load_settings(redis_url=redis).redis_url
    if address is None:
        return None
    from headway.cache.boards import BoardCache
    from headway.cache.link import lost
    from headway.ledger.board_cache import rebuild as build_anew

    cache = BoardCache(address)
    try:
        return build_anew(database, cache, now=now())
    except lost() as error:
        say(f"Redis has none of it ({type(error).__name__}): servers read boards in the database until it answers.")
        return None
    finally:
        cache.close()


def _line(one: "Differs") -> str:
    from headway.domain.boards import figures_of

    (was, solved_before), (points, solved) = figures_of(one.stored), figures_of(one.true)
    board = f"{one.board.course or 'site'}/{one.board.period}"
    return f"{one.learner_id}  {board}  points {was:,} → {points:,}, solved {solved_before:,} → {solved:,}"


def _told(report: "Report", *, dry_run: bool) -> dict[str, Any]:
    from headway.domain.boards import figures_of

    updates = [
        {"learner": one.learner_id, "field": f"{one.board.course or 'site'}/{one.board.period}/{name}"}
        | {"old": old, "new": new}
        for one in report.updates
        for name, old, new in zip(("points", "solved"), figures_of(one.stored), figures_of(one.true), strict=True)
        if old != new
    ]
    counts = {"total": report.total, "updated": report.updated, "unchanged": report.total - report.updated}
    return {"dry_run": dry_run, **counts, "updates": updates}
