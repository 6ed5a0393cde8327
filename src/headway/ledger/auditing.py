"""Auditing in the background: one audit of a database at a time, whose progress and result every process can tell."""

import time
from collections.abc import Callable
from threading import Event
from typing import Final
from uuid import uuid4

import msgspec
import structlog
from sqlalchemy.engine import Connection, RowMapping

from headway.domain.errors import HeadwayError
from headway.domain.times import MINUTE
from headway.ledger.audit import AuditReport, audit
from headway.ledger.commit import committed
from headway.ledger.resting import Stopping, resting
from headway.store import learners, upkeep
from headway.store.catalog import Catalog
from headway.store.database import Database

log = structlog.get_logger()

KIND: Final = "audit"
FAULTS_KEPT: Final = 100
LOST_AFTER: Final = 10 * MINUTE
_NOTED_EVERY_S: Final = 1.0
_REST_MAX_S: Final = 1.0


class AuditStopped(HeadwayError):
    """The audit was stopped before its end."""

    code = "audit-stopped"


def begin(database: Database, *, now: int) -> tuple[RowMapping, bool]:
    """Return the audit that is under way and False, or a new one, which the caller is to run, and True."""

    def work(connection: Connection) -> tuple[RowMapping, bool]:
        upkeep.hold(connection)
        upkeep.give_up(connection, KIND, now - LOST_AFTER, now)
        found = upkeep.under_way(connection, KIND)
        if found is not None:
            return found, False
        return upkeep.begin(connection, KIND, str(uuid4()), now, learners.count(connection)), True

    return committed(database, work)


def run(database: Database, catalog: Catalog, run_id: str, *, now: Callable[[], int], stopping: Event) -> None:
    """Run an audit that was begun, resting as long as it works so that requests go on; note how it ended."""
    progress = _Progress(database, run_id, now, stopping)
    outcome, report = "failed", None
    try:
        found = audit(database, catalog, progress=progress)
        outcome, report = "clean" if found.clean else "found", _told(found)
    except (AuditStopped, Stopping):
        outcome = "stopped"
    except Exception:
        log.exception("audit_failed")
        raise
    finally:
        committed(database, lambda connection: upkeep.end(connection, run_id, now(), (outcome, progress.done), report))
    log.info("audited", outcome=outcome, learners=progress.done)


def _told(found: AuditReport) -> str:
    faults = [one._asdict() for one in found.faults[:FAULTS_KEPT]]
    counts = {"learners": found.learners, "events": found.events, "found": found.found, "differing": found.differing}
    told = {**counts, "faults": faults}
    return msgspec.json.encode(told, enc_hook=str).decode()


class _Progress:
    """Counts learners, records their number now and then, and rests.

    Raises Stopping if the process is about to end, and AuditStopped if the audit was given up as lost.
    """

    def __init__(self, database: Database, run_id: str, now: Callable[[], int], stopping: Event) -> None:
        self.done = 0
        self._database = database
        self._run_id = run_id
        self._now = now
        self._rest = resting(stopping, _REST_MAX_S)
        self._noted_at = time.monotonic()

    def __call__(self, count: int) -> None:
        self.done += count
        if time.monotonic() - self._noted_at > _NOTED_EVERY_S:
            self._note()
        self._rest(count)

    def _note(self) -> None:
        if not committed(self._database, lambda c: upkeep.note(c, self._run_id, self._now(), self.done)):
            raise AuditStopped("it was given up as lost")
        self._noted_at = time.monotonic()
