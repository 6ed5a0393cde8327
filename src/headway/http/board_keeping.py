"""What a server does for the leaderboards all the time: count in what was recorded."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic, sleep
from typing import Final

import structlog

from headway.http import who
from headway.http.services import Services
from headway.ledger import boards

log = structlog.get_logger()

_PAUSE_S: Final = 1.0
# What it takes of the machine, at most: a part in so many.
_SHARE: Final = 6


@asynccontextmanager
async def boards_kept(services: Services) -> AsyncIterator[None]:
    """While a server runs, count in what is recorded; what it has not come to yet is read beside the boards."""
    task = asyncio.create_task(_keep(services))
    try:
        yield
    finally:
        task.cancel()


async def _keep(services: Services) -> None:
    while True:
        began = monotonic()
        try:
            await services.run(lambda: keep(services))
        except Exception as error:  # noqa: BLE001  # whatever it is, next time may be better
            log.warning("board_keeping_failed", error=type(error).__name__)
        await asyncio.sleep(max(_PAUSE_S, (_SHARE - 1) * (monotonic() - began)))


def keep(services: Services) -> None:
    """Count in some of what waits; and where boards were never worked out, or are in another zone now, do that."""
    database = services.database
    if not boards.is_built(database):
        with database.alone(wait=False) as alone:
            if alone and not boards.is_built(database):
                report = boards.work_out(database, services.catalog, now=who.now(), progress=_resting())
                log.info("boards_worked_out", learners=report.total)
    if boards.is_behind(database):
        boards.count_in(database, now=who.now())


def _resting() -> Callable[[int], None]:
    """Rests after each part of a long work for as long as that took: whoever records needs the processor as well."""
    began = monotonic()

    def rest(_: int) -> None:
        nonlocal began
        sleep(monotonic() - began)
        began = monotonic()

    return rest
