"""Signing in by another provider with OpenID Connect: the browser is sent there, and comes back with a code."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from hmac import compare_digest
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple, TypeVar
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

import msgspec
from anyio import CapacityLimiter, fail_after, to_thread
from litestar import Router, get
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Struct

from headway.domain.errors import HeadwayError, Invalid
from headway.http import who
from headway.http.addresses import site_address
from headway.http.cursors import LIMIT, Cursor, cut
from headway.http.cursors import Limit as PageLimit
from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.limits import by_address, throttle
from headway.http.oidc_page import asking_page, refusal_page
from headway.http.problems import problem_of
from headway.http.refusals import NotFound, ProviderUnavailable, SignInRefused
from headway.http.reply import Header, Reply, json_reply
from headway.http.services import Services
from headway.http.signing_in import open_session
from headway.http.tokens import clear_cookie, cookie_of, set_cookie
from headway.ledger.external import account_of
from headway.ledger.throttles import Limit

if TYPE_CHECKING:
    from headway.http.openid import Client

T = TypeVar("T")
BEGUN_COOKIE: Final = "headway_oidc"
BEGUN_S: Final = 600
WHOLE_S: Final = 15
# Apart from the threads that read the database: a provider that hangs must not hold those up.
ASKING_AT_ONCE: Final = 4
RETURNS: Final = Limit("provider-sign-ins", 60, 60)
_RETURN_MAX: Final = 1_000
_ELSEWHERE: Final = (b"cross-site", b"same-site")
_NOT_KEPT: Final[Header] = (b"cache-control", b"no-store")
_PUBLIC: Final[Header] = (b"cache-control", b"no-cache")


class Provider(Struct):
    """A provider that learners may sign in with; `url` is where a browser goes for it."""

    id: str
    title: str
    url: str


class ProviderList(Struct):
    """The providers, in order of id."""

    items: list[Provider]
    next_cursor: str | None


class Begun(Struct, array_like=True):
    """A sign-in under way, kept by the browser that began it: no other browser can finish it."""

    provider: str
    state: str
    nonce: str
    verifier: str
    return_to: str


class _Asked(NamedTuple):
    """A provider's client, and the limit of requests to it at once, so that one that hangs holds up no other."""

    client: "Client"
    at_once: CapacityLimiter


_asked: Final[WeakKeyDictionary[Services, dict[str, _Asked]]] = WeakKeyDictionary()
_begun: Final = msgspec.json.Decoder(Begun).decode


@get("/providers")
async def list_providers(request: Asked, limit: PageLimit = LIMIT, cursor: Cursor = None) -> Reply:
    """The providers that learners may sign in with."""
    page = cut(providers(exchange_of(request)), lambda one: (one.id,), tuple[str], limit, cursor)
    return json_reply(ProviderList(*page), 200, (_PUBLIC,))


def providers(exchange: Exchange) -> list[Provider]:
    """The providers that the operator has set up."""
    set_up = exchange.services.settings.oidc
    return [Provider(name, one.title, f"/api/v1/auth/oidc/{name}") for name, one in set_up.items()]


@get("/oidc/{provider:str}", status_code=303)
async def begin_sign_in(request: Asked, provider: FromPath[str], return_to: FromQuery[str] = "/") -> Reply:
    """Send the browser to a provider to sign in there; afterwards it goes on to `return_to`, a path of this server.

    If a page of another site led here, a page asks for consent first.
    """
    exchange = exchange_of(request)
    try:
        asked = _asked_of(exchange, provider)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        begun = Begun(provider, state, nonce, verifier, _local(return_to))
        if exchange.headers.get(b"sec-fetch-site") in _ELSEWHERE:
            return _asked_first(exchange, provider, return_to)
        there = partial(asked.client.address, _callback(exchange, provider))
        location = await _ask(asked, partial(there, state=state, nonce=nonce, verifier=verifier))
    except HeadwayError as error:
        return _told(exchange, error)
    set_cookie(exchange, BEGUN_COOKIE, urlsafe_b64encode(msgspec.json.encode(begun)).decode("ascii"), BEGUN_S)
    return _sent_on(location)


@get("/oidc/{provider:str}/callback", status_code=303)
async def finish_sign_in(
    request: Asked,
    provider: FromPath[str],
    code: FromQuery[str] = "",
    kept: Annotated[str, QueryParameter(name="state")] = "",
    iss: FromQuery[str | None] = None,
    error: FromQuery[str | None] = None,
) -> Reply:
    """Where a provider sends the browser back to: signs in, moves the guest who came along, and goes on."""
    exchange = exchange_of(request)
    try:
        begun = _taken(exchange, provider, kept)
        set_up = exchange.services.settings.oidc[provider]
        if iss is not None and iss != set_up.issuer:
            raise SignInRefused("the answer comes from another provider than was asked; begin the sign-in anew")
        if error is not None or not code:
            raise SignInRefused(f"{set_up.title} did not sign you in; begin anew if you did not mean that")
        await throttle(exchange, by_address(exchange, RETURNS))
        asked = _asked_of(exchange, provider)
        vouched = partial(asked.client.vouched, _callback(exchange, provider), code=code)
        found = await _ask(asked, partial(vouched, nonce=begun.nonce, verifier=begun.verifier))
        database = exchange.services.database
        theirs = partial(account_of, database, found, may_join=set_up.join_accounts, now=who.now())
        await open_session(exchange, await exchange.services.run(theirs))
    except HeadwayError as refusal:
        return _told(exchange, refusal)
    return _sent_on(begun.return_to)


def _asked_first(exchange: Exchange, provider: str, return_to: str) -> Reply:
    # Somebody who is signed in at the provider would come back without being asked, in another session than before.
    there = f"/api/v1/auth/oidc/{provider}?{urlencode({'return_to': return_to})}"
    return asking_page(exchange.services.settings.oidc[provider].title, there)


def _taken(exchange: Exchange, provider: str, state: str) -> Begun:
    """The sign-in that this browser began, which is used up by this; SignInRefused if it did not begin this one."""
    sent = cookie_of(exchange, BEGUN_COOKIE) or ""
    begun = None
    with suppress(ValueError):  # a cookie that was not written here
        begun = _begun(urlsafe_b64decode(sent.encode("ascii")))
    if begun is None or begun.provider != provider or not compare_digest(begun.state.encode(), state.encode()):
        # The cookie stays: an answer that comes too late for one tab must not end the sign-in of another.
        said = "this browser did not begin this sign-in, or too long ago, or began another since; begin it anew"
        raise SignInRefused(said)
    clear_cookie(exchange, BEGUN_COOKIE)
    _local(begun.return_to)
    _asked_of(exchange, provider)
    return begun


def _local(return_to: str) -> str:
    """A path of this server; Invalid where a browser would take it for an address elsewhere."""
    is_path = return_to.startswith("/") and not return_to.startswith("//")
    plain = return_to.isascii() and return_to.isprintable() and not set(return_to) & set('\\ "<>')
    if not is_path or not plain or len(return_to) > _RETURN_MAX:
        raise Invalid("return_to must be a path of this server, such as /device", field="return_to")
    return return_to


def _callback(exchange: Exchange, provider: str) -> str:
    return f"{site_address(exchange)}/api/v1/auth/oidc/{provider}/callback"


def _asked_of(exchange: Exchange, provider: str) -> _Asked:
    services = exchange.services
    set_up = services.settings.oidc.get(provider)
    if set_up is None:
        raise NotFound("there is no such provider")
    known = _asked.setdefault(services, {})
    if provider not in known:
        from headway.http.openid import Client  # noqa: PLC0415 - a library that few servers need, and large

        known[provider] = _Asked(Client(provider, set_up), CapacityLimiter(ASKING_AT_ONCE))
    return known[provider]


async def _ask(asked: _Asked, question: Callable[[], T]) -> T:
    """A provider's answer to a question, asked in a thread; ProviderUnavailable after WHOLE_S seconds."""
    try:
        with fail_after(WHOLE_S):
            return await to_thread.run_sync(question, limiter=asked.at_once, abandon_on_cancel=True)
    except TimeoutError:
        raise ProviderUnavailable("the provider takes too long to answer; try again in a moment") from None


def _sent_on(location: str) -> Reply:
    return Reply(status=303, headers=((b"location", location.encode("ascii")), _NOT_KEPT))


def _told(exchange: Exchange, error: HeadwayError) -> Reply:
    """Answer a refusal with a page for browsers; for other clients, raise it."""
    if b"text/html" not in exchange.headers.get(b"accept", b""):
        raise error
    problem = problem_of(error, exchange.request_id)
    return refusal_page(problem.status, problem.title, problem.detail)


router = Router("/auth", route_handlers=[list_providers, begin_sign_in, finish_sign_in])
