"""The site's achievements, for admins: list, make, change and retire them, and have learners given what they meet."""

from contextlib import suppress
from functools import partial
from typing import Annotated, Any, Final

import msgspec
from litestar import delete, get, put
from litestar.params import FromPath
from msgspec import Meta, Struct
from sqlalchemy.engine import Connection

from headway.domain.achievements import (
    CATEGORIES,
    DESCRIPTION_MAX,
    METRICS,
    POINTS_MAX,
    THRESHOLD_MAX,
    TIERS,
    TITLE_MAX,
    parse_definition,
)
from headway.http import who
from headway.http.bodies import read_json
from headway.http.cursors import LIMIT, Cursor, Limit, cut
from headway.http.exchange import Asked, exchange_of
from headway.http.refusals import Forbidden, Unauthorized
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.services import Services
from headway.http.who import Reader
from headway.ledger.backfill import backfill_pending
from headway.ledger.definitions import UnknownAchievement, define, retire
from headway.ledger.resting import Stopping, resting
from headway.store import achievements
from headway.store.achievements import Defined


class DefinitionSent(Struct, forbid_unknown_fields=True):
    """An achievement: a learner who reaches `threshold` by `metric` earns it, and `points` with it."""

    title: Annotated[str, Meta(min_length=1, max_length=TITLE_MAX)]
    description: Annotated[str, Meta(min_length=1, max_length=DESCRIPTION_MAX)]
    category: Annotated[str, Meta(extra_json_schema={"enum": list(CATEGORIES)})]
    metric: Annotated[str, Meta(extra_json_schema={"enum": list(METRICS)})]
    threshold: Annotated[int, Meta(ge=1, le=THRESHOLD_MAX)]
    points: Annotated[int, Meta(ge=0, le=POINTS_MAX)]
    tier: Annotated[str, Meta(extra_json_schema={"enum": list(TIERS)})]
    hidden: bool = False


class DefinitionShown(Struct):
    """An achievement as it is defined; `origin` is shipped or site."""

    id: str
    title: str
    description: str
    category: str
    metric: str
    threshold: int
    points: int
    tier: str
    hidden: bool
    origin: str
    retired: bool


class DefinitionList(Struct):
    """All definitions, retired ones as well; `given` says whether all learners have been given what they meet."""

    items: list[DefinitionShown]
    given: bool
    next_cursor: str | None


_sent: Final = msgspec.json.Decoder(DefinitionSent).decode


@get("/admin/achievements")
async def list_definitions(request: Asked, limit: Limit = LIMIT, cursor: Cursor = None) -> Reply:
    """All definitions of achievements, the retired ones as well."""

    def look(connection: Connection, reader: Reader) -> DefinitionList:
        check_admin(reader)
        given = achievements.read_set(connection)
        found, behind = cut(achievements.defined(connection), _place, tuple[str], limit, cursor)
        return DefinitionList([_shown(one) for one in found], given.version == given.given_version, behind)

    return json_reply(await who.read_as_caller(request, look), 200, (PERSONAL,))


@put("/admin/achievements/{achievement:str}")
async def define_achievement(request: Asked, achievement: FromPath[str]) -> Reply:
    """Make an achievement, 201, or change one, 200; learners who meet it are given it soon afterwards."""
    services = await administered(request)
    sent = msgspec.structs.asdict(await read_json(request, _sent))
    definition = parse_definition(achievement, sent)
    is_new = await services.run(partial(define, services.database, definition))
    services.afterwards(partial(_give, services))
    shown = await services.read(partial(_defined, achievement=achievement))
    return json_reply(shown, 201 if is_new else 200, (PERSONAL,))


@delete("/admin/achievements/{achievement:str}", status_code=200)
async def retire_achievement(request: Asked, achievement: FromPath[str]) -> Reply:
    """Retire an achievement: nobody earns it any more, and who has it keeps it."""
    services = await administered(request)
    await services.run(partial(retire, services.database, achievement))
    return Reply(status=204, headers=(PERSONAL,))


def _give(services: Services) -> None:
    with suppress(Stopping):
        backfill_pending(services.database, services.catalog, now=who.now, progress=resting(services.stopping))


def _defined(connection: Connection, achievement: str) -> DefinitionShown:
    for one in achievements.defined(connection):
        if one.definition.id == achievement:
            return _shown(one)
    raise UnknownAchievement("there is no achievement of that id")


def _place(one: Defined) -> tuple[str]:
    return (one.definition.id,)


def _shown(one: Defined) -> DefinitionShown:
    fields: dict[str, Any] = one.definition._asdict()
    return DefinitionShown(**fields, origin=one.origin, retired=one.retired)


async def administered(request: Asked) -> Services:
    """The services, for an admin; Unauthorized or Forbidden for everybody else."""
    exchange = exchange_of(request)
    who.check_cookies(exchange)
    check_admin(await who.caller(request, scope="admin"))
    return exchange.services


def check_admin(reader: Reader) -> None:
    """Let admins pass; Unauthorized or Forbidden for everybody else."""
    if reader.row is None:
        raise Unauthorized("sign in as an admin")
    if "admin" not in reader.row["roles"].split():
        raise Forbidden("this is for admins")


handlers: Final = [list_definitions, define_achievement, retire_achievement]
