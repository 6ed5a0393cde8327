"""Run one recording transaction, again if the database asks for it or the connection was lost."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from headway.ledger import announcing
from headway.ledger.memory import Memory
from headway.ledger.record import Answer, record
from headway.ledger.submission import Receipt, StatusChange, Submission
from headway.store.catalog import Catalog
from headway.store.database import Database, is_lost, is_worth_repeating

log = structlog.get_logger()
T = TypeVar("T")

TRIES = 6
FIRST_PAUSE_S = 0.05


def commit(
    database: Database,
    catalog: Catalog,
    submissions: Sequence[Submission],
    *,
    wait: bool = True,
    memory: Memory | None = None,
) -> list[Answer]:
    """Record submissions as `record` does, and commit them.

    This is safe after a COMMIT without an answer, too: events that were committed are found by their ids. If that
    COMMIT is still running, an insert that is repeated, such as a newcomer's row, waits for it, fails as a duplicate,
    and is tried again.
    """
    tried: list[StatusChange] = []

    def work(connection: Connection) -> list[Answer]:
        answers = record(connection, catalog, submissions, wait=wait, tried=tried, memory=memory)
        tried[:] = (change for one in answers if isinstance(one, Receipt) for change in one.statuses)
        return answers

    answers = committed(database, work)
    if memory is not None:
        memory.keep()
    log_statuses(tried)
    return answers


def log_statuses(statuses: Iterable[StatusChange]) -> None:
    """Log the new statuses of learners' modules and courses, after they were committed."""
    for one in statuses:
        log.info("status_changed", **one._asdict())


def committed(database: Database, work: Callable[[Connection], T]) -> T:
    """Return what `work` returns in a committed transaction.

    `work` may run several times, and must find what an earlier run committed.
    """
    lost = False
    for attempt in range(TRIES):
        try:
            with database.transaction() as connection:
                made = work(connection)
                told = announcing.taken(connection)
        except DBAPIError as error:
            lost = lost or is_lost(error)
            if attempt == TRIES - 1 or not (lost or is_worth_repeating(error)):
                raise
            log.warning("commit_tried_again", attempt=attempt + 1, error=type(error.orig).__name__)
            time.sleep(FIRST_PAUSE_S * 2**attempt)
        else:
            announcing.announce(database, told)
            return made
    raise AssertionError("unreachable: the last try returns or raises")
