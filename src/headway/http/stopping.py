"""uvicorn's server and its protocol, with two things to say about how a server stops."""

from types import FrameType

from uvicorn import Server as Uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from headway.http.exchange import exchange_in

# For uvicorn's setting `http`.
PROTOCOL = "headway.http.stopping:Protocol"


class Server(Uvicorn):
    """As it is; but whoever is impatient and presses Ctrl-C again does not break off what ends within seconds."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; once."""
        if not self.should_exit:
            super().handle_exit(sig, frame)


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
