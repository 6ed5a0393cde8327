"""Webhooks: endpoints of admins and creators, what was sent to them, and sending it again."""

from functools import partial
from secrets import token_bytes
from typing import Annotated, Final, NamedTuple
from uuid import uuid4

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath
from msgspec import Meta, Struct
from sqlalchemy.engine import Connection, RowMapping

from headway.certificates.keys import seal
from headway.domain.changes import ChangeType
from headway.domain.events import SLUG_MAX
from headway.domain.times import format_time
from headway.domain.webhooks import SECRET_BYTES, write_secret
from headway.http import who
from headway.http.bodies import read_json
from headway.http.cursors import LIMIT, Cursor, Limit, cut, foreign_cursor, read_cursor, write_cursor
from headway.http.exchange import Asked, exchange_of
from headway.http.ids import is_id
from headway.http.outward import URL_MAX, Outward
from headway.http.refusals import Forbidden, NotFound, Unauthorized
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.services import Services
from headway.http.who import Reader
from headway.ledger import webhooks as ledger
from headway.store import webhooks

_UNKNOWN: Final = "you have no such webhook"


class WebhookAsked(Struct, forbid_unknown_fields=True):
    """Where to send which changes: of one course, or, for admins, of all; of the types named, or of all."""

    url: Annotated[str, Meta(min_length=1, max_length=URL_MAX)]
    course: Annotated[str, Meta(min_length=1, max_length=SLUG_MAX)] | None = None
    types: Annotated[list[ChangeType], Meta(max_length=50)] = []


class WebhookListed(Struct):
    """An endpoint. `failing_since` is when it stopped taking messages; `disabled_why` says why it is sent nothing."""

    id: str
    url: str
    course: str | None
    types: list[str]
    created_at: str
    failing_since: str | None
    disabled_at: str | None
    disabled_why: str | None


class WebhookMade(WebhookListed):
    """A new endpoint; `secret` is shown only this once, and verifies messages."""

    secret: str


class WebhookList(Struct):
    """Endpoints, the oldest first: an account's own, for admins everybody's."""

    items: list[WebhookListed]
    next_cursor: str | None


class Delivery(Struct):
    """One try to send a change: `status` is the receiver's; null if there was none, and then `error` says why."""

    id: str
    message_id: str
    type: str
    learner: str
    at: str
    took_ms: int
    attempt: int
    status: int | None
    error: str | None


class DeliveryList(Struct):
    """What was sent to an endpoint, the newest first."""

    items: list[Delivery]
    next_cursor: str | None


class Redelivered(Struct):
    """The message that is sent once more, with the id by which receivers know it."""

    message_id: str


class _Place(NamedTuple):
    at: int
    id: str


class _Actor(NamedTuple):
    """Who acts, and whose endpoints they may see: the account's id, or None for all."""

    id: str
    whose: str | None


_asked: Final = msgspec.json.Decoder(WebhookAsked).decode


@get("/webhooks")
async def list_webhooks(request: Asked, limit: Limit = LIMIT, cursor: Cursor = None) -> Reply:
    """The endpoints that changes are sent to: the own ones, for admins all."""

    def look(connection: Connection, reader: Reader) -> WebhookList:
        rows = webhooks.listed(connection, _actor(reader).whose)
        found, behind = cut(rows, lambda row: _Place(row["created_at"], row["id"]), _Place, limit, cursor)
        return WebhookList([_listed(row) for row in found], behind)

    return json_reply(await who.read_as_caller(request, look, scope="admin"), 200, (PERSONAL,))


@post("/webhooks", status_code=201)
async def make_webhook(request: Asked) -> Reply:
    """Have changes sent to an address from now on. Its secret is in this reply and nowhere else."""
    services, actor = await _acting(request)
    sent = await read_json(request, _asked)
    await services.run(partial(Outward(services.settings.webhook_networks).look, sent.url))
    secret, webhook_id, at = token_bytes(SECRET_BYTES), str(uuid4()), who.now()
    kept = await services.run(partial(seal, secret, webhook_id, services.settings.signing_secret))
    types: list[str] = sorted(set(sent.types))
    said = {"url": sent.url, "course_id": sent.course, "types": " ".join(types)}
    endpoint = {"id": webhook_id, "learner_id": actor.id, "secret": kept, "created_at": at} | said
    await services.run(partial(ledger.make, services.database, endpoint))
    shown = (webhook_id, sent.url, sent.course, types, format_time(at), None, None, None)
    return json_reply(WebhookMade(*shown, write_secret(secret)), 201, (PERSONAL,))


@delete("/webhooks/{webhook:str}", status_code=200)
async def remove_webhook(request: Asked, webhook: FromPath[str]) -> Reply:
    """Send nothing more to an endpoint, and forget what was sent."""
    services, actor = await _acting(request, webhook)
    await services.run(partial(ledger.remove, services.database, webhook, actor.whose))
    return Reply(status=204, headers=(PERSONAL,))


@post("/webhooks/{webhook:str}/resumption", status_code=200)
async def resume_webhook(request: Asked, webhook: FromPath[str]) -> Reply:
    """Resume an endpoint that was disabled: it is sent what comes from now on."""
    services, actor = await _acting(request, webhook)
    await services.run(partial(ledger.resume, services.database, webhook, actor.whose))
    return Reply(status=204, headers=(PERSONAL,))


@get("/webhooks/{webhook:str}/deliveries")
async def list_deliveries(request: Asked, webhook: FromPath[str], limit: Limit = LIMIT, cursor: Cursor = None) -> Reply:
    """What was sent to an endpoint, the newest first: each try."""
    place = read_cursor(cursor, _Place)
    if place is not None and not (0 <= place.at < 2**63 and is_id(place.id)):
        raise foreign_cursor()

    def look(connection: Connection, reader: Reader) -> DeliveryList:
        actor = _actor(reader)
        if not is_id(webhook):
            raise NotFound(_UNKNOWN)
        ledger.found(connection, webhook, actor.whose)
        rows = webhooks.deliveries(connection, webhook, place, limit + 1)
        last = rows[limit - 1] if rows[limit:] else None
        behind = None if last is None else write_cursor(_Place(last["at"], last["id"]))
        return DeliveryList([_delivery(row) for row in rows[:limit]], behind)

    return json_reply(await who.read_as_caller(request, look, scope="admin"), 200, (PERSONAL,))


@post("/webhooks/{webhook:str}/deliveries/{delivery:str}/redelivery", status_code=202)
async def redeliver(request: Asked, webhook: FromPath[str], delivery: FromPath[str]) -> Reply:
    """Send once more what was sent, under the same `webhook-id`."""
    services, actor = await _acting(request, webhook, delivery)
    again = partial(ledger.redeliver, services.database, webhook, actor.whose, delivery)
    sent = await services.run(partial(again, now=who.now()))
    return json_reply(Redelivered(sent), 202, (PERSONAL,))


async def _acting(request: Asked, *ids: str) -> tuple[Services, _Actor]:
    """The services, and the caller, who may have webhooks; Unauthorized or Forbidden for everybody else."""
    exchange = exchange_of(request)
    who.check_cookies(exchange)
    actor = _actor(await who.caller(request, scope="admin"))
    if not all(map(is_id, ids)):
        raise NotFound(_UNKNOWN)
    return exchange.services, actor


def _actor(reader: Reader) -> _Actor:
    if reader.row is None:
        raise Unauthorized("sign in as an admin or a creator")
    roles = reader.row["roles"].split()
    if "admin" in roles:
        return _Actor(reader.row["id"], None)
    if "creator" not in roles:
        raise Forbidden("webhooks are for admins, and for creators of what comes of their own courses")
    return _Actor(reader.row["id"], reader.row["id"])


def _listed(row: RowMapping) -> WebhookListed:
    since, at = (None if row[name] is None else format_time(row[name]) for name in ("failing_since", "disabled_at"))
    said = (row["id"], row["url"], row["course_id"], row["types"].split(), format_time(row["created_at"]))
    return WebhookListed(*said, since, at, row["disabled_why"])


def _delivery(row: RowMapping) -> Delivery:
    said = (row["id"], row["message_id"], row["type"], row["learner_id"], format_time(row["at"]))
    return Delivery(*said, row["took_ms"], row["attempt"], row["status"], row["error"])


handlers: Final = [list_webhooks, make_webhook, remove_webhook, resume_webhook, list_deliveries, redeliver]
