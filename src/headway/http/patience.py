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
    """As it is; but what has no end is refused, who falls silent is let go, and what follows a body is no header.

    Nor is another protocol spoken: what follows a request for one is no request.
    """

    head_s = HEAD_S
    silent_s = SILENT_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_head = True
        self._is_whole = True
        # What has come since the parser told of a head, a piece of a body or an end: all of that it holds itself.
        self._held = 0
        self._takes_more = True
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
        if not self._takes_more:
            return
        self._held += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            self._wait_no_more()
        elif self._held > HEAD_MAX:
            self._refuse()
        elif self._is_whole and self._is_under_way():
            self._wait_no_more()
        elif not self._is_whole and not self._is_head:
            self._wait(self.silent_s)
        elif self._waits is None:  # for the rest of a head, or behind an empty line for one that is yet to begin
            self._wait(self.head_s)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._is_head, self._is_whole = True, False

    def on_headers_complete(self) -> None:
        """The head is whole. What comes as a header behind it would be taken for one that the proxy has seen."""
        self._is_head, self._held = False, 0
        super().on_headers_complete()
        self.headers = []  # so that it stands in none of the request's (RFC 9110, 6.5.1)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._held = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._is_whole, self._held = True, 0
        super().on_message_complete()

    def _should_upgrade(self) -> bool:
        return False

    def _unsupported_upgrade_warning(self) -> None:
        """Take nothing more: the parser has what follows for another request, also where it is this one's body."""
        self._takes_more = False
        self.cycle.keep_alive = False

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
        if self._is_head and not self._is_under_way():
            self.transport.write(_REFUSAL)
        self.transport.close()

    def _is_under_way(self) -> bool:
        """Whether a reply is."""
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        return cycle is not None and not cycle.response_complete
