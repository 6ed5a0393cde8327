"""Delete what has expired: windows of throttles, sessions, resets, sign-ins of devices, old security events."""

from collections.abc import Callable
from functools import partial
from typing import Final

from sqlalchemy.engine import Connection

from headway.ledger.throttles import Limit, Throttle, take_quietly
from headway.store import mailing, notices, resets, security, sessions, throttles, webhooks
from headway.store.database import Database

ROWS_A_TRANSACTION: Final = 1_000


def is_due(database: Database, what: str, every_s: int, *, now: int) -> bool:
    """Return whether a periodic task is this process's to do now; no other gets it within `every_s` seconds."""
    return take_quietly(database, Throttle(Limit(what, 1, every_s), ()), now=now)


def tidy(database: Database, *, now: int, events_before: int, notices_before: int, sent_before: int) -> int:
    """Delete what has expired, and security events, notices and deliveries from before a time; return how many rows."""
    return _tidy_sessions(database, now) + sum(
        _in_portions(database, forget)
        for forget in (
            partial(throttles.forget_ended, now=now, limit=ROWS_A_TRANSACTION),
            partial(resets.forget_ended, now=now, limit=ROWS_A_TRANSACTION),
            partial(security.forget_before, at=events_before, limit=ROWS_A_TRANSACTION),
            partial(notices.forget_before, at=notices_before, limit=ROWS_A_TRANSACTION),
            partial(mailing.forget_before, at=notices_before, limit=ROWS_A_TRANSACTION),
            partial(webhooks.forget_before, at=sent_before, limit=ROWS_A_TRANSACTION),
            partial(webhooks.forget_orphans, limit=ROWS_A_TRANSACTION),
        )
    )


def _tidy_sessions(database: Database, now: int) -> int:
    """Delete expired sessions.

    They are many, and not in order of their ends, so they are found in a snapshot, while others write.
    """
    with database.read() as connection:
        ended = sessions.ended(connection, now)
    for start in range(0, len(ended), ROWS_A_TRANSACTION):
        with database.transaction() as connection:
            sessions.forget_ended(connection, ended[start : start + ROWS_A_TRANSACTION], now)
    return len(ended)


def _in_portions(database: Database, forget: Callable[[Connection], int]) -> int:
    total = 0
    while True:
        with database.transaction() as connection:
            gone = forget(connection)
        total += gone
        if gone < ROWS_A_TRANSACTION:
            return total
