"""Tokens and the cookies that carry them. What the database keeps of a token is its SHA-256."""

import re
import secrets
from hashlib import sha256
from typing import Final, NamedTuple

from headway.domain.times import DAY
from headway.http.exchange import Exchange

GUEST_LIVES: Final = 365 * DAY
SESSION_LIVES: Final = 30 * DAY
# So that people, and programs that look for leaked secrets, recognize it.
TOKEN_PREFIX: Final = "hwp_"  # noqa: S105 - what all of them begin with, and no secret
GUEST_COOKIE: Final = "headway_guest"
SESSION_COOKIE: Final = "headway_session"
# The server ends a session 30 days after its last use; the cookie need only outlast it (browsers keep 400 days).
_COOKIE_S: Final = 365 * 86_400
_TOKEN_MAX: Final = 200
# Schemes by which a proxy before the server may ask who a browser is; they mean nothing to Headway.
_OF_PROXIES: Final = (b"basic", b"digest", b"negotiate", b"ntlm")
_BEARER: Final = re.compile(rb",\s*bearer\b", re.IGNORECASE)
_QUOTED: Final = re.compile(rb'"[^"]*"')


class Credential(NamedTuple):
    """A token that came with a request, and how: by `bearer`, or as one of the cookies."""

    token: str
    by: str


def new_guest_token() -> str:
    """A secret of 128 bits."""
    return secrets.token_urlsafe(16)


def new_session_token() -> str:
    """A secret of 256 bits."""
    return secrets.token_urlsafe(32)


def new_personal_token() -> str:
    """A secret of 256 bits, for programs."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def hash_of(token: str) -> str:
    """What is kept of a token: its SHA-256, in hexadecimal."""
    return sha256(token.encode()).hexdigest()


def credentials_of(exchange: Exchange) -> list[Credential]:
    """The tokens of a request, the one that counts first: a bearer's alone, else the session's, then the guest's."""
    sent_by = exchange.headers.get(b"authorization", b"").strip()
    scheme, _, token = sent_by.partition(b" ")
    # A bearer's token after a proxy's credentials is refused: two would say who asks, and their order would decide.
    if scheme and (scheme.lower() not in _OF_PROXIES or _BEARER.search(_QUOTED.sub(b"", sent_by))):
        # Any other scheme is refused as a dead token is: taken for nobody, its events would go to a guest who is lost.
        sent = token.strip().decode("latin-1")[:_TOKEN_MAX] if scheme.lower() == b"bearer" else ""
        return [Credential(sent, "bearer")]
    cookies = exchange.headers.get(b"cookie")
    return _of_cookies(exchange, cookies) if cookies is not None else []


def _of_cookies(exchange: Exchange, header: bytes) -> list[Credential]:
    found = {}
    for part in header.decode("latin-1").split(";"):
        name, _, value = part.strip().partition("=")
        found[name] = value
    named = [(name, found.get(_full(exchange, name), "")) for name in (SESSION_COOKIE, GUEST_COOKIE)]
    return [Credential(token[:_TOKEN_MAX], name) for name, token in named if token]


def cookie_of(exchange: Exchange, name: str) -> str | None:
    """The value of the browser's cookie of this name, if it has one."""
    header = exchange.headers.get(b"cookie", b"").decode("latin-1")
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return next((value for key, _, value in pairs if key == _full(exchange, name)), None)


def set_cookie(exchange: Exchange, name: str, token: str, max_age: int = _COOKIE_S) -> None:
    """Set a cookie that holds a token; `max_age` is in seconds."""
    exchange.cookies.append(_cookie(exchange, name, token, max_age))


def clear_cookie(exchange: Exchange, name: str) -> None:
    """Delete a cookie."""
    exchange.cookies.append(_cookie(exchange, name, "", 0))


def _cookie(exchange: Exchange, name: str, value: str, max_age: int) -> bytes:
    secure = "; Secure" if _is_secure(exchange) else ""
    return f"{_full(exchange, name)}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}".encode("ascii")


def _full(exchange: Exchange, name: str) -> str:
    # __Host- makes browsers refuse the cookie from a sibling domain, and over HTTP.
    return f"__Host-{name}" if _is_secure(exchange) else name


def _is_secure(exchange: Exchange) -> bool:
    return exchange.scheme == "https" or exchange.services.settings.https
