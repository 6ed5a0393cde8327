"""Record imports that run in the background: that one began, how far it has come, and how it ended."""

from typing import Final
from uuid import uuid4

from sqlalchemy.engine import Connection, RowMapping

from headway.domain.errors import HeadwayError
from headway.domain.times import MINUTE
from headway.ledger.commit import committed
from headway.store import upkeep
from headway.store.database import Database

KIND: Final = "import"
LOST_AFTER: Final = 10 * MINUTE


class ImportRunning(HeadwayError):
    """Another import is under way."""

    code = "import-running"


def begin(database: Database, total: int, *, now: int) -> RowMapping:
    """Record that an import of `total` bytes begins; ImportRunning if one is under way."""

    def work(connection: Connection) -> RowMapping:
        upkeep.hold(connection)
        upkeep.give_up(connection, KIND, now - LOST_AFTER, now)
        found = upkeep.under_way(connection, KIND)
        if found is not None:
            raise ImportRunning(f"import {found['id']} is under way; send this again when it is over")
        return upkeep.begin(connection, KIND, str(uuid4()), now, total)

    return committed(database, work)


def note(database: Database, run_id: str, done: int, *, now: int) -> bool:
    """Record how many bytes were read, and return whether the import is still under way."""
    return committed(database, lambda connection: upkeep.note(connection, run_id, now, done))


def end(database: Database, run_id: str, how: tuple[str, int], report: str | None, *, now: int) -> None:
    """Record how the import ended, how far it came, and its report."""
    committed(database, lambda connection: upkeep.end(connection, run_id, now, how, report))
