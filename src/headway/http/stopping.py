"""How a server stops: once, and telling replies without an end of their own that it does."""

import signal
import threading
from types import FrameType

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from headway.http.exchange import exchange_in

# For uvicorn's setting `http`.
PROTOCOL = "headway.http.stopping:Protocol"


def stop_once() -> None:
    """Have a second Ctrl-C break off nothing, where uvicorn has taken the signals of a process: it ends soon."""
    stop = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(stop):
        return

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stop(number, frame)

    signal.signal(signal.SIGINT, handle)


class Protocol(HttpToolsProtocol):
    """As it is; but streams end at once, and their clients go to another server, where the rest is waited for."""

    def shutdown(self) -> None:
        """Answer what was begun, and take nothing more."""
        super().shutdown()
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        if cycle is not None and not cycle.response_complete:
            stopping = exchange_in(cycle.scope).stopping
            if stopping is not None:
                stopping.set()
