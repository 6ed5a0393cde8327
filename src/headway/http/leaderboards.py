"""Leaderboards: everybody can read them; an admin can have them worked out anew."""

from functools import partial
from typing import Final, Literal

import structlog
from litestar import get, post
from litestar.params import FromPath, FromQuery
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.cache.link import lost
from headway.domain.boards import figures_of
from headway.domain.errors import Invalid
from headway.domain.periods import PERIODS
from headway.http import etags, who
from headway.http.admin_achievements import administered
from headway.http.cursors import LIMIT, Cursor, Limit, foreign_cursor, read_cursor, write_cursor
from headway.http.exchange import Asked, exchange_of
from headway.http.refusals import NotFound
from headway.http.reply import PERSONAL, Reply, encode, json_reply
from headway.http.services import Services
from headway.http.who import Reader
from headway.ledger.board_cache import rebuild
from headway.ledger.boards import Differs, work_out
from headway.views import leaderboards
from headway.views.leaderboards import Place, read_leaderboard

log = structlog.get_logger()

_PLACE_MIN: Final = -(2**62)
_SKIP_MAX: Final = 2**31


class BoardUpdate(Struct):
    """A figure on a leaderboard that differed from what is recorded; `field` names board, period and figure."""

    learner: str
    field: str
    old: int
    new: int


class BoardsWorkedOut(Struct):
    """What working out the leaderboards changed; `updates` are the first thousand or so.

    `cached` is how many were built anew in Redis; null without Redis, if that fails, and for a dry run.
    """

    dry_run: bool
    total: int
    updated: int
    unchanged: int
    updates: list[BoardUpdate]
    cached: int | None


@get("/leaderboards/{period:str}")
async def read_board(
    request: Asked,
    period: FromPath[str],
    course: FromQuery[str | None] = None,
    around: FromQuery[Literal["me"] | None] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Reply:
    """Who gained most today, this week, this month or ever, on the site or in a course; or the caller's neighbors."""
    kind = next((one for one in PERIODS if one == period), None)
    if kind is None:
        raise NotFound(f"there are leaderboards of these periods: {', '.join(PERIODS)}")
    place = _place(cursor)
    if place is not None and around is not None:
        raise Invalid("who stands around you is one page: leave the cursor out", field="cursor")
    asked = leaderboards.BoardQuery(kind, course, around is not None, place, limit)
    now, cache = who.now(), exchange_of(request).services.board_cache

    def look(connection: Connection, reader: Reader) -> bytes:
        page = read_leaderboard(connection, asked, reader.learner_id, now, cache)
        page.board.next_cursor = None if page.next_place is None else write_cursor(page.next_place)
        return encode(page.board)

    return etags.tagged(request, await who.read_as_caller(request, look), PERSONAL)


def _place(cursor: str | None) -> Place | None:
    place = read_cursor(cursor, Place)
    if place is not None and not (_PLACE_MIN <= place.place <= 0 <= place.skip <= _SKIP_MAX):
        raise foreign_cursor()
    return place


@post("/admin/leaderboards/rebuild", status_code=200)
async def rebuild_leaderboards(request: Asked, dry_run: FromQuery[bool] = False) -> Reply:
    """Work all leaderboards out anew from what is recorded, in Redis too, or tell what that would change."""
    services = await administered(request)
    run = partial(work_out, services.database, services.catalog, now=who.now(), dry_run=dry_run)
    report = await services.publish(run)
    cached = None if dry_run else await services.publish(lambda: _rebuilt(services))
    updates = [one for each in report.updates for one in _updates(each)]
    told = BoardsWorkedOut(dry_run, report.total, report.updated, report.total - report.updated, updates, cached)
    return json_reply(told, 200, (PERSONAL,))


def _rebuilt(services: Services) -> int | None:
    if services.board_cache is None:
        return None
    try:
        return rebuild(services.database, services.board_cache, now=who.now())
    except lost() as error:
        log.warning("cache_not_rebuilt", error=type(error).__name__)
        return None


def _updates(one: Differs) -> list[BoardUpdate]:
    board = f"{one.board.course or 'site'}/{one.board.period}"
    names = ("points", "solved")
    figures = zip(names, figures_of(one.stored), figures_of(one.true), strict=True)
    return [BoardUpdate(one.learner_id, f"{board}/{name}", old, new) for name, old, new in figures if old != new]


handlers: Final = [read_board, rebuild_leaderboards]
