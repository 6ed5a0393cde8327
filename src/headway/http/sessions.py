"""Where an account is signed in, and what happened to it: its sessions and its security events."""

from functools import partial
from typing import Final

from litestar import delete, get
from litestar.params import FromPath
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.times import format_time
from headway.http import who
from headway.http.cursors import LIMIT, Cursor, Limit, foreign_cursor, read_cursor, write_cursor
from headway.http.exchange import Asked, exchange_of
from headway.http.ids import is_id
from headway.http.refusals import Forbidden, NotFound, Unauthorized
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.tokens import SESSION_COOKIE, clear_cookie, credentials_of
from headway.http.who import Reader
from headway.ledger import sessions as ledger
from headway.ledger.security import Origin
from headway.store import security, sessions

_AT_MAX: Final = 2**63 - 1


class OpenSession(Struct):
    """Where an account is signed in; `name` is the client in few words, `last_used_at` is right to the day."""

    id: str
    name: str | None
    created_at: str
    last_used_at: str
    expires_at: str
    current: bool


class SessionList(Struct):
    """An account's sessions, newest first."""

    items: list[OpenSession]
    next_cursor: str | None


class SecurityEvent(Struct):
    """What happened to an account, when, and from which network address; `detail` names a session, a token, a role."""

    id: str
    kind: str
    at: str
    address: str | None
    detail: str | None


class SecurityEventList(Struct):
    """What happened to an account, newest first."""

    items: list[SecurityEvent]
    next_cursor: str | None


@get("/sessions")
async def list_sessions(request: Asked, limit: Limit = LIMIT, cursor: Cursor = None) -> Reply:
    """Where the account is signed in."""
    before, now = _before(cursor), who.now()

    def look(connection: Connection, reader: Reader) -> SessionList:
        account_id, current = _account(reader)
        found = sessions.page(connection, account_id, now, before, limit + 1)
        items = [
            OpenSession(
                row["id"],
                row["name"],
                format_time(row["created_at"]),
                format_time(row["last_used_at"]),
                format_time(row["expires_at"]),
                row["id"] == current,
            )
            for row in found[:limit]
        ]
        last = found[limit - 1] if len(found) > limit else None
        return SessionList(items, write_cursor((last["created_at"], last["id"])) if last else None)

    return json_reply(await who.read_as_caller(request, look), 200, (PERSONAL,))


@delete("/sessions/{session:str}", status_code=200)
async def revoke_session(request: Asked, session: FromPath[str]) -> Reply:
    """End one of the account's sessions, at once."""
    exchange = exchange_of(request)
    asking = await who.account_writing(request)
    act = partial(ledger.revoke, now=who.now(), origin=Origin(exchange.address))
    of_account = (exchange.services.database, asking.token_hash, asking.learner_id)
    with who.ending_with(exchange):
        ended = await exchange.services.run(partial(act, *of_account, session)) if is_id(session) else None
    if ended is None:
        raise NotFound("there is no such session")
    if ended["token_hash"] == asking.token_hash:
        exchange.services.remembered.forget(credentials_of(exchange)[0].token)
        clear_cookie(exchange, SESSION_COOKIE)
    return Reply(status=204, headers=(PERSONAL,))


@get("/security-events")
async def list_security_events(request: Asked, limit: Limit = LIMIT, cursor: Cursor = None) -> Reply:
    """What happened to the account: signing in and out, refusals, changes of password, tokens and roles."""
    before = _before(cursor)

    def look(connection: Connection, reader: Reader) -> SecurityEventList:
        account_id, _ = _account(reader)
        found = security.page(connection, account_id, before, limit + 1)
        items = [
            SecurityEvent(row["id"], row["kind"], format_time(row["at"]), row["address"], row["detail"])
            for row in found[:limit]
        ]
        last = found[limit - 1] if len(found) > limit else None
        return SecurityEventList(items, write_cursor((last["at"], last["id"])) if last else None)

    return json_reply(await who.read_as_caller(request, look), 200, (PERSONAL,))


def _account(reader: Reader) -> tuple[str, str]:
    """The ids of the account that asks, and of its session; Unauthorized or Forbidden for others."""
    if reader.row is None:
        raise Unauthorized("sign in first")
    if reader.kind != "account":
        raise Forbidden("guests have none of this; register or sign in first")
    return reader.row["id"], reader.row["session_id"]


def _before(cursor: str | None) -> tuple[int, str] | None:
    before = read_cursor(cursor, tuple[int, str])
    if before is not None and not (0 <= before[0] <= _AT_MAX and is_id(before[1])):
        raise foreign_cursor()
    return before


handlers: Final = [list_sessions, revoke_session, list_security_events]
