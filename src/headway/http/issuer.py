"""The issuer of credentials: the site at its address, with the keys that sign them."""

import json
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from litestar import get
from sqlalchemy.engine import Connection, RowMapping

from headway.certificates.credential import Signer
from headway.certificates.facts import Issuer
from headway.certificates.issuer import PublicKey, issuer_document
from headway.certificates.keys import open_key
from headway.domain.errors import HeadwayError
from headway.http import etags, who
from headway.http.addresses import site_address
from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.reply import Header, Reply
from headway.ledger.signing_keys import first_key
from headway.store import signing_keys

JSON_LD: Final = b"application/ld+json"
# Pages of any site may read it, since verifiers run in browsers too; it does not depend on who asks.
FOR_ALL: Final[Header] = (b"access-control-allow-origin", b"*")
_OWN_MACHINE: Final = ("localhost", "127.0.0.1", "::1")


class NoPublicUrl(HeadwayError):
    """The site has no address to issue credentials under."""

    code = "no-public-url"


def issuer_of(exchange: Exchange) -> Issuer:
    """The site as issuer; without a public_url, at the address that the request was sent to."""
    address = site_address(exchange)
    name = exchange.services.settings.issuer_name or urlsplit(address).hostname or address
    return Issuer(address, name)


def signing_issuer(exchange: Exchange) -> Issuer:
    """The site as issuer if it can sign, else NoPublicUrl: what is signed lasts, and must not repeat a header."""
    issuer = issuer_of(exchange)
    if not exchange.services.settings.public_url and not _is_own_machine(exchange, issuer):
        raise NoPublicUrl("this site does not issue credentials yet: its operator must set public_url to its address")
    return issuer


def _is_own_machine(exchange: Exchange, issuer: Issuer) -> bool:
    """Whether the request comes from this machine: Host alone proves nothing, and a proxy forwards for others."""
    forwarded = any(exchange.headers.get(name) for name in (b"forwarded", b"x-forwarded-for"))
    return urlsplit(issuer.address).hostname in _OWN_MACHINE and exchange.address in _OWN_MACHINE and not forwarded


async def signer_of(exchange: Exchange, row: RowMapping | None) -> Signer:
    """The key that signs, from its row; where there is none yet, one is made."""
    services = exchange.services
    secret = services.settings.signing_secret
    if row is None:
        row = await services.run(partial(first_key, services.database, secret, now=who.now()))
    key = await services.render(partial(open_key, row["id"], row["secret"], secret))
    return Signer(row["id"], key, row["created_at"])


@get("/issuer", include_in_schema=False)
async def read_issuer(request: Asked) -> Reply:
    """Who issues credentials here, and the keys that speak for it, older ones too."""
    exchange = exchange_of(request)
    issuer = signing_issuer(exchange)

    def look(connection: Connection) -> bytes:
        keys = [PublicKey(row["id"], row["retired_at"]) for row in signing_keys.listed(connection)]
        return as_bytes(issuer_document(issuer, keys))

    return etags.public(request, await exchange.services.read(look), JSON_LD, (FOR_ALL,))


def as_bytes(document: dict[str, Any]) -> bytes:
    """A document as it is given out."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


handlers: Final = [read_issuer]
