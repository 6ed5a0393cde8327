"""Signing in a terminal or an editor through a browser: RFC 8628."""

import re
import secrets
from functools import partial
from typing import Final, TypeVar
from urllib.parse import urlencode

from litestar import Router, post
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.errors import Invalid
from headway.domain.identity import check_name
from headway.domain.times import SECOND
from headway.http import who
from headway.http.addresses import site_address
from headway.http.bodies import read_fields
from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.limits import by_address, not_counted, throttle
from headway.http.refusals import BodyInvalid, DeviceRefused, Malformed
from headway.http.remembered import Session
from headway.http.reply import Header, Reply, json_reply
from headway.http.tokens import hash_of, new_personal_token
from headway.http.tokens_of_own import token_row
from headway.ledger import devices
from headway.ledger.devices import DeviceState, UnknownUserCode
from headway.ledger.security import Origin
from headway.ledger.throttles import Limit, Throttle

T = TypeVar("T")
GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
PAGE: Final = "/device"
SCOPES: Final = ("read", "write")
NAMELESS: Final = "A device"
DEVICES: Final = Limit("device-sign-ins", 60, 60)
# A code is one of 2.5e10: so few tries find none, of those who wait, before they have run out (RFC 8628, 5.1).
CODES: Final = Limit("device-codes", 10, 15 * 60)
CODES_ADDRESS: Final = Limit("device-codes-address", 100, 15 * 60)
_NOT_KEPT: Final[Header] = (b"cache-control", b"no-store")
_CODE_SENT_MAX: Final = 100
_SAID: Final = {
    DeviceState.PENDING: "nobody has entered the code yet; ask again after the interval",
    DeviceState.TOO_FAST: f"asked too soon; wait {devices.SLOWER_S} seconds longer between tries from now on",
    DeviceState.DENIED: "the sign-in was refused; begin anew",
    DeviceState.EXPIRED: "the code has run out; begin anew",
    DeviceState.UNKNOWN: "there is no such device code, or it was used already; begin anew",
}


class DeviceAsked(Struct):
    """A device that wants to sign in: `client_id` is what it calls itself, `scope` is `read`, `write` or both."""

    client_id: str | None = None
    scope: str | None = None


class DeviceWaits(Struct):
    """What the device shows to its user, and asks again with."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class DeviceAsksAgain(Struct):
    """A device that asks whether it was let in."""

    grant_type: str | None = None
    device_code: str | None = None
    client_id: str | None = None


class DeviceToken(Struct):
    """A device's token: a personal access token, named after the client."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str


class DeviceDecision(Struct, forbid_unknown_fields=True):
    """Whether the device that shows a code may act as the account; case and dash of the code do not matter."""

    user_code: str
    approve: bool = True


class DeviceDecided(Struct):
    """The device, by what it calls itself, and whether it was let in."""

    client: str
    scopes: list[str]
    approved: bool


@post("/device", status_code=200)
async def ask_for_device(request: Asked) -> Reply:
    """Begin to sign in a device: its user enters the code elsewhere."""
    exchange = exchange_of(request)
    await who.check_sender(exchange)
    sent = await _read(request, DeviceAsked)
    asked = devices.WaitingDevice(_client(sent.client_id), _scopes(sent.scope))
    await throttle(exchange, by_address(exchange, DEVICES))
    device_code = secrets.token_urlsafe(32)
    act = partial(devices.ask, exchange.services.database, hash_of(device_code), asked, now=who.now())
    user_code = shown(await exchange.services.run(act))
    page = site_address(exchange) + PAGE
    complete = f"{page}?{urlencode({'user_code': user_code})}"
    waits = DeviceWaits(device_code, user_code, page, complete, devices.LIVES // SECOND, devices.INTERVAL_S)
    return json_reply(waits, 200, (_NOT_KEPT,))


@post("/device/token", status_code=200)
async def fetch_device_token(request: Asked) -> Reply:
    """Ask for the device's token: until somebody has let it in, it is 400 with RFC 8628's `error`."""
    exchange = exchange_of(request)
    await who.check_sender(exchange)
    sent = await _read(request, DeviceAsksAgain)
    if sent.grant_type is None or not sent.device_code:
        raise DeviceRefused("invalid_request", "grant_type and device_code are needed")
    if sent.grant_type != GRANT:
        raise DeviceRefused("unsupported_grant_type", f"grant_type must be {GRANT}")
    now, token = who.now(), new_personal_token()
    row = token_row("", token, "", "", now, now + devices.TOKEN_LIVES)
    act = partial(devices.fetch, exchange.services.database, hash_of(sent.device_code), row)
    found = await exchange.services.run(partial(act, now=now, origin=Origin(exchange.address)))
    if isinstance(found, DeviceState):
        raise DeviceRefused(found.value, _SAID[found])
    return json_reply(DeviceToken(token, "Bearer", devices.TOKEN_LIVES // SECOND, found), 200, (_NOT_KEPT,))


@post("/device/approve", status_code=200)
async def approve_device(request: Asked) -> Reply:
    """Let the device that shows a code act as the account that is signed in, or refuse it."""
    exchange = exchange_of(request)
    session = await who.account_writing(request)
    sent = await read_fields(request, DeviceDecision)
    asked = await decide(exchange, session, sent.user_code, approve=sent.approve)
    return json_reply(DeviceDecided(asked.client, asked.scopes.split(), sent.approve), 200, (_NOT_KEPT,))


async def decide(exchange: Exchange, session: Session, user_code: str, *, approve: bool) -> devices.WaitingDevice:
    """Let a device in, or refuse it; a code that no device shows counts as a failed try."""
    tries = await _count_try(exchange, session.learner_id)
    act = partial(devices.decide, exchange.services.database, session.token_hash, session.learner_id)
    with who.ending_with(exchange):
        asked = await exchange.services.run(partial(act, kept(user_code), approve=approve, now=who.now()))
    await not_counted(exchange, give_back=tries)
    return asked


async def look_up(exchange: Exchange, learner_id: str, user_code: str) -> devices.WaitingDevice:
    """The device that shows a code, for somebody about to let it in; an unknown code counts as a failed try."""
    tries = await _count_try(exchange, learner_id)

    def look(connection: Connection) -> devices.WaitingDevice:
        return devices.find(connection, kept(user_code), who.now())

    asked = await exchange.services.read(look)
    await not_counted(exchange, give_back=tries)
    return asked


async def _count_try(exchange: Exchange, learner_id: str) -> tuple[Throttle, Throttle]:
    tries = Throttle(CODES, (), learner_id), by_address(exchange, CODES_ADDRESS)
    await throttle(exchange, *tries)
    return tries


def shown(user_code: str) -> str:
    """A code as people read it: in two halves."""
    half = len(user_code) // 2
    return f"{user_code[:half]}-{user_code[half:]}"


def kept(sent: str) -> str:
    """A code in the form in which it is kept, however it is written; UnknownUserCode if it cannot be one."""
    code = re.sub(r"[\s\-\u2010-\u2015]", "", sent[:_CODE_SENT_MAX]).upper()
    if len(code) != devices.CODE_LENGTH or not set(code) <= set(devices.LETTERS):
        raise UnknownUserCode("no device waits with this code; look at the device again")
    return code


async def _read(request: Asked, kind: type[T]) -> T:
    try:
        return await read_fields(request, kind)
    except (BodyInvalid, Malformed) as error:
        raise DeviceRefused("invalid_request", error.detail, field=error.field) from None


def _client(sent: str | None) -> str:
    try:
        return check_name(sent, "client_id") or NAMELESS
    except Invalid as error:
        raise DeviceRefused("invalid_request", error.detail, field=error.field) from None


def _scopes(sent: str | None) -> str:
    asked = (sent or "").split() or SCOPES
    if not set(asked) <= set(SCOPES):
        raise DeviceRefused("invalid_scope", f"scope is any of {', '.join(SCOPES)}, separated by spaces", field="scope")
    return " ".join(one for one in SCOPES if one in asked)


router = Router("/auth", route_handlers=[ask_for_device, fetch_device_token, approve_device])
