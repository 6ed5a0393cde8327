"""What a request and its reply carry beside the bytes: the request's id, its headers, cookies to set."""

from typing import Any, Final, TypeAlias

from litestar import Request

from headway.http.services import Services

Asked: TypeAlias = Request[Any, Any, Any]

_KEY: Final = "headway"


class Exchange:
    """One request and its reply. `learner_id` is who asked, once that is known; it is for the log."""

    __slots__ = ("cookies", "headers", "learner_id", "request_id", "scheme", "services", "status")

    def __init__(self, services: Services, scope: Any, request_id: str) -> None:
        self.services = services
        # A header sent twice counts as its last.
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.scheme: str = scope["scheme"]
        self.request_id = request_id
        self.learner_id: str | None = None
        self.cookies: list[bytes] = []
        self.status = 0
        scope[_KEY] = self


def exchange_of(request: Asked) -> Exchange:
    """The exchange that a Litestar request belongs to."""
    scope: Any = request.scope
    exchange: Exchange = scope[_KEY]
    return exchange
