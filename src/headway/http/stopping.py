"""How a server stops: it ends replies that have no end of their own."""

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from headway.http.exchange import exchange_in
from headway.http.patience import PatientProtocol

# For uvicorn's setting `http`.
PROTOCOL = "headway.http.stopping:Protocol"


class Protocol(PatientProtocol):
    """As `PatientProtocol`, but streams end at once: their clients go on at another server."""

    def shutdown(self) -> None:
        """Finish the requests that were begun, and take no more."""
        super().shutdown()
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        if cycle is not None and not cycle.response_complete:
            stopping = exchange_in(cycle.scope).stopping
            if stopping is not None:
                stopping.set()
