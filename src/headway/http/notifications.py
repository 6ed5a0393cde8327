"""Notifications: what a learner was told, and which of it they have read."""

from functools import partial
from typing import Final

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy.engine import Connection

from headway.http import etags, who
from headway.http.bodies import read_json
from headway.http.cursors import LIMIT, Cursor, Limit, foreign_cursor, read_cursor, write_cursor
from headway.http.exchange import Asked, exchange_of
from headway.http.ids import is_id
from headway.http.refusals import NotFound
from headway.http.reply import PERSONAL, Reply, encode, json_reply
from headway.http.sent_shapes import Id
from headway.http.who import Reader
from headway.ledger.reading_notices import mark_all_read, mark_read
from headway.store.notices import NoticePlace
from headway.views.notices import Notification, read_notices

_NUMBER_MAX: Final = 2**31 - 1
_UNKNOWN: Final = "you have no such notification"


class NotificationList(Struct):
    """Notifications, the newest first; `unread` is how many there are in all that were not read."""

    items: list[Notification]
    unread: int
    next_cursor: str | None


class ReadUpTo(Struct, forbid_unknown_fields=True):
    """The newest notification that was read, and with it all older ones; all there are if it is left out."""

    up_to: Id | UnsetType | None = UNSET


class NotificationsRead(Struct):
    """How many notifications are still unread: those that came meanwhile."""

    unread: int


_decode: Final = msgspec.json.Decoder(ReadUpTo).decode


@get("/notifications")
async def list_notifications(
    request: Asked, limit: Limit = LIMIT, cursor: Cursor = None, unread: FromQuery[bool] = False
) -> Reply:
    """What the caller was told, the newest first; with `?unread=true` only what they have not read."""
    place, catalog = _place(cursor), exchange_of(request).services.catalog

    def look(connection: Connection, reader: Reader) -> bytes:
        found = read_notices(connection, catalog, reader.learner_id, place, limit, unread_only=unread)
        behind = None if found.next_place is None else write_cursor(found.next_place)
        return encode(NotificationList(found.items, found.unread, behind))

    return etags.tagged(request, await who.read_as_caller(request, look), PERSONAL)


def _place(cursor: str | None) -> NoticePlace | None:
    place = read_cursor(cursor, NoticePlace)
    if place is not None and not (0 <= place.seq < 2**63 and 0 <= place.n <= _NUMBER_MAX):
        raise foreign_cursor()
    return place


@post("/notifications/{notification:str}/read", status_code=200)
async def read_notification(request: Asked, notification: FromPath[str]) -> Reply:
    """Say that one notification was read. Said again, it changes nothing."""
    exchange = exchange_of(request)
    session = await who.learner_writing(request)
    if not is_id(notification):
        await who.look_again(exchange, session)
        raise NotFound(_UNKNOWN)
    services = exchange.services
    act = partial(mark_read, services.database, session.learner_id, session.token_hash, notification.lower())
    with who.ending_with(exchange):
        await services.run(partial(act, now=who.now()))
    return Reply(status=204, headers=(PERSONAL,))


@post("/notifications/read", status_code=200)
async def read_notifications(request: Asked) -> Reply:
    """Say that all notifications were read, or those up to one that was shown: what came meanwhile stays unread."""
    exchange = exchange_of(request)
    session = await who.learner_writing(request)
    sent = await read_json(request, _decode, empty=b"{}")
    up_to = sent.up_to.lower() if sent.up_to else None
    if up_to is not None and not is_id(up_to):
        await who.look_again(exchange, session)
        raise NotFound(_UNKNOWN)
    services = exchange.services
    act = partial(mark_all_read, services.database, session.learner_id, session.token_hash, up_to)
    with who.ending_with(exchange):
        left = await services.run(partial(act, now=who.now()))
    return json_reply(NotificationsRead(left), 200, (PERSONAL,))


handlers: Final = [list_notifications, read_notification, read_notifications]
