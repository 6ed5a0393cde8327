"""ETags: hashes of a body's bytes, or of what determines them."""

from collections.abc import Awaitable, Callable, Iterable
from hashlib import blake2b
from typing import Final

from headway.http.exchange import Asked, exchange_of
from headway.http.reply import JSON, OF_WHO_ASKS, PERSONAL, Header, Reply, encode

_PUBLIC: Final[Header] = (b"cache-control", b"no-cache")


def personal(request: Asked, value: object) -> Reply:
    """The caller's own figures as JSON, with an ETag; 304 if the client has them already."""
    return tagged(request, encode(value), PERSONAL)


def public(request: Asked, body: bytes, media_type: bytes = JSON, more: Iterable[Header] = ()) -> Reply:
    """What everybody may read, with an ETag; 304 if the client has it already."""
    return tagged(request, body, _PUBLIC, media_type, more)


def tagged(request: Asked, body: bytes, cache: Header, media_type: bytes = JSON, more: Iterable[Header] = ()) -> Reply:
    """A body with its ETag; 304 if the client has it already."""
    headers = _headers(body, cache, more)
    return _unchanged(request, headers) or Reply(body, 200, headers, media_type)


async def made(
    request: Asked, follows_from: bytes, make: Callable[[], Awaitable[bytes]], media_type: bytes, more: Iterable[Header]
) -> Reply:
    """What everybody may read and is expensive to make: made only if the ETag of `follows_from` has changed."""
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
