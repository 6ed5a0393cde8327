"""ETags: of a body's bytes, or of whatever its maker knows to change with them."""

from hashlib import blake2b
from typing import Final

from headway.http.exchange import Asked, exchange_of
from headway.http.reply import PERSONAL, Header, Reply, encode

_PUBLIC: Final[Header] = (b"cache-control", b"no-cache")


def personal(request: Asked, value: object) -> Reply:
    """Someone's own figures: 304 where the client has them as they are."""
    return tagged(request, encode(value), PERSONAL)


def public(request: Asked, body: bytes) -> Reply:
    """What everybody may read: 304 where the client has it."""
    return tagged(request, body, _PUBLIC)


def tagged(request: Asked, body: bytes, cache: Header) -> Reply:
    """A body with its ETag."""
    tag = b'"%s"' % blake2b(body, digest_size=12).hexdigest().encode("ascii")
    headers = [(b"etag", tag), cache, (b"vary", b"Cookie, Authorization")]
    if _matches(exchange_of(request).headers.get(b"if-none-match", b""), tag):
        return Reply(status=304, headers=headers)
    return Reply(body, 200, headers)


def _matches(sent: bytes, tag: bytes) -> bool:
    """Weak comparison, as If-None-Match has it (RFC 9110, 13.1.2): a proxy that compresses makes tags weak."""
    found = (one.strip().removeprefix(b"W/") for one in sent.split(b","))
    return sent.strip() == b"*" or tag in found
