"""`GET /metrics`: what the server counts, for Prometheus."""

import hmac
from collections.abc import Iterator
from typing import Final

from litestar import get
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.refusals import Forbidden, Unauthorized
from headway.http.reply import Header, Reply
from headway.http.services import Services
from headway.ledger import auditing, backup
from headway.store import sizes, upkeep

_THIS_MACHINE: Final = (None, "127.0.0.1", "::1")
_FORWARDED: Final = (b"x-forwarded-for", b"forwarded", b"x-real-ip")
_NOT_KEPT: Final[Header] = (b"cache-control", b"no-store")
_MEDIA_TYPE: Final = CONTENT_TYPE_LATEST.encode()


@get("/metrics", include_in_schema=False)
async def read_metrics(request: Asked) -> Reply:
    """The metrics of all workers, in Prometheus's format: to this machine, or to a client with the token."""
    exchange = exchange_of(request)
    _check(exchange)
    services = exchange.services
    services.metrics.note(services.look)
    told = await services.run(lambda: services.metrics.told() + _of_database(services))
    return Reply(told, headers=(_NOT_KEPT,), media_type=_MEDIA_TYPE)


def _check(exchange: Exchange) -> None:
    token = exchange.services.settings.metrics_token
    if token is not None:
        sent = exchange.headers.get(b"authorization", b"")
        if not hmac.compare_digest(sent, b"Bearer " + token.encode()):
            raise Unauthorized("metrics need the token that `metrics_token` names, as a bearer")
    elif exchange.address not in _THIS_MACHINE or any(name in exchange.headers for name in _FORWARDED):
        raise Forbidden("metrics are told to this machine alone: set metrics_token to read them from another")


class _Now(Collector):
    """Metrics as of this moment. Gauges would be kept for each worker as it last set them, even after its end."""

    def __init__(self, told: list[Metric]) -> None:
        self._told = told

    def collect(self) -> list[Metric]:
        """The metrics that were given."""
        return self._told


def _of_database(services: Services) -> bytes:
    """Metrics from the database, the same in every process; one of them says whether it can be read."""
    told, is_up = list[Metric](), True
    try:
        with services.database.read() as connection:
            told = list(_known(connection))
    except SQLAlchemyError:
        is_up = False
    told.append(GaugeMetricFamily("headway_database_up", "Whether the database can be read.", value=is_up))
    registry = CollectorRegistry()
    registry.register(_Now(told))
    return generate_latest(registry)


def _known(connection: Connection) -> Iterator[Metric]:
    yield GaugeMetricFamily("headway_database_bytes", "The size of the database.", value=sizes.size(connection))
    for kind in (backup.KIND, auditing.KIND):
        found = upkeep.last(connection, kind)
        if found is not None:
            name = f"headway_last_{kind}_timestamp_seconds"
            yield GaugeMetricFamily(name, f"When the last {kind} began.", value=found["began_at"] / 1_000_000)


handlers: Final = [read_metrics]
