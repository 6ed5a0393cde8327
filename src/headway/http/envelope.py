"""What every request and reply goes through: the request's id, the headers of all replies, the log, HEAD."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import structlog

from headway.http.exchange import Exchange
from headway.http.problems import answering, problem_of, problem_reply
from headway.http.refusals import Malformed
from headway.http.reply import Header
from headway.http.services import Services

log = structlog.get_logger()

SLOW_S: Final = 1.0
_ON_ALL: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
)
# Behind HTTPS, browsers are told to use nothing else for a year (RFC 6797); sibling hosts are not included.
_ON_ALL_HTTPS: Final[tuple[Header, ...]] = (*_ON_ALL, (b"strict-transport-security", b"max-age=31536000"))


class Envelope:
    """Plain ASGI around Litestar, so that Litestar's own refusals of paths and methods pass through it as well.

    `direct` has the handlers of paths that bypass Litestar, whose routing would be a sixth of their cost.
    """

    def __init__(self, app: Any, services: Services, direct: Mapping[str, Any]) -> None:
        self._app = app
        self._services = services
        self._direct = {path: answering(found) for path, found in direct.items()}
        self._names = {path: found.__name__ for path, found in direct.items()}
        self._tells_all = services.settings.log_level.lower() == "debug"
        # The methods of all handlers of a path: Litestar's own answer to OPTIONS lists those of the first one alone.
        self._methods = {route.path_format: sorted(route.methods) for route in app.routes}
        self._is_https = services.settings.https

    def _on_all(self, exchange: Exchange) -> tuple[Header, ...]:
        return _ON_ALL_HTTPS if self._is_https or exchange.scheme == "https" else _ON_ALL

    def _allowing(self, scope: Any, headers: Iterable[Header]) -> list[Header]:
        """The headers, with `Allow` listing all methods of the path, and HEAD wherever it lists GET."""
        ours = ", ".join(self._methods.get(scope.get("path_template"), ())).encode()
        told = [(name, ours or value if name == b"allow" else value) for name, value in headers]
        return [(name, value + b", HEAD" if name == b"allow" and b"GET" in value else value) for name, value in told]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, add the headers of all replies, and count and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(self._services, scope)
        if scope["method"] == "HEAD":
            # The server below drops the body of a reply to HEAD.
            scope = {**scope, "method": "GET"}
        refusal = _refusal(scope["path"], scope["query_string"])
        since = perf_counter()

        async def dress(message: Any) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                if exchange.method == "OPTIONS" or exchange.status == HTTPStatus.METHOD_NOT_ALLOWED:
                    message["headers"] = self._allowing(scope, message["headers"])
                cookies = [(b"set-cookie", cookie) for cookie in exchange.cookies]
                request_id = (b"x-request-id", exchange.request_id.encode("ascii"))
                message["headers"] += [*self._on_all(exchange), request_id, *cookies, *exchange.more_headers]
            await send(message)

        app = self._direct.get(scope["path"], self._app) if refusal is None else _refusing(exchange, refusal)
        await app(scope, receive, dress)
        took_s = perf_counter() - since
        exchange.operation = self._names.get(scope["path"]) or _operation(scope)
        self._services.metrics.answered(exchange.operation, exchange.status, None if exchange.stopping else took_s)
        is_slow = took_s > SLOW_S and exchange.stopping is None
        if exchange.status >= HTTPStatus.BAD_REQUEST or is_slow or self._tells_all:
            _tell(scope, exchange, took_s)


def _operation(scope: Any) -> str:
    """The name in the contract of the operation that a request came to; `none` if its path leads nowhere."""
    handler = scope.get("route_handler")
    return "none" if handler is None else str(handler.fn.__name__)


def _refusal(path: str, query: bytes) -> str | None:
    """Why an address cannot be valid; None if it can."""
    # No id holds a NUL, and PostgreSQL refuses to look for one.
    if "\0" in path or b"%00" in query:
        return "the path or the query holds a NUL character; leave it out"
    # With `dry_run=true&dry_run=false` it is unclear which counts, and the wrong one writes.
    if b"&" not in query or not path.lstrip("/").startswith("api/"):
        return None
    names = [unquote_to_bytes(one.partition(b"=")[0]) for one in query.split(b"&") if one]
    return None if len(set(names)) == len(names) else "the query names a parameter more than once; send each once"


def _refusing(exchange: Exchange, detail: str) -> Any:
    return problem_reply(problem_of(Malformed(detail), exchange.request_id))


def _tell(scope: Any, exchange: Exchange, took_s: float) -> None:
    tell = log.info if exchange.status >= HTTPStatus.BAD_REQUEST or took_s > SLOW_S else log.debug
    tell(
        "request",
        method=scope["method"],
        path=scope["path"],
        status=exchange.status,
        took_ms=round(took_s * 1000, 1),
        request_id=exchange.request_id,
        learner=exchange.learner_id,
    )
