"""How a server stops: telling replies without an end of their own that it does."""

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from headway.http.exchange import exchange_in
from headway.http.patience import PatientProtocol

# For uvicorn's setting `http`.
PROTOCOL = "headway.http.stopping:Protocol"


class Protocol(PatientProtocol):
    """As it is; but streams end at once, and their clients go to another server, where the rest is waited for."""

    def shutdown(self) -> None:
        """Answer what was begun, and take nothing more."""
        super().shutdown()
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request
        if cycle is not None and not cycle.response_complete:
            stopping = exchange_in(cycle.scope).stopping
            if stopping is not None:
                stopping.set()
