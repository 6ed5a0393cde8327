"""`GET /stream`: what a learner is told, at once, as server-sent events."""

import asyncio
import re
from typing import Annotated, Any, Final, NamedTuple

import structlog
from litestar import get
from litestar.params import QueryParameter
from msgspec import Struct
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from headway.domain.changes import Change
from headway.domain.errors import Busy
from headway.domain.times import format_time
from headway.http import who
from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.leaving import gone
from headway.http.refusals import Unauthorized
from headway.http.reply import OF_WHO_ASKS, Header, encode
from headway.http.who import Reader
from headway.store.notices import NoticePlace
from headway.store.told import Told
from headway.views.told import Watched, begin_watching, watch

log = structlog.get_logger()

MEDIA_TYPE: Final = "text/event-stream"
STREAMS_OF_LEARNER_MAX: Final = 8
SECONDS_MAX: Final = 24 * 3_600
# How often a stream looks by itself, and sends a sign of life: proxies end what is silent for a minute or so.
LOOK_S: Final = 15.0
# On SQLite, commands of other processes wake no stream.
LOOK_UNCALLED_S: Final = 5.0
_SEND_S: Final = 30.0
_AGAIN_MS: Final = 2_000
_PLACE: Final = re.compile(rb"([0-9a-f]{8})-(\d{1,18})-(\d{1,9})")
_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-type", f"{MEDIA_TYPE}; charset=utf-8".encode()),
    (b"cache-control", b"no-store, no-transform"),
    # Else nginx would gather some kilobytes before it passes anything on.
    (b"x-accel-buffering", b"no"),
    OF_WHO_ASKS,
)


class StreamEvent(Struct):
    """The data of an event of the stream: a change, when it was told, and its id."""

    id: str
    type: str
    at: str
    change: Change


class _Watching(NamedTuple):
    learner_id: str
    session_id: str
    begins: Watched


@get("/stream")
async def stream(
    request: Asked, seconds: Annotated[int | None, QueryParameter(ge=0, le=SECONDS_MAX)] = None
) -> "Stream":
    """What the caller is told from now on, or since `Last-Event-ID`, as server-sent events.

    It goes on until the session ends, or for `seconds`; with 0 it tells what is there, and ends.
    """
    exchange = exchange_of(request)
    sent = exchange.headers.get(b"last-event-id", b"")

    def look(connection: Connection, reader: Reader) -> _Watching:
        if reader.row is None:
            raise Unauthorized("sign in, or record something first: nobody is told nothing")
        learner_id = str(reader.row["id"])
        return _Watching(
            learner_id, reader.row["session_id"], begin_watching(connection, learner_id, _place(sent, learner_id))
        )

    watching = await who.read_as_caller(request, look)
    waking = exchange.services.waking
    if waking.streams >= exchange.services.settings.streams_max:
        raise Busy("this server holds as many streams as it may; try again in a while", retry_after_s=60)
    if waking.streams_of(watching.learner_id) >= STREAMS_OF_LEARNER_MAX:
        raise Busy(f"you have {STREAMS_OF_LEARNER_MAX} streams open already; end one of them", retry_after_s=60)
    return Stream(exchange, watching, SECONDS_MAX if seconds is None else seconds)


def _place(sent: bytes, learner_id: str) -> NoticePlace | None:
    """The place that an event's id names; None if it names none, or one of another learner, as after a move."""
    found = _PLACE.fullmatch(sent.strip())
    if found is None or found[1].decode() != learner_id[:8]:
        return None
    return NoticePlace(int(found[2]), int(found[3]))


class Stream:
    """A reply that goes on: it is woken when its learner is told something, and looks by itself now and then."""

    def __init__(self, exchange: Exchange, watching: _Watching, seconds: float) -> None:
        self._exchange = exchange
        self._learner_id, self._session_id, begins = watching
        self._place = begins.place
        self._is_late = begins.is_late
        self._seconds = seconds

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002 - the shape of an ASGI app
        """Send it, until it ends."""
        stopping = self._exchange.stopping = asyncio.Event()
        waking = self._exchange.services.waking
        woken = waking.enter(self._learner_id)
        leaving = asyncio.create_task(_left(receive, stopping, woken))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS]})
            if self._exchange.method != "HEAD":
                await self._tell(send, woken, stopping)
            await _send(send, b"", more=False)
        except TimeoutError:
            log.info("stream_not_read", learner_id=self._learner_id)
        except SQLAlchemyError as error:
            log.warning("stream_ended", error=type(error).__name__)
            await _send(send, b"", more=False)
        finally:
            leaving.cancel()
            waking.leave(self._learner_id, woken)

    def to_asgi_response(self, **_: Any) -> "Stream":
        """The reply itself, as Litestar asks of a reply."""
        return self

    async def _tell(self, send: Any, woken: asyncio.Event, stopping: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._seconds
        services = self._exchange.services
        look_s = LOOK_S if services.database.path is None else LOOK_UNCALLED_S
        await _send(send, self._greeting())
        while not stopping.is_set():
            woken.clear()
            found = await services.read(self._look)
            if found is None:
                return
            self._place = found.place
            await _send(send, b"".join(map(self._event, found.told)) or b":\n\n")
            left = ends_at - loop.time()
            if found.has_more:
                continue
            if left <= 0:
                return
            try:
                # Not `wait_for`: before Python 3.12 it loses a cancellation that comes while it is woken.
                async with asyncio.timeout(min(look_s, left)):
                    await woken.wait()
            except TimeoutError:
                continue

    def _look(self, connection: Connection) -> Watched | None:
        return watch(connection, self._learner_id, self._session_id, self._place, who.now())

    def _greeting(self) -> bytes:
        """The first part: it names the present place, so that a client that loses the stream comes back to it."""
        late = b"event: reset\ndata: {}\n" if self._is_late else b""
        return b"retry: %d\nid: %s\n%s\n" % (_AGAIN_MS, self._id_of(self._place), late)

    def _id_of(self, place: NoticePlace) -> bytes:
        return b"%s-%d-%d" % (self._learner_id[:8].encode(), *place)

    def _event(self, one: Told) -> bytes:
        data = encode(StreamEvent(one.id, one.change["type"], format_time(one.at), one.change))
        return b"id: %s\ndata: %s\n\n" % (self._id_of(one.place), data)


async def _left(receive: Any, stopping: asyncio.Event, woken: asyncio.Event) -> None:
    """End the stream once its client has gone, or the server stops."""
    leaves = asyncio.create_task(gone(receive))
    stops = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((leaves, stops), return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        woken.set()
    finally:
        leaves.cancel()
        stops.cancel()


async def _send(send: Any, body: bytes, *, more: bool = True) -> None:
    """Send a part; TimeoutError where nobody takes it."""
    async with asyncio.timeout(_SEND_S):
        await send({"type": "http.response.body", "body": body, "more_body": more})


handlers: Final = [stream]
