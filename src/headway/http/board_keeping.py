"""A server's background work on leaderboards: count in what was recorded, and keep the copies in Redis."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Final

import structlog

from headway.cache.link import lost
from headway.http import who
from headway.http.ending import to_its_end
from headway.http.services import Services
from headway.ledger import boards
from headway.ledger.board_cache import Keeper
from headway.ledger.resting import Stopping, resting

log = structlog.get_logger()

_PAUSE_S: Final = 1.0
# Of this many parts of the time, the work takes at most one.
_SHARE: Final = 6


async def keep_boards(services: Services) -> None:
    """While a server runs, count in what is recorded; readers add what is not counted in yet."""
    await _again_and_again(services, lambda: keep(services), "board_keeping_failed")


async def keep_cached(services: Services) -> None:
    """While a server runs, keep its Redis supplied with the boards; apart, so that a slow one delays no counting."""
    cache = services.board_cache
    if cache is not None:
        watch = _Watch(Keeper(services.database, cache, services.stopping.is_set))
        await _again_and_again(services, watch.look, "cache_keeping_failed")


async def _again_and_again(services: Services, work: Callable[[], None], failed: str) -> None:
    while True:
        began = monotonic()
        try:
            await to_its_end(services.run(work))
        except Exception as error:  # noqa: BLE001  # whatever it is, next time may be better
            log.warning(failed, error=type(error).__name__)
        await asyncio.sleep(max(_PAUSE_S, (_SHARE - 1) * (monotonic() - began)))


def keep(services: Services) -> None:
    """Count in some of what waits; before that, work boards out that never were, or whose time zone has changed."""
    database = services.database
    if not boards.is_built(database):
        with suppress(Stopping), database.alone(wait=False) as alone:
            if alone and not boards.is_built(database):
                rest = resting(services.stopping)
                report = boards.work_out(database, services.catalog, now=who.now(), progress=rest)
                log.info("boards_worked_out", learners=report.total)
    if boards.is_behind(database):
        boards.count_in(database, now=who.now(), cache=services.board_cache)


class _Watch:
    """Keeps the boards in Redis, and logs once that it is lost, and once that it is back."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._is_lost = False

    def look(self) -> None:
        """Build what is missing there."""
        try:
            self._keeper.keep(now=who.now())
        except lost() as error:
            if not self._is_lost:
                log.warning("cache_lost", error=type(error).__name__)
            self._is_lost = True
            return
        if self._is_lost:
            log.info("cache_back")
        self._is_lost = False
