"""Failover of PostgreSQL: notice connections that still lead to the server that took writes before."""

import time
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.exc import DisconnectionError, InternalError
from sqlalchemy.pool import ConnectionPoolEntry

_READ_ONLY: Final = "25006"
_SINCE: Final = "headway_since"


def follow(writers: Engine, readers: Engine) -> None:
    """Drop all connections as soon as a writing one turns out to lead to a server that no longer takes writes.

    Otherwise the pool would hand out another such connection at each try; and readers, which see no error, would read
    that server's outdated data for good.
    """
    _Lead(writers, readers)


class _Lead:
    """Drops readers' connections older than the failover; their own errors tell nothing of one, as they never write."""

    def __init__(self, writers: Engine, readers: Engine) -> None:
        self._left_at = 0.0
        event.listen(writers, "handle_error", self._writing_failed)
        event.listen(readers, "handle_error", _failed)
        event.listen(readers, "do_connect", _note_since)
        event.listen(readers, "checkout", self._check)

    def _writing_failed(self, context: ExceptionContext) -> None:
        _failed(context)
        if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
            context.is_disconnect = True  # by which SQLAlchemy leaves all of this pool
            self._left_at = time.monotonic()

    def _check(self, _driver: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        if record.info[_SINCE] < self._left_at:
            raise DisconnectionError("it may lead to a server that takes no writes any more")


def _failed(context: ExceptionContext) -> None:
    """Also take psycopg's own errors without an SQLSTATE, for a query without an answer, for a lost connection."""
    is_own = isinstance(context.sqlalchemy_exception, InternalError)
    if is_own and getattr(context.original_exception, "sqlstate", "") is None:
        context.is_disconnect = True


def _note_since(_dialect: Any, record: ConnectionPoolEntry, _args: Any, _options: Any) -> None:
    record.info[_SINCE] = time.monotonic()
