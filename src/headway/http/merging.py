"""Moving a terminal's or an editor's guest into the account that is signed in."""

from functools import partial
from typing import Annotated, Final

import msgspec
from litestar import Router, post
from msgspec import Meta, Struct

from headway.http import who
from headway.http.bodies import read_json
from headway.http.exchange import Asked, exchange_of
from headway.http.limits import by_address, throttle
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.signing_in import MergedCounts
from headway.http.tokens import hash_of
from headway.ledger.merge import move_guest
from headway.ledger.throttles import NEW_LEARNERS

_TOKEN_MAX: Final = 200


class GuestSent(Struct, forbid_unknown_fields=True):
    """A guest, by its token."""

    guest_token: Annotated[str, Meta(min_length=1, max_length=_TOKEN_MAX)]


class GuestMoved(Struct):
    """What the guest brought; null if the token is not a guest's, or the guest was moved already."""

    merged: MergedCounts | None


_guest_sent: Final = msgspec.json.Decoder(GuestSent).decode


@post("/merge", status_code=200)
async def merge_guest(request: Asked) -> Reply:
    """Move a terminal's or an editor's guest into the account that is signed in. A browser's moves as it signs in."""
    exchange = exchange_of(request)
    session = await who.account_writing(request)
    sent = await read_json(request, _guest_sent)
    await throttle(exchange, by_address(exchange, NEW_LEARNERS))
    services, token_hash = exchange.services, hash_of(sent.guest_token)
    move = partial(move_guest, services.database, services.catalog, session.learner_id, token_hash, session.token_hash)
    with who.ending_with(exchange):
        merged = await services.run(partial(move, now=who.now()))
    services.remembered.forget(sent.guest_token)
    return json_reply(GuestMoved(MergedCounts(*merged) if merged else None), 200, (PERSONAL,))


router: Final = Router("/auth", route_handlers=[merge_guest])
