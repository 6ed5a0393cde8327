"""Personal access tokens: an account's keys for programs, shown once, and revoked by it."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import uuid4

import msgspec
from litestar import Router, delete, get, post
from litestar.params import FromPath
from msgspec import Meta, Struct
from sqlalchemy.engine import Connection, RowMapping

from headway.domain.identity import NAME_MAX, SCOPES, check_name
from headway.domain.times import DAY, format_time
from headway.http import who
from headway.http.bodies import read_json
from headway.http.cursors import LIMIT, Cursor, Limit, cut
from headway.http.exchange import Asked, exchange_of
from headway.http.ids import is_id
from headway.http.refusals import BodyInvalid, FieldFault, Forbidden, NotFound, Unauthorized
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.tokens import new_personal_token
from headway.ledger import tokens as ledger
from headway.ledger.security import Origin
from headway.ledger.tokens import NEVER
from headway.store import tokens

Scope: TypeAlias = Literal["read", "write", "creator"]


class TokenAsked(Struct, forbid_unknown_fields=True):
    """A token to be made; without `expires_in_days` it lasts until it is revoked."""

    name: Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=len(SCOPES))]
    expires_in_days: Annotated[int, Meta(ge=1, le=3_650)] | None = None


class TokenListed(Struct):
    """A token, without its secret. `last_used_at` is right to the day; without `expires_at` it does not run out."""

    id: str
    name: str
    scopes: list[str]
    created_at: str
    last_used_at: str | None
    expires_at: str | None


class TokenMade(TokenListed):
    """A new token; `token` is shown this once, and sent as bearer."""

    token: str


class TokenList(Struct):
    """An account's tokens, newest first."""

    items: list[TokenListed]
    next_cursor: str | None


_asked: Final = msgspec.json.Decoder(TokenAsked).decode


def token_row(learner_id: str, token: str, name: str, scopes: str, at: int, expires_at: int = NEVER) -> dict[str, Any]:
    """The row of the session that a new personal access token is."""
    row = who.session_row(learner_id, "token", token, at)
    # It was never used; only tokens show that.
    return row | {"id": str(uuid4()), "name": name, "scopes": scopes, "last_used_at": 0, "expires_at": expires_at}


@get("/tokens")
async def list_tokens(request: Asked, limit: Limit = LIMIT, cursor: Cursor = None) -> Reply:
    """The account's personal access tokens."""
    now = who.now()

    def look(connection: Connection, reader: who.Reader) -> TokenList:
        if reader.learner_id is None:
            raise Unauthorized("sign in to see your tokens")
        if reader.kind != "account":
            raise Forbidden("guests have no tokens; register or sign in first")
        found, behind = cut(
            tokens.of_learner(connection, reader.learner_id, now), _place, tuple[int, str], limit, cursor
        )
        return TokenList([TokenListed(*_shown(row)) for row in found], behind)

    return json_reply(await who.read_as_caller(request, look), 200, (PERSONAL,))


@post("/tokens", status_code=201)
async def make_token(request: Asked) -> Reply:
    """Make a personal access token for a program; its secret is in this reply and nowhere else."""
    exchange = exchange_of(request)
    session = await who.account_writing(request)
    sent = await read_json(request, _asked)
    name = check_name(sent.name, "name")
    if name is None:
        raise BodyInvalid([FieldFault("name", "name: must not be blank")])
    at, token = who.now(), new_personal_token()
    ends = NEVER if sent.expires_in_days is None else at + sent.expires_in_days * DAY
    scopes = " ".join(one for one in SCOPES if one in sent.scopes)
    row = token_row(session.learner_id, token, name, scopes, at, ends)
    act = partial(ledger.make, now=at, origin=Origin(exchange.address))
    with who.ending_with(exchange):
        await exchange.services.run(partial(act, exchange.services.database, session.token_hash, row))
    return json_reply(TokenMade(*_shown(row), token), 201, (PERSONAL,))


@delete("/tokens/{token:str}", status_code=200)
async def revoke_token(request: Asked, token: FromPath[str]) -> Reply:
    """Revoke a personal access token: from now on it opens nothing."""
    exchange = exchange_of(request)
    session = await who.account_writing(request)
    act = partial(ledger.revoke, now=who.now(), origin=Origin(exchange.address))
    of_account = (exchange.services.database, session.token_hash, session.learner_id)
    with who.ending_with(exchange):
        known = is_id(token) and await exchange.services.run(partial(act, *of_account, token))
    if not known:
        raise NotFound("there is no such token")
    return Reply(status=204, headers=(PERSONAL,))


def _place(row: RowMapping) -> tuple[int, str]:
    return -row["created_at"], row["id"]


def _shown(row: RowMapping | Mapping[str, Any]) -> tuple[str, str, list[str], str, str | None, str | None]:
    used_at, ends = row["last_used_at"], row["expires_at"]
    return (
        row["id"],
        row["name"] or "",
        row["scopes"].split(),
        format_time(row["created_at"]),
        format_time(used_at) if used_at else None,
        format_time(ends) if ends < NEVER else None,
    )


router = Router("/auth", route_handlers=[list_tokens, make_token, revoke_token])
