"""Pauses of a streak: days named beforehand, on which it does not end."""

from functools import partial
from typing import Annotated, Final
from uuid import uuid4

import msgspec
from litestar import delete, post
from litestar.params import FromPath
from msgspec import UNSET, Meta, Struct, UnsetType

from headway.domain.events import event_id_of
from headway.http import who
from headway.http.bodies import read_json
from headway.http.exchange import Asked, exchange_of
from headway.http.ids import is_id
from headway.http.refusals import NotFound
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.sent_shapes import Id
from headway.ledger.pausing import DAYS_MAX, PauseWanted, pause, resume
from headway.views.streak import PauseShown

_DAY: Final = Meta(extra_json_schema={"format": "date"})


class PauseAsked(Struct, forbid_unknown_fields=True, rename={"first_on": "from"}):
    """How many days to pause, and from which day; from today if that is left out.

    `id` is a UUID that the client makes before its first try: sent again, it makes no other pause.
    """

    days: Annotated[int, Meta(ge=1, le=DAYS_MAX)]
    first_on: Annotated[str, _DAY] | UnsetType | None = UNSET
    id: Id | UnsetType | None = UNSET


_asked: Final = msgspec.json.Decoder(PauseAsked).decode


@post("/progress/streak/pauses", status_code=201)
async def pause_streak(request: Asked) -> Reply:
    """Pause the streak for some days from today or later: 201, and 200 where this very pause was made before."""
    exchange = exchange_of(request)
    session = await who.learner_writing(request)
    sent = await read_json(request, _asked)
    pause_id = event_id_of(sent.id) if sent.id else str(uuid4())
    asked = PauseWanted(session.learner_id, pause_id, sent.first_on or None, sent.days, session.token_hash)
    services = exchange.services
    with who.ending_with(exchange):
        made = await services.run(partial(pause, services.database, services.catalog, asked, now=who.now()))
    shown = PauseShown(made.id, made.first_on, made.last_on)
    return json_reply(shown, 200 if made.repeated else 201, (PERSONAL,))


@delete("/progress/streak/pauses/{pause:str}", status_code=200)
async def resume_streak(request: Asked, pause: FromPath[str]) -> Reply:
    """End a pause: from today on its days count again. One that has not begun is called off."""
    exchange = exchange_of(request)
    session = await who.learner_writing(request)
    if not is_id(pause):
        await who.look_again(exchange, session)
        raise NotFound("you have no such pause")
    services = exchange.services
    act = partial(resume, services.database, services.catalog, session.learner_id, pause, session.token_hash)
    with who.ending_with(exchange):
        await services.run(partial(act, now=who.now()))
    return Reply(status=204, headers=(PERSONAL,))


handlers: Final = [pause_streak, resume_streak]
