"""Who asks: nobody, a guest or an account, by a bearer token or a cookie."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import time_ns
from typing import Any, Final, NamedTuple, NoReturn, TypeVar
from uuid import uuid4

from sqlalchemy.engine import Connection, RowMapping

from headway.domain.errors import IdentityGone
from headway.domain.identity import SCOPES
from headway.domain.times import DAY
from headway.http.exchange import Exchange, exchange_of
from headway.http.refusals import CrossSite, Forbidden, InsufficientScope, Unauthorized
from headway.http.remembered import Session
from headway.http.tokens import (
    GUEST_LIVES,
    SESSION_LIVES,
    TOKEN_PREFIX,
    Credential,
    clear_cookie,
    credentials_of,
    hash_of,
    set_cookie,
)
from headway.ledger import accounts
from headway.ledger.submission import Newcomer
from headway.store import learners

T = TypeVar("T")
_OWN_SITE: Final = (b"same-origin", b"none")
_IDENTITY: Final = ["api", "v1", "auth"]
_BEYOND_TOKENS: Final = "personal tokens cannot do this; sign in to do it"
_DEAD: Final = "this token is not known, or its session has ended: leave it out, or sign in again"
_NONE: Final = "the request names no token: send `Authorization: Bearer TOKEN`, or leave the header out"


class Reader(NamedTuple):
    """Who reads: `kind` is nobody, guest or account; `row` the learner's row with the session's columns.

    `scopes` limit a personal token; None is everything.
    """

    kind: str
    row: RowMapping | None
    scopes: frozenset[str] | None = None

    @property
    def learner_id(self) -> str | None:
        """The learner's id; None for nobody."""
        return None if self.row is None else self.row["id"]


NOBODY: Final = Reader("nobody", None)


def now() -> int:
    """The server's time in microseconds."""
    return time_ns() // 1000


async def read_as_caller(request: Any, view: Callable[[Connection, Reader], T], *, scope: str | None = None) -> T:
    """Run a view as the caller, on one snapshot; a dead cookie counts as nobody, a dead bearer token is refused.

    `scope` is the one that a personal token needs, where it is not that of the method.
    """
    exchange = exchange_of(request)
    credentials = credentials_of(exchange)

    def look(connection: Connection) -> tuple[Reader, Credential | None, T]:
        reader, credential = _reader(connection, credentials)
        check_scopes(exchange, reader.scopes, scope)
        return reader, credential, view(connection, reader)

    reader, credential, found = await exchange.services.read(look)
    exchange.learner_id = reader.learner_id
    if reader.row is not None and credential is not None:
        await _note_use(exchange, credential, reader.row)
    return found


async def caller(request: Any, *, scope: str | None = None) -> Reader:
    """The caller, as the database knows them."""
    return await read_as_caller(request, lambda _, reader: reader, scope=scope)


def _reader(connection: Connection, credentials: list[Credential]) -> tuple[Reader, Credential | None]:
    for credential in credentials:
        row = learners.by_session(connection, hash_of(credential.token), now())
        if row is not None:
            return Reader(_kind(row), row, _scopes(row)), credential
        if credential.by == "bearer":
            raise _dead(credential)
    return NOBODY, None


async def writing_session(exchange: Exchange) -> Session | None:
    """The session that a write comes with; None for nobody. A dead token is refused, and its cookie cleared."""
    credentials = credentials_of(exchange)
    if not credentials:
        check_same_origin(exchange)
        return None
    credential = credentials[0]
    if credential.by != "bearer":
        check_same_origin(exchange)
    session = exchange.services.remembered.find(credential.token)
    if session is None:
        session = await _session(exchange, credential)
    try:
        check_scopes(exchange, session.scopes)
    except InsufficientScope:
        await look_again(exchange, session)
        raise
    exchange.learner_id = session.learner_id
    return session


async def _session(exchange: Exchange, credential: Credential) -> Session:
    token_hash = hash_of(credential.token)
    row = await exchange.services.read(lambda connection: learners.by_session(connection, token_hash, now()))
    if row is None:
        refuse_dead(exchange, credential)
    await _note_use(exchange, credential, row)
    session = Session(token_hash, _kind(row), row["id"], _scopes(row))
    exchange.services.remembered.keep(credential.token, session)
    return session


def _kind(row: RowMapping) -> str:
    """The caller's kind, guest or account; a personal token counts as its account."""
    return "guest" if row["session_kind"] == "guest" else "account"


def _scopes(row: RowMapping) -> frozenset[str] | None:
    return None if row["session_kind"] != "token" else frozenset((row["scopes"] or "").split())


def check_scopes(exchange: Exchange, scopes: frozenset[str] | None, needed: str | None = None) -> None:
    """Refuse what a personal token may not do; `scopes` is None for other sessions, which are not limited.

    Whatever its scopes, a token never changes an identity: whoever finds one can neither make others nor lock its owner
    out.
    """
    if scopes is None:
        return
    reads = exchange.method in ("GET", "HEAD")
    # By its parts, as the router reads it: to the router, //api/v1//auth/tokens is the same path.
    path = [part for part in exchange.path.split("/") if part]
    if path[:3] == _IDENTITY and path[3:] != (["me"] if reads else ["merge"]):
        raise InsufficientScope(_BEYOND_TOKENS, "")
    scope = needed or ("read" if reads else "write")
    if scope not in SCOPES:
        raise InsufficientScope(_BEYOND_TOKENS, "")
    if scope not in scopes:
        raise InsufficientScope(f"this token lacks the scope {scope}; make one that has it", scope)


def refuse_dead(exchange: Exchange, credential: Credential | None) -> NoReturn:
    """Refuse a write that came with a token whose session has ended."""
    if credential is not None and credential.by != "bearer":
        clear_cookie(exchange, credential.by)
    raise _dead(credential)


def _dead(credential: Credential | None) -> IdentityGone:
    return IdentityGone(_NONE if credential is not None and not credential.token else _DEAD)


def session_ended(exchange: Exchange) -> None:
    """Forget a remembered session that the transaction found ended, and clear its cookie."""
    for credential in credentials_of(exchange)[:1]:
        exchange.services.remembered.forget(credential.token)
        if credential.by != "bearer":
            clear_cookie(exchange, credential.by)


@contextmanager
def ending_with(exchange: Exchange) -> Iterator[None]:
    """Forget the caller's session if what is done within finds that it has ended."""
    try:
        yield
    except IdentityGone:
        session_ended(exchange)
        raise


async def learner_writing(request: Any) -> Session:
    """The session of a write about what a learner has already; Unauthorized for nobody."""
    session = await writing_session(exchange_of(request))
    if session is None:
        raise Unauthorized("sign in first")
    return session


async def account_writing(request: Any) -> Session:
    """The session of a write that only accounts may make; Unauthorized or Forbidden for others."""
    session = await learner_writing(request)
    if session.kind != "account":
        await look_again(exchange_of(request), session)
        raise Forbidden("guests cannot do this; register or sign in first")
    return session


async def look_again(exchange: Exchange, session: Session) -> None:
    """Raise IdentityGone if a remembered session has ended: for answers without a transaction that would notice."""
    with ending_with(exchange):
        live = await exchange.services.read(lambda it: learners.by_session(it, session.token_hash, now()))
        if live is None:
            raise IdentityGone(_DEAD)


def check_same_origin(exchange: Exchange) -> None:
    """Refuse what a page of another site makes a browser send.

    Without cookies as well: the browser may hold them back, and the reply could still sign it in as somebody.
    """
    headers = exchange.headers
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        if site not in _OWN_SITE:
            raise CrossSite("a page of another site sent this; it was not carried out")
        return
    origin = headers.get(b"origin")
    # Without the scheme: behind a proxy only the proxy knows it.
    if origin is not None and origin.partition(b"://")[2].lower() != headers.get(b"host", b"").lower():
        raise CrossSite("a page of another origin sent this; it was not carried out")


def check_cookies(exchange: Exchange) -> None:
    """As `check_same_origin`, for a write that does not ask who sends it; also refuses an empty bearer token."""
    bearers = [one for one in credentials_of(exchange) if one.by == "bearer"]
    if not bearers:
        check_same_origin(exchange)
    for one in bearers:
        if not one.token:
            raise _dead(one)


async def check_sender(exchange: Exchange) -> None:
    """As `check_cookies`; also refuses personal tokens, which may change no identity."""
    check_cookies(exchange)
    if any(one.token.startswith(TOKEN_PREFIX) for one in credentials_of(exchange)):
        await writing_session(exchange)


def newcomer(at: int, token: str) -> Newcomer:
    """A guest and their session, to be added with the first events."""
    learner: dict[str, Any] = {"id": str(uuid4()), "kind": "guest", "time_zone": "UTC", "created_at": at}
    return Newcomer(learner, session_row(learner["id"], "guest", token, at))


def session_row(learner_id: str, kind: str, token: str, at: int) -> dict[str, Any]:
    """The row of a new session."""
    lives = GUEST_LIVES if kind == "guest" else SESSION_LIVES
    return {
        "token_hash": hash_of(token),
        "id": str(uuid4()),
        "learner_id": learner_id,
        "kind": kind,
        "created_at": at,
        "last_used_at": at,
        "expires_at": at + lives,
        "name": None,
        "scopes": None,
    }


async def _note_use(exchange: Exchange, credential: Credential, row: RowMapping) -> None:
    """Prolong a session and its cookie at its first use of a day."""
    at = now()
    if at - row["last_used_at"] < DAY:
        return
    # A personal token ends when its owner said, however much it is used.
    lives = {"guest": at + GUEST_LIVES, "token": row["expires_at"]}.get(row["session_kind"], at + SESSION_LIVES)
    database = exchange.services.database
    await exchange.services.run(lambda: accounts.note_use(database, hash_of(credential.token), at, lives))
    if credential.by != "bearer":
        set_cookie(exchange, credential.by, credential.token)
