"""Following a PostgreSQL that fails over: a connection may lead on to the server that took writes until then."""

import time
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.exc import DisconnectionError, InternalError
from sqlalchemy.pool import ConnectionPoolEntry

_READ_ONLY: Final = "25006"
_SINCE: Final = "headway_since"


def follow(writers: Engine, readers: Engine) -> None:
    """Leave all connections at once where one that writes leads to a server that takes no writes (any more).

    One by one, the pool hands out another of them at each try; and readers, who notice nothing, would read for good
    what that server knew.
    """
    _Lead(writers, readers)


class _Lead:
    """Until when connections were made that are left. What fails among readers is no sign: they may never write."""

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
    """Know a connection to be lost also by psycopg's own complaints of a query without an answer, of no SQLSTATE."""
    is_own = isinstance(context.sqlalchemy_exception, InternalError)
    if is_own and getattr(context.original_exception, "sqlstate", "") is None:
        context.is_disconnect = True


def _note_since(_dialect: Any, record: ConnectionPoolEntry, _args: Any, _options: Any) -> None:
    record.info[_SINCE] = time.monotonic()
