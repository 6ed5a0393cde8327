"""Health: whether the process lives, and whether it can serve."""

import sqlite3
from typing import Final

from litestar import get
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from headway.http.exchange import Asked, exchange_of
from headway.http.redis_ping import fault_of_redis
from headway.http.reply import Reply, json_reply
from headway.http.services import Services
from headway.store.migrate import current, newest


class Live(Struct):
    """The process is up."""

    status: str


class Ready(Struct, omit_defaults=True):
    """Whether events can be taken: `status` is ready, not-ready or stopping.

    `cache` is given where Redis is configured; without it the server is slower, and ready all the same.
    """

    status: str
    database: str
    reachable: bool
    revision: str | None
    newest_revision: str
    waiting_events: int
    sqlite_version: str | UnsetType = UNSET
    cache: str | UnsetType = UNSET


@get("/health/live")
async def live() -> Reply:
    """The process is up."""
    return json_reply(Live("live"))


@get("/health/ready")
async def ready(request: Asked) -> Reply:
    """The database is reachable and has today's tables, and the server is not about to stop."""
    services = exchange_of(request).services

    def look(connection: Connection) -> str | None:
        return current(connection)

    try:
        revision, reachable = await services.read(look), True
    except SQLAlchemyError:
        revision, reachable = None, False
    is_ready = reachable and revision == newest() and not services.stopping.is_set()
    found = Ready(
        "ready" if is_ready else "stopping" if services.stopping.is_set() else "not-ready",
        services.database.dialect,
        reachable,
        revision,
        newest(),
        services.desk.writer.waiting_events,
        sqlite3.sqlite_version if services.database.dialect == "sqlite" else UNSET,
        await _cache(services),
    )
    return json_reply(found, 200 if is_ready else 503)


async def _cache(services: Services) -> str | UnsetType:
    address = services.settings.redis_url
    if address is None:
        return UNSET
    return "reachable" if await services.run(lambda: fault_of_redis(address)) is None else "unreachable"


handlers: Final = [live, ready]
