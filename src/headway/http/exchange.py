"""What belongs to a request and its reply besides the bytes: the request's id, its headers, cookies to set."""

import re
from asyncio import Event
from collections.abc import Iterable
from random import Random
from typing import Any, Final, TypeAlias

from litestar import Request

from headway.http.services import Services

Asked: TypeAlias = Request[Any, Any, Any]

_KEY: Final = "headway"
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_random: Final = Random()  # noqa: S311  # for ids of requests, which are no secrets


class Exchange:
    """One request and its reply. `learner_id` is the caller, once known, for the log.

    `address` is the client's, as the last trusted proxy tells it; `more_headers` are added to the reply, whatever it
    is.
    """

    __slots__ = (
        "_client",
        "cookies",
        "headers",
        "learner_id",
        "method",
        "more_headers",
        "operation",
        "path",
        "request_id",
        "scheme",
        "services",
        "status",
        "stopping",
    )

    def __init__(self, services: Services, scope: Any) -> None:
        self.services = services
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        if len(self.headers) < len(scope["headers"]):
            self.headers = _joined(scope["headers"])
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.scheme: str = scope["scheme"]
        self.request_id = _request_id(self.headers.get(b"x-request-id"))
        self.learner_id: str | None = None
        self.cookies: list[bytes] = []
        self.more_headers: tuple[tuple[bytes, bytes], ...] = ()
        self.status = 0
        # The operation's name in the contract, once it is known.
        self.operation = "none"
        # Set when the server stops, for a reply without an end of its own, which may take long without a warning.
        self.stopping: Event | None = None
        self._client: tuple[str, int] | None = scope.get("client")
        scope[_KEY] = self

    @property
    def address(self) -> str | None:
        """The client's network address; None if it connected by a socket without one."""
        return self._client[0] if self._client else None


def _joined(sent: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Headers of which some were sent more than once: each is the list of its values (RFC 9110, 5.3; RFC 6265, 5.4)."""
    headers: dict[bytes, list[bytes]] = {}
    for name, value in sent:
        headers.setdefault(name, []).append(value)
    return {name: (b"; " if name == b"cookie" else b", ").join(values) for name, values in headers.items()}


def _request_id(sent: bytes | None) -> str:
    if sent is not None and _REQUEST_ID.fullmatch(sent):
        return str(sent, "ascii")
    # Not a secret; asking the system for randomness would give up the interpreter's lock at every request.
    return f"{_random.getrandbits(64):016x}"


def exchange_of(request: Asked) -> Exchange:
    """The exchange that a Litestar request belongs to."""
    return exchange_in(request.scope)


def exchange_in(scope: Any) -> Exchange:
    """The exchange that an ASGI scope belongs to."""
    exchange: Exchange = scope[_KEY]
    return exchange


def begun_in(scope: Any) -> Exchange | None:
    """The same; None where the application has yet to look at the request."""
    exchange: Exchange | None = scope.get(_KEY)
    return exchange
