"""What every request and reply goes through: its id, headers that are on all replies, the log, HEAD."""

from collections.abc import Mapping
from http import HTTPStatus
from time import perf_counter
from typing import Any, Final

import structlog

from headway.http.exchange import Exchange, exchange_in
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
# Behind HTTPS the browser is told to use nothing else for a year (RFC 6797); of sibling hosts this says nothing.
_ON_ALL_HTTPS: Final[tuple[Header, ...]] = (*_ON_ALL, (b"strict-transport-security", b"max-age=31536000"))


class Envelope:
    """Plain ASGI around Litestar, so that its own refusals of paths and methods pass through as well.

    `direct` are the paths that go past Litestar, whose routing would be a sixth of what they cost.
    """

    def __init__(self, app: Any, services: Services, direct: Mapping[str, Any]) -> None:
        self._app = app
        self._services = services
        self._direct = {path: answering(found) for path, found in direct.items()}
        self._names = {path: found.__name__ for path, found in direct.items()}
        self._tells_all = services.settings.log_level.lower() == "debug"
        self._is_https = services.settings.https

    def _on_all(self, exchange: Exchange) -> tuple[Header, ...]:
        return _ON_ALL_HTTPS if self._is_https or exchange.scheme == "https" else _ON_ALL

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on and dress its reply."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(self._services, scope)
        if scope["method"] == "HEAD":
            # The server drops the body of what it knows to be a HEAD.
            scope = {**scope, "method": "GET"}
        # No id holds a NUL, and PostgreSQL cannot even be asked for one.
        holds_nul = "\0" in scope["path"] or b"%00" in scope["query_string"]
        since = perf_counter()

        async def dress(message: Any) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                cookies = [(b"set-cookie", cookie) for cookie in exchange.cookies]
                request_id = (b"x-request-id", exchange.request_id.encode("ascii"))
                message["headers"] += [*self._on_all(exchange), request_id, *cookies, *exchange.more_headers]
            await send(message)

        app = _refuse_nul if holds_nul else self._direct.get(scope["path"], self._app)
        await app(scope, receive, dress)
        took_s = perf_counter() - since
        exchange.operation = self._names.get(scope["path"]) or _operation(scope)
        self._services.metrics.answered(exchange.operation, exchange.status, None if exchange.stopping else took_s)
        is_slow = took_s > SLOW_S and exchange.stopping is None
        if exchange.status >= HTTPStatus.BAD_REQUEST or is_slow or self._tells_all:
            _tell(scope, exchange, took_s)


def _operation(scope: Any) -> str:
    """The operation that a request came to, by its name in the contract; none where the path leads nowhere."""
    handler = scope.get("route_handler")
    return "none" if handler is None else str(handler.fn.__name__)


async def _refuse_nul(scope: Any, receive: Any, send: Any) -> None:
    error = Malformed("the path or the query holds a NUL character; leave it out")
    await problem_reply(problem_of(error, exchange_in(scope).request_id))(scope, receive, send)


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
