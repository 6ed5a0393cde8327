"""Sharing: the settings of an account's public page, and what anybody reads at its address, as JSON."""

from functools import partial
from typing import Annotated, Final, Literal

import msgspec
from litestar import delete, get, put
from litestar.params import FromPath
from msgspec import Meta, Struct
from sqlalchemy.engine import Connection

from headway.http import etags, who
from headway.http.addresses import site_address
from headway.http.bodies import read_json
from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.issuer import FOR_ALL
from headway.http.refusals import NotFound
from headway.http.reply import PERSONAL, Header, Reply, json_reply
from headway.http.who import Reader
from headway.ledger.sharing import ShareWanted, share, unshare
from headway.store import sharing
from headway.store.sharing import Shared
from headway.views.sharing import Sharing, read_sharing

# It is for those who were given its address, not for search engines.
NO_INDEX: Final[Header] = (b"x-robots-tag", b"noindex")

Shows = Literal["name", "streak", "points", "levels", "courses", "achievements"]


class ShareAsked(Struct, forbid_unknown_fields=True):
    """What the page shows; `renew` gives it a new address, and nothing is found under the old one any more."""

    shows: Annotated[list[Shows], Meta(min_length=1, max_length=6)]
    renew: bool = False


class ShareSettings(Struct):
    """An account's public page; where nothing is shared, the addresses are null and nothing is shown."""

    shared: bool
    shows: list[str]
    url: str | None
    badge_url: str | None


_asked: Final = msgspec.json.Decoder(ShareAsked).decode


@get("/progress/sharing")
async def read_share(request: Asked) -> Reply:
    """Whether the caller shares a page, at which address, and what it shows."""
    exchange = exchange_of(request)

    def look(connection: Connection, reader: Reader) -> Shared | None:
        return None if reader.row is None else sharing.of_learner(connection, reader.row["id"])

    return etags.personal(request, _settings(exchange, await who.read_as_caller(request, look)))


@put("/progress/sharing")
async def set_share(request: Asked) -> Reply:
    """Share a page, or change what it shows; it keeps its address unless a new one is asked for."""
    exchange = exchange_of(request)
    session = await who.account_writing(request)
    sent = await read_json(request, _asked)
    asked = ShareWanted(session.learner_id, sent.shows, sent.renew, session.token_hash)
    services = exchange.services
    with who.ending_with(exchange):
        page = await services.run(partial(share, services.database, asked, now=who.now()))
    return json_reply(_settings(exchange, page), 200, (PERSONAL,))


@delete("/progress/sharing", status_code=200)
async def end_share(request: Asked) -> Reply:
    """Share nothing: 204, whether anything was shared or not. The address leads nowhere from now on."""
    exchange = exchange_of(request)
    session = await who.account_writing(request)
    services = exchange.services
    act = partial(unshare, services.database, session.learner_id, session.token_hash, now=who.now())
    with who.ending_with(exchange):
        await services.run(act)
    return Reply(status=204, headers=(PERSONAL,))


@get("/share/{token:str}")
async def read_shared_progress(request: Asked, token: FromPath[str]) -> Reply:
    """What a learner shares at this address; a page of any site may read it, and a 404 as well."""
    exchange_of(request).more_headers += (FOR_ALL,)
    found = await shared(request, token)
    return etags.public(request, msgspec.json.encode(found.progress), more=(NO_INDEX,))


async def shared(request: Asked, token: str) -> Sharing:
    """What is shared under a token; NotFound where nothing is."""
    services = exchange_of(request).services
    now, rules = who.now(), services.streak_rules
    found = await services.read(lambda connection: read_sharing(connection, services.catalog, token, now, rules))
    if found is None:
        raise NotFound("nothing is shared under this address")
    return found


def _settings(exchange: Exchange, page: Shared | None) -> ShareSettings:
    if page is None:
        return ShareSettings(shared=False, shows=[], url=None, badge_url=None)
    address = f"{site_address(exchange)}/share/{page.token}"
    return ShareSettings(shared=True, shows=list(page.shows), url=address, badge_url=f"{address}/badge.svg")


handlers: Final = (read_share, set_share, end_share, read_shared_progress)
