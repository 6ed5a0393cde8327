"""Traces by OpenTelemetry: a span for each request, within the caller's trace if the request names one."""

from http import HTTPStatus
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from headway import __version__
from headway.domain.errors import HeadwayError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

_NOT_TRACED: Final = ("/health/live", "/health/ready", "/metrics")


class TracingMissing(HeadwayError):
    """Tracing was asked for, and what it needs is not installed."""

    code = "invalid-settings"


class Tracing:
    """Plain ASGI around the application. Spans tell operation, status and request id, and nothing of a learner."""

    def __init__(self, app: Any, provider: "TracerProvider") -> None:
        self._app = app
        self._tracer = provider.get_tracer("headway", __version__)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on within a span."""
        if scope["type"] == "http" and scope["path"] not in _NOT_TRACED:
            await self._traced(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _traced(self, scope: Any, receive: Any, send: Any) -> None:
        from opentelemetry.propagate import extract  # noqa: PLC0415  # an extra: only who traces has it
        from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415  # as above

        caller = extract({name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]})
        known = {"http.request.method": scope["method"], "url.scheme": scope["scheme"]}
        with self._tracer.start_as_current_span(
            scope["method"], context=caller, kind=SpanKind.SERVER, attributes=known
        ) as span:
            await self._app(scope, receive, send)
            exchange = scope.get("headway")
            if exchange is not None:
                span.update_name(exchange.operation)
                span.set_attribute("http.response.status_code", exchange.status)
                span.set_attribute("headway.request_id", exchange.request_id)
                if exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                    span.set_status(StatusCode.ERROR)


def check_installed() -> None:
    """Raise TracingMissing, which says how to install it, if OpenTelemetry is not there."""
    if any(find_spec(name) is None for name in ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter")):
        raise TracingMissing("tracing needs OpenTelemetry: install headway[otel], or turn `tracing` off")


def provider_of(exporter: "SpanExporter | None" = None) -> "TracerProvider":
    """The provider that gathers and sends spans; its OTEL_* variables say where to, and for how many requests."""
    check_installed()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # as above
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  # as above

    resource = Resource.create({"service.name": "headway", "service.version": __version__})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
    return provider
