"""Identity: register, sign in and out, who am I, guests for clients without cookies."""

from functools import partial
from typing import Any, Final
from uuid import uuid4

import msgspec
from litestar import Router, get, patch, post
from msgspec import UNSET, Struct, UnsetType

from headway.domain.errors import HeadwayError
from headway.domain.identity import check_name
from headway.domain.times import zone
from headway.http import password_tries, who
from headway.http.bodies import read_json
from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.limits import by_address, throttle
from headway.http.refusals import Unauthorized
from headway.http.remembered import Session
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.signing_in import Learner, client_name, learner_of, own_session, signed_in, tell
from headway.http.tokens import (
    GUEST_COOKIE,
    SESSION_COOKIE,
    clear_cookie,
    credentials_of,
    hash_of,
    new_guest_token,
    new_session_token,
    set_cookie,
)
from headway.ledger import accounts
from headway.ledger.accounts import WRONG, WrongCredentials
from headway.ledger.emails import known_spelling, normalize_email
from headway.ledger.security import Origin
from headway.ledger.throttles import NEW_LEARNERS
from headway.store import learners


class GuestMade(Struct):
    """A new guest, and the token to send as bearer."""

    learner: Learner
    token: str


class Me(Struct):
    """Who asks: nobody, a guest or an account."""

    kind: str
    learner: Learner | None


class Registration(Struct, forbid_unknown_fields=True):
    """A new account."""

    email: str
    password: str
    display_name: str | None = None
    time_zone: str | None = None


class SignIn(Struct, forbid_unknown_fields=True):
    """An address and its password."""

    email: str
    password: str


class Profile(Struct, forbid_unknown_fields=True):
    """What a learner may change; what is left out stays."""

    display_name: str | UnsetType | None = UNSET
    time_zone: str | UnsetType = UNSET
    leaderboard_alias: str | UnsetType | None = UNSET
    leaderboard_opt_out: bool | UnsetType = UNSET


_OF_NO_GUEST: Final = ("email", "display_name", "leaderboard_alias")
_registration: Final = msgspec.json.Decoder(Registration).decode
_sign_in: Final = msgspec.json.Decoder(SignIn).decode
_profile: Final = msgspec.json.Decoder(Profile).decode


@post("/register", status_code=201)
async def register(request: Asked) -> Reply:
    """Make an account and sign in; a guest becomes the account, with all that was recorded."""
    exchange = exchange_of(request)
    guest = await _guest(exchange)
    sent = await read_json(request, _registration)
    at = who.now()
    account: dict[str, Any] = {
        "id": guest.learner_id if guest else str(uuid4()),
        "kind": "account",
        "email": normalize_email(sent.email),
        "display_name": check_name(sent.display_name),
        "time_zone": _zone(sent.time_zone) if sent.time_zone is not None else None,
        "created_at": at,
    }
    await throttle(exchange, by_address(exchange, NEW_LEARNERS))
    account["password_hash"] = await exchange.services.passwords.chosen(sent.password, account["email"])
    token, origin = new_session_token(), Origin(exchange.address)
    session = who.session_row(account["id"], "account", token, at) | {"name": client_name(exchange)}
    database, guest_hash = exchange.services.database, guest.token_hash if guest else None
    with who.ending_with(exchange):
        merged = await exchange.services.run(
            lambda: accounts.register(
                database,
                account,
                session,
                guest_token_hash=guest_hash,
                origin=origin,
                catalog=exchange.services.catalog,
            )
        )
    if (old := own_session(exchange)) is not None:
        await exchange.services.run(lambda: accounts.sign_out(database, old, now=at, origin=origin))
    if guest:
        who.session_ended(exchange)
    set_cookie(exchange, SESSION_COOKIE, token)
    return json_reply(await tell(exchange, account["id"], merged), 201, (PERSONAL,))


async def _guest(exchange: Exchange) -> Session | None:
    """The guest who registers; None for nobody, and for somebody who is signed in and makes another account."""
    session = await who.writing_session(exchange)
    if session is None or session.kind == "guest":
        return session
    await who.look_again(exchange, session)
    return None


@post("/login", status_code=200)
async def login(request: Asked) -> Reply:
    """Sign in. An unknown address and a wrong password are refused in the same words, after the same time."""
    exchange = exchange_of(request)
    await who.check_sender(exchange)
    sent = await read_json(request, _sign_in)
    return await sign_in(exchange, sent)


async def sign_in(exchange: Exchange, sent: SignIn) -> Reply:
    """Sign in with an address and a password; WrongCredentials if they do not belong together."""
    services = exchange.services
    email = _known_form(sent.email)
    tries = await password_tries.begin(exchange, email or sent.email)
    found = await services.read(lambda connection: learners.by_email(connection, email)) if email else None
    if not await password_tries.is_right(exchange, tries, sent.password, found) or found is None:
        raise WrongCredentials(WRONG)
    kept = found["password_hash"]
    newer = await services.passwords.renewed(sent.password, kept)
    return await signed_in(exchange, found["id"], password_hash=newer, verified_hash=kept)


def _known_form(sent: str) -> str | None:
    try:
        return known_spelling(sent)
    except HeadwayError:
        return None


@post("/logout", status_code=200)
async def logout(request: Asked) -> Reply:
    """End the session; without one, nothing changes."""
    exchange = exchange_of(request)
    await who.check_sender(exchange)
    services = exchange.services
    for one in credentials_of(exchange):
        if one.by != GUEST_COOKIE:
            services.remembered.forget(one.token)
            origin = Origin(exchange.address)
            ended = partial(accounts.sign_out, services.database, hash_of(one.token), now=who.now(), origin=origin)
            await services.run(ended)
    clear_cookie(exchange, SESSION_COOKIE)
    return Reply(status=204, headers=(PERSONAL,))


@get("/me")
async def read_me(request: Asked) -> Reply:
    """The caller: nobody, a guest or an account."""
    reader = await who.caller(request)
    return json_reply(Me(reader.kind, learner_of(reader.row) if reader.row else None), 200, (PERSONAL,))


@patch("/me")
async def change_me(request: Asked) -> Reply:
    """Change names, the time zone (recorded days stay as they are), and whether leaderboards show the learner."""
    exchange = exchange_of(request)
    session = await who.writing_session(exchange)
    if session is None:
        raise Unauthorized("there is nobody to change; register, sign in or record something first")
    sent = await read_json(request, _profile)
    values: dict[str, Any] = {}
    if sent.display_name is not UNSET:
        values["display_name"] = check_name(sent.display_name)
    if sent.time_zone is not UNSET:
        values["time_zone"] = _zone(sent.time_zone)
    if sent.leaderboard_alias is not UNSET:
        values["leaderboard_alias"] = check_name(sent.leaderboard_alias, "leaderboard_alias")
    if sent.leaderboard_opt_out is not UNSET:
        values["leaderboard_opt_out"] = sent.leaderboard_opt_out
    services = exchange.services
    with who.ending_with(exchange):
        row = await services.run(
            lambda: accounts.change_profile(services.database, session.token_hash, values, now=who.now())
        )
    return json_reply(Me(row["kind"], learner_of(row)), 200, (PERSONAL,))


@post("/guest", status_code=201)
async def make_guest(request: Asked) -> Reply:
    """A guest for clients without cookies (terminal, editor): send the token as bearer. Browsers need not call this."""
    exchange = exchange_of(request)
    await who.check_sender(exchange)
    await throttle(exchange, by_address(exchange, NEW_LEARNERS))
    token = new_guest_token()
    guest = who.newcomer(who.now(), token)
    services = exchange.services
    await services.run(lambda: accounts.add_guest(services.database, guest.learner, guest.session))
    row = {**dict.fromkeys(_OF_NO_GUEST), "roles": "", "leaderboard_opt_out": False, **guest.learner}
    return json_reply(GuestMade(learner_of(row), token), 201, (PERSONAL,))


def _zone(name: str) -> str:
    zone(name)
    return name


router = Router("/auth", route_handlers=[register, login, logout, read_me, change_me, make_guest])
