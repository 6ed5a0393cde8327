"""The end of every way of signing in: a session is opened, and the guest who came along is moved into the account."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog
from msgspec import Struct
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import SQLAlchemyError

from headway.domain.errors import IdentityGone
from headway.domain.times import format_time
from headway.http import who
from headway.http.agents import name_of
from headway.http.exchange import Exchange
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.tokens import (
    GUEST_COOKIE,
    SESSION_COOKIE,
    clear_cookie,
    credentials_of,
    hash_of,
    new_session_token,
    set_cookie,
)
from headway.ledger import accounts
from headway.ledger.accounts import Merged
from headway.ledger.merge import move_guest
from headway.ledger.security import Origin
from headway.store import learners
from headway.store.database import told

log = structlog.get_logger()


class Learner(Struct):
    """Someone who learns: a guest or an account."""

    id: str
    kind: str
    email: str | None
    display_name: str | None
    roles: list[str]
    time_zone: str
    created_at: str
    leaderboard_alias: str | None
    leaderboard_opt_out: bool


class MergedCounts(Struct):
    """What a guest brought into an account."""

    steps: int
    events: int
    certificates: int


class SignedIn(Struct):
    """The account, and what the guest brought along; null where there was none.

    Where moving the guest failed, `merge_failed` says so: the guest stays as it was, and the next sign-in tries again.
    """

    learner: Learner
    merged: MergedCounts | None
    merge_failed: bool


async def signed_in(
    exchange: Exchange,
    learner_id: str,
    status: int = 200,
    *,
    password_hash: str | None = None,
    verified_hash: str | None = None,
) -> Reply:
    """Sign in somebody who has proved to be the account's owner; `password_hash`, if given, is a newer one to keep.

    `verified_hash` is the hash that the password was checked against: if the account has another one by now, the
    password was changed meanwhile.
    """
    opened = await open_session(exchange, learner_id, password_hash=password_hash, verified_hash=verified_hash)
    return json_reply(opened, status, (PERSONAL,))


async def open_session(
    exchange: Exchange, learner_id: str, *, password_hash: str | None = None, verified_hash: str | None = None
) -> SignedIn:
    """As `signed_in`, for replies of another shape: open a session, move the guest who came along, set the cookies."""
    token = new_session_token()
    session = who.session_row(learner_id, "account", token, who.now()) | {"name": client_name(exchange)}
    old, origin = own_session(exchange), Origin(exchange.address)
    hashes = {"password_hash": password_hash, "verified_hash": verified_hash, "old_token_hash": old}
    sign_in = partial(accounts.sign_in, exchange.services.database, session, origin=origin, **hashes)
    await exchange.services.run(sign_in)
    set_cookie(exchange, SESSION_COOKIE, token)
    merged, merge_failed = await _move_guest(exchange, learner_id)
    return await tell(exchange, learner_id, merged, merge_failed=merge_failed)


async def _move_guest(exchange: Exchange, account_id: str) -> tuple[Merged | None, bool]:
    """Move the guest who came along; returns what it brought, and whether the move failed, which ends no sign-in."""
    guest = next((one for one in credentials_of(exchange) if one.by != SESSION_COOKIE), None)
    if guest is None:
        return None, False
    services, token_hash = exchange.services, hash_of(guest.token)
    move = partial(move_guest, services.database, services.catalog, account_id, token_hash, now=who.now())
    try:
        merged = await services.run(move)
    except SQLAlchemyError as error:
        log.warning("merge_failed", request_id=exchange.request_id, account_id=account_id, error=told(error))
        return None, True
    except Exception:  # a defect: whoever has shown who they are is signed in all the same
        log.exception("merge_failed", request_id=exchange.request_id, account_id=account_id)
        return None, True
    services.remembered.forget(guest.token)
    if guest.by == GUEST_COOKIE:
        clear_cookie(exchange, GUEST_COOKIE)
    return merged, False


def client_name(exchange: Exchange) -> str | None:
    """The name of a session: the client in few words."""
    return name_of(exchange.headers.get(b"user-agent"))


def own_session(exchange: Exchange) -> str | None:
    """The hash of the session token that the browser holds, which a new one replaces; None if it holds none."""
    return next((hash_of(one.token) for one in credentials_of(exchange) if one.by == SESSION_COOKIE), None)


async def tell(
    exchange: Exchange, learner_id: str, merged: accounts.Merged | None, *, merge_failed: bool = False
) -> SignedIn:
    """The account as it is now, and what became of the guest."""
    row = await exchange.services.read(lambda connection: learners.by_id(connection, learner_id))
    if row is None or row["erased_at"] is not None:
        raise IdentityGone("the account was erased meanwhile")
    exchange.learner_id = learner_id
    return SignedIn(learner_of(row), MergedCounts(*merged) if merged else None, merge_failed)


def learner_of(row: RowMapping | Mapping[str, Any]) -> Learner:
    """A learner's row as the API shows it."""
    return Learner(
        row["id"],
        row["kind"],
        row["email"],
        row["display_name"],
        row["roles"].split(),
        row["time_zone"],
        format_time(row["created_at"]),
        row["leaderboard_alias"],
        row["leaderboard_opt_out"],
    )
