"""A learner's notifications: what they were told, the newest first."""

from typing import Final, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.changes import Change
from headway.domain.times import format_time
from headway.store import notices, preferences
from headway.store.notices import Notice, Place, Wanted

_decode: Final = msgspec.json.Decoder(Change).decode


class Notification(Struct):
    """What a learner was told: `change` is as replies to what was recorded tell it, and `id` the same wherever it goes.

    `at` is when it was told, `read_at` when the learner first had it read.
    """

    id: str
    type: str
    at: str
    read_at: str | None
    change: Change


class NoticePage(NamedTuple):
    """Notifications, the newest first, where they end if more lie behind them, and how many in all are unread."""

    items: list[Notification]
    unread: int
    next_place: Place | None


def read_notices(
    connection: Connection, learner_id: str | None, place: Place | None, limit: int, *, unread_only: bool
) -> NoticePage:
    """A page of what a learner was told, but for what they do not want in the list; nobody was told anything."""
    if learner_id is None:
        return NoticePage([], 0, None)
    but = preferences.not_in_app(connection, learner_id)
    found = notices.page(connection, Wanted(learner_id, place, but, unread_only), limit + 1)
    shown = found[:limit]
    behind = Place(shown[-1].seq, shown[-1].n) if found[limit:] else None
    return NoticePage([notification(one) for one in shown], notices.unread(connection, learner_id, but), behind)


def notification(one: Notice) -> Notification:
    """A notice as it is told."""
    read_at = None if one.read_at is None else format_time(one.read_at)
    return Notification(one.id, one.type, format_time(one.at), read_at, _decode(one.body))
