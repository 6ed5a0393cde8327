"""The formats by name, and one call that imports."""

import json
from collections.abc import Callable, Sequence
from typing import Final

from headway.importers.csv import Csv
from headway.importers.dalestudy import DaleStudy
from headway.importers.desks import LedgerDesk, RehearsalDesk
from headway.importers.intake import Intake, Rejected, Summary
from headway.importers.json_files import COURSE, JsonFiles
from headway.importers.jsonl import Jsonl
from headway.importers.oulad import Oulad
from headway.importers.records import Importer, Read
from headway.store import courses
from headway.store.database import Database
from headway.store.tally import tally

FORMATS: Final[dict[str, Callable[[Sequence[str]], Importer]]] = {
    "oulad": Oulad,
    "dalestudy": DaleStudy,
    "jsonl": Jsonl,
    "csv": Csv,
    "json-files": JsonFiles,
}


def run(database: Database, importer: Importer, *, read: Read, rejected: Rejected, alone: bool = True) -> Summary:
    """Import; what an earlier run has recorded, be it one that broke, counts as duplicate."""
    _join(database, importer)
    with tally() as named:
        return Intake(LedgerDesk(database), named, rejected, alone=alone).run(importer, read)


def rehearse(
    database: Database | None, importer: Importer, *, read: Read, rejected: Rejected, alone: bool = True
) -> Summary:
    """Say what importing would come to, and write nothing."""
    if database is not None:
        _join(database, importer)
    with tally() as named, tally() as seen:
        return Intake(RehearsalDesk(database, seen), named, rejected, alone=alone).run(importer, read)


def _join(database: Database, importer: Importer) -> None:
    """Have a course that is made of the files' exercises keep those of earlier imports."""
    if not isinstance(importer, JsonFiles):
        return
    with database.read() as connection:
        version = courses.versions(connection, [COURSE]).get(COURSE)
        pair = (COURSE, version or 0)
        found = courses.manifests(connection, [pair]).get(pair)
    importer.join(None if found is None else json.loads(found[0]))
