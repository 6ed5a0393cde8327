"""The importers by format, and the functions that run them."""

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
    """Run an import; what an earlier run recorded, even one that was broken off, counts as duplicate."""
    _join(database, importer)
    with tally() as named:
        return Intake(LedgerDesk(database), named, rejected, alone=alone).run(importer, read)


def rehearse(
    database: Database | None, importer: Importer, *, read: Read, rejected: Rejected, alone: bool = True
) -> Summary:
    """Return what an import would result in, and write nothing."""
    if database is not None:
        _join(database, importer)
    with tally() as named, tally() as seen:
        return Intake(RehearsalDesk(database, seen), named, rejected, alone=alone).run(importer, read)


def _join(database: Database, importer: Importer) -> None:
    """For a course made of the files' exercises, keep those that earlier imports brought."""
    if not isinstance(importer, JsonFiles):
        return
    with database.read() as connection:
        version = courses.versions(connection, [COURSE]).get(COURSE)
        pair = (COURSE, version or 0)
        found = courses.manifests(connection, [pair]).get(pair)
    importer.join(None if found is None else json.loads(found[0]))
