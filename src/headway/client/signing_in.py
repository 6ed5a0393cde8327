"""Signing in on this device: through a browser (RFC 8628), or with a token."""

import platform
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from headway.client import identities, outbox
from headway.client.entering import SignedIn, enter
from headway.client.errors import AskLater, Refused, SignInNeeded, TokenUnknown, Unreachable
from headway.client.identities import GUEST, Bearer, known
from headway.client.store import Store
from headway.client.transport import Reply, Transport, accepted, retry_after_s

if TYPE_CHECKING:
    from headway.client.sdk import Headway

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
SLOWER_S: Final = 5.0
_INTERVAL_MAX_S: Final = 60.0
_LET_IN_S: Final = 60.0
_BUSY: Final = (429, 503)
# The server gives a token once, and forgets the code then.
_LOST: Final = (
    "the server does not know this sign-in any more: if you have let this device in, the answer with its token was"
    " lost, so revoke it on your account's page; then begin anew"
)


class Code(NamedTuple):
    """The code that the learner enters in the browser, and where; `complete_address` includes the code."""

    device_code: str
    user_code: str
    address: str
    complete_address: str
    expires_in_s: float
    interval_s: float


def sign_in_by_browser(store: Store, transport: Transport, show: Callable[[Code], None]) -> SignedIn:
    """Show a code, and sign in once somebody has entered it in a browser; SignInNeeded if nobody does in time."""
    store.check_room("you cannot be signed in")  # before a token is asked for that could not be kept
    asked = {"client_id": f"Headway on {platform.node() or 'a terminal'}"[:100], "scope": "read write"}
    code = _code(accepted(transport.ask("POST", "/auth/device", asked)).body)
    show(code)
    until, interval_s, rest_s = time.monotonic() + code.expires_in_s, code.interval_s, 0.0
    while (left_s := until - time.monotonic()) > 0:
        time.sleep(min(max(interval_s, rest_s), left_s))
        try:
            reply = transport.ask("POST", "/auth/device/token", {"grant_type": GRANT, "device_code": code.device_code})
        except Unreachable as error:
            interval_s, rest_s = min(interval_s * 2, _INTERVAL_MAX_S), _rest_s(error)  # RFC 8628, 3.5
            continue
        if reply.status == 200:
            return _let_in(store, transport, str(reply.body.get("access_token", "")))
        rest_s = retry_after_s(reply) if reply.status in _BUSY else 0.0
        interval_s += _slower_s(reply)
    raise SignInNeeded("the code has run out; begin anew")


def _let_in(store: Store, transport: Transport, token: str) -> SignedIn:
    """Sign in with a token that the server gives only once: it is stored first, so that nothing can lose it."""
    _check(token)
    with store.writing("you are not signed in") as connection:
        identities.leave_token(connection, transport.url, token)
        identities.name_server(connection, transport.url)
    until = time.monotonic() + _LET_IN_S
    while True:
        try:
            return enter(store, transport, token)
        except Unreachable as error:
            wait_s = max(1.0, _rest_s(error))
            if time.monotonic() + wait_s > until:
                raise Unreachable(f"{error.detail}; you were let in: `headway sync` signs you in, later") from None
            time.sleep(wait_s)


def sign_in_by_token(store: Store, transport: Transport, token: str) -> SignedIn:
    """Sign in by an account's token; a guest on this device moves into the account with the next sync."""
    _check(token)
    return enter(store, transport, token)


def _check(token: str) -> None:
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SignInNeeded("that is no token; make one on your account's page, and give it as one line")


def _rest_s(error: Unreachable) -> float:
    return error.retry_after_s if isinstance(error, AskLater) else 0.0


def begin_anew(store: Store, transport: Transport) -> bool:
    """Replace this device's guest if the server does not know it any more; returns whether it did."""
    with store.reading() as connection:
        guest = known(connection, Bearer(transport.url, None))
    if guest is None or guest.kind != GUEST or guest.token is None:
        return False
    try:
        accepted(transport.ask("GET", "/auth/me", token=guest.token))
    except TokenUnknown:
        with store.writing("nothing has changed") as connection:
            return identities.begin_anew(connection, guest)
    except (Refused, SignInNeeded, Unreachable):
        return False
    return False


def who_is_here(headway: "Headway") -> SignedIn | None:
    """Who the client acts as; None if nobody is signed in and no guest has done anything yet."""
    if headway.bearer.token is not None:
        learner = headway.read("/auth/me").data
        who = learner["learner"] or {}
        return SignedIn(headway.url, learner["kind"], who.get("id"), who.get("display_name") or who.get("email"))
    with headway.store.reading() as connection:
        found = known(connection, Bearer(headway.url, None))
        if found is not None and found.learner is None and not outbox.has_any(connection, found.id):
            return None
    return None if found is None else SignedIn(found.server, found.kind, found.learner, found.name)


def _code(told: Any) -> Code:
    match told:
        case {
            "device_code": str(device_code),
            "user_code": str(user_code),
            "verification_uri": str(address),
            "verification_uri_complete": str(complete),
            "expires_in": int(expires_in),
            "interval": int(interval),
        } if complete.startswith(("http://", "https://")):
            return Code(device_code, user_code, address, complete, expires_in, max(1, interval))
    raise Unreachable("the server does not say how to sign in")


def _slower_s(reply: Reply) -> float:
    """The seconds to add to the interval between tries; SignInNeeded if there is nothing to wait for."""
    error = reply.body.get("error") if isinstance(reply.body, dict) else None
    if error == "authorization_pending":
        return 0.0
    if error == "slow_down" or reply.status in _BUSY:
        return SLOWER_S
    raise SignInNeeded(_LOST if error == "invalid_grant" else reply.detail)
