"""ETags: of a body's bytes, or of whatever its maker knows to change with them."""

from collections.abc import Awaitable, Callable, Iterable
from hashlib import blake2b
from typing import Final

from headway.http.exchange import Asked, exchange_of
from headway.http.reply import JSON, OF_WHO_ASKS, PERSONAL, Header, Reply, encode

_PUBLIC: Final[Header] = (b"cache-control", b"no-cache")


def personal(request: Asked, value: object) -> Reply:
    """Someone's own figures: 304 where the client has them as they are."""
    return tagged(request, encode(value), PERSONAL)


def public(request: Asked, body: bytes, media_type: bytes = JSON, more: Iterable[Header] = ()) -> Reply:
    """What everybody may read: 304 where the client has it."""
    return tagged(request, body, _PUBLIC, media_type, more)


def tagged(request: Asked, body: bytes, cache: Header, media_type: bytes = JSON, more: Iterable[Header] = ()) -> Reply:
    """A body with its ETag."""
    headers = _headers(body, cache, more)
    return _unchanged(request, headers) or Reply(body, 200, headers, media_type)


async def made(
    request: Asked, follows_from: bytes, make: Callable[[], Awaitable[bytes]], media_type: bytes, more: Iterable[Header]
) -> Reply:
    """What everybody may read and is dear to make: it is made only where the client has not what it follows from."""
    headers = _headers(follows_from, _PUBLIC, more)
    return _unchanged(request, headers) or Reply(await make(), 200, headers, media_type)


def _headers(tagged_by: bytes, cache: Header, more: Iterable[Header]) -> list[Header]:
    tag = b'"%s"' % blake2b(tagged_by, digest_size=12).hexdigest().encode("ascii")
    return [(b"etag", tag), cache, OF_WHO_ASKS, *more]


def _unchanged(request: Asked, headers: list[Header]) -> Reply | None:
    has = _matches(exchange_of(request).headers.get(b"if-none-match", b""), headers[0][1])
    return Reply(status=304, headers=headers) if has else None


def _matches(sent: bytes, tag: bytes) -> bool:
    """Weak comparison, as If-None-Match has it (RFC 9110, 13.1.2): a proxy that compresses makes tags weak."""
    found = (one.strip().removeprefix(b"W/") for one in sent.split(b","))
    return sent.strip() == b"*" or tag in found
