"""Structured logs: JSON lines, or colors for a terminal, on standard error."""

import logging
import re
import sys
from contextlib import suppress
from typing import Any, TextIO

import structlog

_SECRET = ("password", "token", "authorization", "cookie", "secret")
# In a path, what follows these is a proof of something, which may never run out.
_SECRET_PATH = re.compile(r"(/(?:confirm-email|share|unsubscribe)/+)[^/].*", re.DOTALL | re.IGNORECASE)
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Forgiving:
    """A stream whose failures are ignored: with a full disk, logging an error must not end what the error is about."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self.stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self.stream.flush()


def configure_logs(level: str) -> None:
    """Set up the process's logs; once, when it begins to serve."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_secrets,
            *([] if terminal else [structlog.processors.format_exc_info]),
            _console() if terminal else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(level.lower(), logging.INFO)),
        logger_factory=structlog.WriteLoggerFactory(_Forgiving(sys.stderr)),  # type: ignore[arg-type]  # it writes and flushes alone
    )


def _console() -> structlog.dev.ConsoleRenderer:
    """For terminals. By default it would show the value of every variable in a traceback, passwords included."""
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


def _without_secrets(_logger: Any, _method: str, event: Any) -> Any:
    """Hide values whose names sound like secrets, and tokens of mailed links in paths: the last line of defense."""
    for name in event:
        if any(word in name.lower() for word in _SECRET):
            event[name] = "…"
    if isinstance(path := event.get("path"), str):
        event["path"] = _SECRET_PATH.sub(r"\1…", path)
    return event
