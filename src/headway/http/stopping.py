"""How a server stops: it ends replies that have no end of their own."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from headway.http.exchange import begun_in
from headway.http.patience import PatientProtocol

# For uvicorn's setting `http`.
PROTOCOL = "headway.http.stopping:Protocol"


class Protocol(PatientProtocol):
    """As `PatientProtocol`, but streams end at once: their clients go on at another server."""

    _answered: RequestResponseCycle | None = None

    def shutdown(self) -> None:
        """Finish the requests that were begun, and take no more."""
        super().shutdown()
        # Not the newest request, which may still wait for this one's reply.
        cycle = self._answered
        exchange = None if cycle is None or cycle.response_complete else begun_in(cycle.scope)
        if exchange is not None and exchange.stopping is not None:
            exchange.stopping.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)
