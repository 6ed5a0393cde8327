"""A learner from what `GET /progress/export` gave: everything of the ledgers, byte by byte as it was."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from headway.domain.errors import HeadwayError
from headway.importers.reading import content_of, name_of
from headway.importers.records import ImportFailed
from headway.ledger.adopt import Adopted, Adoptee, adopt, facts_of
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entry_facts import EntryFacts

NAME: Final = "headway-export"


class _Identity(Struct):
    id: str
    kind: str
    moved_at: int | None
    moved_after: int | None
    entries: int


class _Version(Struct):
    course: str
    version: int
    manifest_sha256: str


class _Document(Struct):
    format: str
    version: int
    learner: dict[str, Any] | None
    identities: list[_Identity]
    courses: list[_Version]
    events: list[EntryFacts]
    complete: bool


_canonical: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def take_over(database: Database, path: str, *, dry_run: bool = False) -> Adopted:
    """Take over the learner of an export; ImportFailed where the file is none, or was cut off."""
    return adopt(database, Catalog(), read_export(path), dry_run=dry_run)


def read_export(path: str) -> Adoptee:
    """What an export holds."""
    raw = content_of(path)
    try:
        said = msgspec.json.decode(raw, type=_Document)
        if (said.format, said.version, said.complete) != (NAME, 1, True):
            raise ImportFailed(f"{name_of(path)} is no export of a form that this Headway knows")
        return _adoptee(said)
    except (msgspec.DecodeError, KeyError, ValueError, RecursionError) as error:
        raise ImportFailed(f"{name_of(path)} is no whole export of Headway's: {error}") from None
    except HeadwayError as error:
        raise ImportFailed(f"{name_of(path)} holds what no ledger does: {error.detail}") from None


def _adoptee(said: _Document) -> Adoptee:
    if said.learner is None or not said.identities or said.identities[0].id != said.learner["id"]:
        raise ImportFailed("the export is of nobody: there is no learner in it")
    account: Mapping[str, Any] = said.learner
    guests = [
        {
            "id": one.id,
            "kind": one.kind,
            "time_zone": account["time_zone"],
            "created_at": account["created_at"],
            "merged_into": account["id"],
            "merged_at": one.moved_at,
            "merged_after": one.moved_after,
        }
        for one in said.identities[1:]
    ]
    entries = [facts_of(msgspec.structs.asdict(one) | {"body": _body(one.sent)}) for one in said.events]
    versions = {(one.course, one.version): one.manifest_sha256 for one in said.courses}
    return Adoptee([account, *guests], entries, versions)


def _body(sent: Raw) -> str:
    """As it was recorded: canonical, whoever has laid the file out anew meanwhile."""
    return _canonical(json.loads(bytes(sent)))
