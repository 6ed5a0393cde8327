"""Everything about a learner, streamed: as JSON, or the exercise history as CSV."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import structlog
from litestar import get
from litestar.params import FromQuery
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from headway.domain.errors import HeadwayError, Invalid
from headway.domain.times import offset_day
from headway.http import who
from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.leaving import gone
from headway.http.progress import Learner, subject_of
from headway.http.reply import JSON, PERSONAL, Header
from headway.http.who import Reader
from headway.views.export import export_csv, export_json
from headway.views.subject import Subject

log = structlog.get_logger()
FORMATS: Final = {"json": JSON, "csv": b"text/csv; charset=utf-8"}


@get("/progress/export")
async def export_progress(request: Asked, format: FromQuery[str] = "json", learner: Learner = None) -> "Streamed":  # noqa: A002  # the parameter's name
    """Everything about a learner: `json` is complete and can be imported again, `csv` is the exercise history."""
    if format not in FORMATS:
        raise Invalid(f"format must be one of {', '.join(FORMATS)}", field="format")
    exchange, now = exchange_of(request), who.now()

    def look(connection: Connection, reader: Reader) -> Subject:
        return subject_of(connection, reader, learner)

    whose = await who.read_as_caller(request, look)
    read, catalog = exchange.services.read_here, exchange.services.catalog

    pieces = export_json(read, whose, now) if format == "json" else export_csv(read, catalog, whose)
    name = f"headway-export-{offset_day(now, 0)}.{format}"
    return Streamed(exchange, pieces, (FORMATS[format], name))


class Streamed:
    """A reply of unknown length, made piece by piece in a thread while it is sent."""

    def __init__(self, exchange: Exchange, pieces: Iterator[bytes], named: tuple[bytes, str]) -> None:
        self._exchange = exchange
        self._pieces = pieces
        self._media_type, self._name = named

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002 - the shape of an ASGI app
        """Send the pieces for as long as the client takes them.

        If the database or a file of the archive fails meanwhile, the connection is cut: a table that ends between two
        rows would look whole.
        """
        piece = await self._next()
        await send({"type": "http.response.start", "status": 200, "headers": self._headers()})
        leaving = asyncio.create_task(gone(receive))
        try:
            while piece is not None and self._exchange.method != "HEAD" and not leaving.done():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await self._next()
        except (SQLAlchemyError, HeadwayError) as error:
            log.warning("export_ended", error=type(error).__name__, detail=getattr(error, "detail", None))
            return  # without its end, for which the server closes the connection
        finally:
            leaving.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _next(self) -> bytes | None:
        return await self._exchange.services.run(partial(next, self._pieces, None))

    def to_asgi_response(self, **_: Any) -> "Streamed":
        """The reply itself, as Litestar asks of a reply."""
        return self

    def _headers(self) -> list[Header]:
        attached = f'attachment; filename="{self._name}"'.encode()
        return [(b"content-type", self._media_type), (b"content-disposition", attached), PERSONAL]


handlers: Final = [export_progress]
