"""An account's password: changed, and reset by mail."""

from functools import partial
from typing import Final

import msgspec
from litestar import post
from msgspec import Struct
from sqlalchemy.engine import RowMapping

from headway.domain.errors import HeadwayError, IdentityGone
from headway.http import password_tries, who
from headway.http.bodies import read_json
from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.limits import by_address, throttle
from headway.http.mail import Letter
from headway.http.remembered import Session
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.services import Services
from headway.http.signing_in import signed_in
from headway.http.tokens import hash_of, new_session_token
from headway.ledger import own_passwords
from headway.ledger.emails import normalize_email
from headway.ledger.own_passwords import resettable
from headway.ledger.security import Origin
from headway.ledger.throttles import RESETS, RESETS_OF_ACCOUNT, Throttle, succeeded, take_quietly
from headway.store import learners


class WrongPassword(HeadwayError):
    """The password is wrong."""

    code = "wrong-password"


class PasswordChange(Struct, forbid_unknown_fields=True):
    """The present password, and the new one."""

    current_password: str
    new_password: str


class ResetAsked(Struct, forbid_unknown_fields=True):
    """The address of an account whose password is forgotten."""

    email: str


class ResetNoted(Struct):
    """What happens now, whether the address is known or not."""

    detail: str


class ResetConfirmed(Struct, forbid_unknown_fields=True):
    """The code from the mail, and the new password."""

    token: str
    password: str


_change: Final = msgspec.json.Decoder(PasswordChange).decode
_asked: Final = msgspec.json.Decoder(ResetAsked).decode
_confirmed: Final = msgspec.json.Decoder(ResetConfirmed).decode
_NOTED: Final = ResetNoted("where the address belongs to an account, a mail is on its way to it")


@post("/password", status_code=200)
async def change_password(request: Asked) -> Reply:
    """Change the password; wherever else the account is signed in, it is signed out."""
    exchange = exchange_of(request)
    session = await who.account_writing(request)
    sent = await read_json(request, _change)
    row = await confirm_password(exchange, session, sent.current_password)
    services = exchange.services
    kept = await services.passwords.chosen(sent.new_password, row["email"], field="new_password")
    act = partial(own_passwords.change, now=who.now(), origin=Origin(exchange.address))
    with who.ending_with(exchange):
        await services.run(partial(act, services.database, session.token_hash, session.learner_id, kept))
    return Reply(status=204, headers=(PERSONAL,))


async def confirm_password(exchange: Exchange, session: Session, password: str) -> RowMapping:
    """The account of a session if the password is right, else WrongPassword. It counts as a try to sign in."""
    services = exchange.services
    row = await services.read(lambda connection: learners.by_id(connection, session.learner_id))
    if row is None:
        raise IdentityGone("the account was erased meanwhile")
    tries = await password_tries.begin(exchange, row["email"] or row["id"])
    if not await password_tries.is_right(exchange, tries, password, row):
        raise WrongPassword("this is not the account's password; who has none yet, or forgot it, resets it by mail")
    return row


@post("/password/reset", status_code=202)
async def ask_password_reset(request: Asked) -> Reply:
    """Have a mail sent by which the password can be set anew. Whether there is such an account is not shown."""
    exchange = exchange_of(request)
    await who.check_sender(exchange)
    sent = await read_json(request, _asked)
    await ask_for_mail(exchange, sent.email)
    return json_reply(_NOTED, 202, (PERSONAL,))


async def ask_for_mail(exchange: Exchange, address: str) -> None:
    """Have the mail sent if the address is an account's; RateLimited, or Invalid if it is no address."""
    email = normalize_email(address)
    await throttle(exchange, by_address(exchange, RESETS))
    # After the reply, so that the time until then does not show whether there is such an account.
    exchange.services.afterwards(partial(_send_reset, exchange.services, email, Origin(exchange.address)))


def _send_reset(services: Services, email: str, origin: Origin) -> None:
    database, now = services.database, who.now()
    limits = [Throttle(RESETS_OF_ACCOUNT, (), email)] if services.settings.rate_limits else []
    if not all(take_quietly(database, one, now=now) for one in limits):
        return
    token = new_session_token()
    account = own_passwords.ask_reset(database, email, hash_of(token), now=now, origin=origin)
    if account is not None and not services.mail.send(_letter(email, token, services.settings.public_url)):
        succeeded(database, give_back=limits)


def _letter(email: str, token: str, public_url: str | None) -> Letter:
    way = f"To choose one, use this code, within an hour and once:\n\n{token}"
    if public_url:
        page = f"{public_url.rstrip('/')}/reset-password"
        way = f"To choose one, open\n\n{page}\n\nand enter this code there, within an hour and once:\n\n{token}"
    text = (
        "Somebody, you perhaps, asked for a new password for your Headway account.\n\n"
        f"{way}\n\nIf it was not you, there is nothing to do: your password stays as it is.\n"
    )
    return Letter(email, "A new password for Headway", text)


@post("/password/reset/confirm", status_code=200)
async def confirm_password_reset(request: Asked) -> Reply:
    """Set the password anew by the code from the mail, and sign in. All earlier sessions end, tokens included."""
    exchange = exchange_of(request)
    await who.check_sender(exchange)
    sent = await read_json(request, _confirmed)
    return await signed_in(exchange, await set_anew(exchange, sent.token, sent.password))


async def set_anew(exchange: Exchange, token: str, password: str) -> str:
    """Set a password by the code from the mail; returns the account's id. Invalid if no such code is good now."""
    services, now = exchange.services, who.now()
    token_hash = hash_of(token)
    account = await services.read(lambda connection: resettable(connection, token_hash, now))
    kept = await services.passwords.chosen(password, account["email"])
    act = partial(own_passwords.reset, now=now, origin=Origin(exchange.address))
    return await services.run(partial(act, services.database, token_hash, kept))


handlers: Final = [change_password, ask_password_reset, confirm_password_reset]
