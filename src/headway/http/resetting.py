"""A learner begins from nothing, in a course or in all."""

from functools import partial
from typing import Annotated, Final
from uuid import uuid4

import msgspec
from litestar import post
from msgspec import UNSET, Meta, Struct, UnsetType

from headway.domain.events import SLUG_MAX, event_id_of
from headway.http import who
from headway.http.bodies import read_json
from headway.http.exchange import Asked, exchange_of
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.sent_shapes import Id
from headway.ledger.reset import ResetWanted, reset


class ResetAsked(Struct, forbid_unknown_fields=True):
    """The course in which to begin from nothing; all courses if it is left out.

    `id` is a UUID that the client makes before its first try: sent again, it changes nothing, and the reply is the
    same.
    """

    course: Annotated[str, Meta(min_length=1, max_length=SLUG_MAX)] | UnsetType | None = UNSET
    id: Id | UnsetType | None = UNSET


class Cleared(Struct):
    """What was cleared: steps with anything recorded, attempts, practice sessions and active days."""

    steps: int
    attempts: int
    sessions: int
    days: int


class ResetReply(Struct):
    """What was cleared."""

    cleared: Cleared


_asked: Final = msgspec.json.Decoder(ResetAsked).decode


@post("/progress/reset", status_code=200)
async def reset_progress(request: Asked) -> Reply:
    """Begin from nothing, in a course or in all. What was recorded is kept in the ledger and counts no more.

    Certificates, enrollments and earlier runs of a course stay. An event from before the reset that comes late is kept,
    with the flag `before-reset`, and adds nothing.
    """
    exchange = exchange_of(request)
    session = await who.learner_writing(request)
    sent = await read_json(request, _asked, empty=b"{}")
    reset_id = event_id_of(sent.id) if sent.id else str(uuid4())
    wanted = ResetWanted(session.learner_id, reset_id, sent.course or None, session.token_hash)
    services = exchange.services
    with who.ending_with(exchange):
        cleared = await services.run(partial(reset, services.database, services.catalog, wanted, now=who.now()))
    return json_reply(ResetReply(Cleared(*cleared)), 200, (PERSONAL,))


handlers: Final = [reset_progress]
