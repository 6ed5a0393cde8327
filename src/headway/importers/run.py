"""The formats by name, and one call that imports."""

from collections.abc import Callable, Sequence
from typing import Final

from headway.importers.csv import Csv
from headway.importers.dalestudy import DaleStudy
from headway.importers.desks import LedgerDesk, RehearsalDesk
from headway.importers.intake import Intake, Rejected, Summary
from headway.importers.jsonl import Jsonl
from headway.importers.oulad import Oulad
from headway.importers.records import Importer, Read
from headway.store.database import Database
from headway.store.tally import tally

FORMATS: Final[dict[str, Callable[[Sequence[str]], Importer]]] = {
    "oulad": Oulad,
    "dalestudy": DaleStudy,
    "jsonl": Jsonl,
    "csv": Csv,
}


def run(database: Database, importer: Importer, *, read: Read, rejected: Rejected) -> Summary:
    """Import; what an earlier run has recorded, be it one that broke, counts as duplicate."""
    with tally() as named:
        return Intake(LedgerDesk(database), named, rejected).run(importer, read)


def rehearse(database: Database | None, importer: Importer, *, read: Read, rejected: Rejected) -> Summary:
    """Say what importing would come to, and write nothing."""
    with tally() as named, tally() as seen:
        return Intake(RehearsalDesk(database, seen), named, rejected).run(importer, read)
