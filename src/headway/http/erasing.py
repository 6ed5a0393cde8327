"""`DELETE /auth/me`: the caller is erased."""

from functools import partial
from typing import Final

import msgspec
from litestar import delete
from msgspec import Struct

from headway.domain.errors import IdentityGone
from headway.http import who
from headway.http.bodies import read_json
from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.own_password import WrongPassword, confirm_password
from headway.http.refusals import Unauthorized
from headway.http.remembered import Session
from headway.http.reply import PERSONAL, Reply
from headway.ledger import erase
from headway.ledger.accounts import WrongCredentials
from headway.store import learners


class ErasureAsked(Struct, forbid_unknown_fields=True):
    """The account's password; guests, and accounts that sign in elsewhere, have none."""

    password: str | None = None


_asked: Final = msgspec.json.Decoder(ErasureAsked).decode


@delete("/me", status_code=200)
async def erase_me(request: Asked) -> Reply:
    """Erase the caller for good: name, address, answers. What was done counts on as nobody's."""
    exchange = exchange_of(request)
    session = await who.writing_session(exchange)
    if session is None:
        raise Unauthorized("there is nobody to erase")
    sent = await read_json(request, _asked, empty=b"{}")
    is_proof = await _confirm(exchange, session, sent.password)
    services = exchange.services
    asked = erase.Session(session.token_hash, is_proof)
    act = partial(erase.erase, services.database, services.catalog, session.learner_id, now=who.now(), session=asked)
    with who.ending_with(exchange):
        if await services.run(act) is None:
            raise IdentityGone("the account was erased already")
    who.session_ended(exchange)
    return Reply(status=204, headers=(PERSONAL,))


async def _confirm(exchange: Exchange, session: Session, password: str | None) -> bool:
    """Check the account's password; returns True if it has none, so that the sign-in itself must be the proof."""
    if session.kind != "account":
        return False
    row = await exchange.services.read(lambda connection: learners.by_id(connection, session.learner_id))
    if row is not None and row["password_hash"] is None:
        return True
    try:
        await confirm_password(exchange, session, password or "")
    except WrongPassword:
        raise WrongCredentials("this is not the account's password; nothing was erased") from None
    return False
