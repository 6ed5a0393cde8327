"""How long a server waits for a request to be whole, and how much of its head it holds: uvicorn sets neither bound."""

from asyncio import TimerHandle, Transport
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

# Of the first line and the headers, with what comes along in one read.
HEAD_MAX: Final = 64 * 1024
# A head comes at once, and whoever sends a body goes on sending; else nobody may be there any more.
HEAD_S: Final = 30.0
SILENT_S: Final = 60.0
_TOO_LARGE: Final = b"the path and the headers are larger than 64 KiB together"
_REFUSAL: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(_TOO_LARGE), _TOO_LARGE)
)


class PatientProtocol(HttpToolsProtocol):
    """As it is; but what has no end is refused, who falls silent is let go, and what follows a body is no header."""

    head_s = HEAD_S
    silent_s = SILENT_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_head = True
        self._is_whole = True
        # What has come since the parser told of a head, a piece of a body or an end: all of that it holds itself.
        self._held = 0
        self._waits: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Wait for the first head."""
        super().connection_made(transport)
        self._wait(self.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Pass it to the parser, unless that holds too much already."""
        self._held += len(data)
        super().data_received(data)
        if self._held > HEAD_MAX:
            self._refuse()
        elif self._is_whole:
            self._wait_no_more()
        elif not self._is_head:
            self._wait(self.silent_s)
        elif self._waits is None:
            self._wait(self.head_s)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._is_head, self._is_whole = True, False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header. Behind a body it would be taken for one that the proxy has seen (RFC 9110, 6.5.1)."""
        if self._is_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._is_head, self._held = False, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._held = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._is_whole, self._held = True, 0
        super().on_message_complete()

    def _wait(self, seconds: float) -> None:
        self._wait_no_more()
        self._waits = self.loop.call_later(seconds, self._let_go)

    def _wait_no_more(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None

    def _let_go(self) -> None:
        self._waits = None
        if self.flow.read_paused:  # what it has sent is yet to be read
            self._wait(self.silent_s)
        else:
            self.transport.close()

    def _refuse(self) -> None:
        self._wait_no_more()
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        if self._is_head and (cycle is None or cycle.response_complete):
            self.transport.write(_REFUSAL)
        self.transport.close()
