"""Learners, for admins: found, shown, given roles; imported ones linked to accounts, or given a code to claim them."""

from functools import partial
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import get, patch, post
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Meta, Struct
from sqlalchemy.engine import Connection

from headway.domain.legacy import legacy_id
from headway.domain.times import format_time
from headway.http import who
from headway.http.admin_achievements import check_admin
from headway.http.bodies import read_json
from headway.http.cursors import LIMIT, Cursor, Limit, read_cursor, write_cursor
from headway.http.exchange import Asked, exchange_of
from headway.http.refusals import NotFound
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.signing_in import MergedCounts
from headway.http.who import Reader
from headway.ledger import directing
from headway.ledger.security import Origin
from headway.store import directory
from headway.store.directory import LearnerQuery, Listed, Place
from headway.views.subject import named

_TEXT_MAX: Final = 320
LearnerKind = Literal["account", "imported", "guest"]


class LearnerListed(Struct):
    """A learner as a list shows them."""

    id: str
    kind: str
    email: str | None
    display_name: str | None
    roles: list[str]
    external_id: str | None
    time_zone: str
    created_at: str


class LearnerFound(Struct):
    """Learners, by name."""

    items: list[LearnerListed]
    next_cursor: str | None


class LearnerShown(LearnerListed):
    """A learner: `external_ids` are all that they are known by, `events` counts the entries of their own ledger."""

    external_ids: list[str]
    events: int
    enrollments: int
    last_event_at: str | None


class RolesSent(Struct, forbid_unknown_fields=True):
    """The roles that an account is to have, and no others."""

    roles: Annotated[list[Literal["admin", "creator"]], Meta(max_length=2)]


class AccountSent(Struct, forbid_unknown_fields=True):
    """The account that the imported learner becomes part of, by its id."""

    account: Annotated[str, Meta(min_length=1, max_length=255)]


class Linked(Struct):
    """What the imported learner brought into the account."""

    merged: MergedCounts


class ClaimMade(Struct):
    """A code to claim an imported learner: an account sends it to `POST /auth/merge` as `guest_token`, once."""

    code: str
    expires_at: str


async def _admin(request: Asked) -> Reader:
    """The admin who asks for a change; Unauthorized or Forbidden for everybody else."""
    who.check_cookies(exchange_of(request))
    reader = await who.caller(request, scope="admin")
    check_admin(reader)
    return reader


_roles_sent: Final = msgspec.json.Decoder(RolesSent).decode
_account_sent: Final = msgspec.json.Decoder(AccountSent).decode


@get("/admin/learners")
async def list_learners(
    request: Asked,
    q: Annotated[str | None, QueryParameter(max_length=_TEXT_MAX)] = None,
    external_id: Annotated[str | None, QueryParameter(max_length=255)] = None,
    kind: FromQuery[LearnerKind | None] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Reply:
    """Learners by name: accounts and imported ones, or those of a `kind`. Guests are left out unless asked for.

    `q` is the beginning of a name, or a whole e-mail address, id or external id (`user_7` and `7` are one).
    """
    place = read_cursor(cursor, Place)

    def look(connection: Connection, reader: Reader) -> LearnerFound:
        check_admin(reader)
        found = directory.page(connection, _wanted(q, external_id, kind), place, limit + 1)
        if not found and q is not None and place is None:
            found = _by_id(connection, q)
        more = write_cursor(Place(found[limit - 1].key, found[limit - 1].id)) if len(found) > limit else None
        return LearnerFound([LearnerListed(**_shown(one)) for one in found[:limit]], more)

    return json_reply(await who.read_as_caller(request, look, scope="admin"), headers=(PERSONAL,))


def _wanted(q: str | None, external_id: str | None, kind: str | None) -> LearnerQuery:
    text = None if q is None else q.replace("\0", "")
    of = None if external_id is None else legacy_id(external_id) or external_id.replace("\0", "")
    return LearnerQuery(text, of, kind)


def _by_id(connection: Connection, reference: str) -> list[Listed]:
    """A learner who is named whole, by an id or an external id in any spelling."""
    learner_id = named(connection, reference)
    return [] if learner_id is None else directory.whole(connection, learner_id)


def _shown(one: Listed) -> dict[str, Any]:
    said = one._asdict() | {"roles": one.roles.split(), "created_at": format_time(one.created_at)}
    del said["key"]
    return said


@get("/admin/learners/{learner:str}")
async def read_learner(request: Asked, learner: FromPath[str]) -> Reply:
    """One learner, by id or external id."""

    def look(connection: Connection, reader: Reader) -> LearnerShown:
        check_admin(reader)
        return _whole(connection, _found(connection, learner))

    return json_reply(await who.read_as_caller(request, look, scope="admin"), headers=(PERSONAL,))


def _found(connection: Connection, reference: str) -> str:
    learner_id = named(connection, reference)
    if learner_id is None:
        raise NotFound("there is no such learner")
    return learner_id


def _whole(connection: Connection, learner_id: str) -> LearnerShown:
    (one,) = directory.whole(connection, learner_id)
    events, enrollments, last = directory.figures(connection, learner_id)
    return LearnerShown(
        **_shown(one),
        external_ids=directory.linked(connection, learner_id),
        events=events,
        enrollments=enrollments,
        last_event_at=None if last is None else format_time(last),
    )


@patch("/admin/learners/{learner:str}")
async def change_learner(request: Asked, learner: FromPath[str]) -> Reply:
    """Give an account its roles. The last admin keeps theirs."""
    admin, services = await _admin(request), exchange_of(request).services
    sent = await read_json(request, _roles_sent)
    learner_id = await services.read(lambda connection: _found(connection, learner))
    origin = Origin(exchange_of(request).address, admin.learner_id)
    change = partial(directing.set_roles, services.database, learner_id, sent.roles, now=who.now(), origin=origin)
    await services.run(change)
    return json_reply(await services.read(lambda connection: _whole(connection, learner_id)), headers=(PERSONAL,))


@post("/admin/learners/{learner:str}/claim-code", status_code=201)
async def make_claim_code(request: Asked, learner: FromPath[str]) -> Reply:
    """Make a code by which a person claims an imported learner as part of their own account."""
    admin, services = await _admin(request), exchange_of(request).services
    learner_id = await services.read(lambda connection: _found(connection, learner))
    origin = Origin(exchange_of(request).address, admin.learner_id)
    make = partial(directing.make_claim_code, services.database, learner_id, now=who.now(), origin=origin)
    made = await services.run(make)
    return json_reply(ClaimMade(made.code, format_time(made.expires_at)), 201, (PERSONAL,))


@post("/admin/learners/{learner:str}/link", status_code=200)
async def link_learner(request: Asked, learner: FromPath[str]) -> Reply:
    """Make an imported learner part of an account: all that was imported counts there from now on."""
    admin, services = await _admin(request), exchange_of(request).services
    sent = await read_json(request, _account_sent)
    pair = await services.read(lambda connection: (_found(connection, learner), _found(connection, sent.account)))
    origin = Origin(exchange_of(request).address, admin.learner_id)
    link = partial(directing.link, services.database, services.catalog, *pair, now=who.now(), origin=origin)
    return json_reply(Linked(MergedCounts(*await services.run(link))), 200, (PERSONAL,))


handlers: Final = [list_learners, read_learner, change_learner, make_claim_code, link_learner]
