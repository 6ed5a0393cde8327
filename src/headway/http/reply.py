"""Replies as bytes that are ready to send."""

from collections.abc import Iterable
from typing import Any, Final, Self, TypeAlias

import msgspec

Header: TypeAlias = tuple[bytes, bytes]
JSON: Final = b"application/json"
PERSONAL: Final[Header] = (b"cache-control", b"private, no-cache")
# Going back, browsers show what they kept without asking, whatever cache-control says; `vary` excludes another's.
OF_WHO_ASKS: Final[Header] = (b"vary", b"Cookie, Authorization")
encode: Final = msgspec.json.Encoder().encode


class Reply:
    """A whole reply. Handlers return it as it is: Litestar sends it without looking into it."""

    __slots__ = ("body", "headers", "media_type", "status")

    def __init__(
        self, body: bytes = b"", status: int = 200, headers: Iterable[Header] = (), media_type: bytes = JSON
    ) -> None:
        self.body = body
        self.status = status
        self.headers = headers
        self.media_type = media_type

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002 - the shape of an ASGI app
        """Send it."""
        headers = [*self.headers]  # a list of this reply's own: the envelope adds to it
        if self.status not in (204, 304):
            headers += [(b"content-type", self.media_type), (b"content-length", b"%d" % len(self.body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})

    def to_asgi_response(self, **_: Any) -> Self:
        """The reply itself, as Litestar asks of what an exception handler returns."""
        return self


def json_reply(value: object, status: int = 200, headers: Iterable[Header] = ()) -> Reply:
    """A value as JSON, in a reply that depends on who asks."""
    return Reply(encode(value), status, (*headers, OF_WHO_ASKS))
