"""A learner from what `GET /progress/export` gave: everything of the ledgers, byte by byte as it was."""

import json
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from headway.domain.errors import HeadwayError
from headway.domain.identity import check_name
from headway.importers.reading import content_of, name_of
from headway.importers.records import ImportFailed, checked_learner
from headway.ledger.adopt import Adopted, Adoptee, adopt, facts_of
from headway.ledger.emails import known_spelling
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entry_facts import EntryFacts

NAME: Final = "headway-export"


# Beyond the year 9999 nothing can be told.
_MICROSECONDS_MAX: Final = 253_402_300_799_999_999
Time: TypeAlias = Annotated[int, Meta(ge=0, le=_MICROSECONDS_MAX)]
Span: TypeAlias = Annotated[int, Meta(ge=-_MICROSECONDS_MAX, le=_MICROSECONDS_MAX)]
Number: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Kind: TypeAlias = Literal["guest", "account", "imported"]


class _Learner(Struct):
    """Whose export it is; what else is said of them, their roles above all, is for the operator of here to give."""

    id: str
    kind: Kind
    email: str | None
    display_name: str | None
    time_zone: Annotated[str, Meta(min_length=1, max_length=64)]
    external_id: str | None
    created_at: Time


class _Identity(Struct):
    id: str
    kind: Kind
    moved_at: Time | None
    moved_after: Number | None
    entries: int


class _Version(Struct):
    course: str
    version: int
    manifest_sha256: str


class _Facts(EntryFacts):
    """Facts of an entry, of which no number is larger than what is kept."""

    seq: Number
    received_at_us: Time
    clock_skew_us: Span
    version: Number


class _Document(Struct):
    format: str
    version: int
    learner: _Learner | None
    identities: list[_Identity]
    courses: list[_Version]
    events: list[_Facts]
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
    one = said.learner
    if one is None or not said.identities or said.identities[0].id != one.id:
        raise ImportFailed("the export is of nobody: there is no learner in it")
    account = msgspec.structs.asdict(one) | {
        "email": known_spelling(one.email) if one.email else None,
        "display_name": check_name(one.display_name),
        "external_id": checked_learner(one.external_id) if one.external_id else None,
    }
    shared = {"time_zone": one.time_zone, "created_at": one.created_at, "merged_into": one.id}
    guests = [
        {"id": guest.id, "kind": guest.kind, "merged_at": guest.moved_at, "merged_after": guest.moved_after} | shared
        for guest in said.identities[1:]
    ]
    entries = [facts_of(msgspec.structs.asdict(one) | {"body": _body(one.sent)}) for one in said.events]
    versions = {(one.course, one.version): one.manifest_sha256 for one in said.courses}
    return Adoptee([account, *guests], entries, versions)


def _body(sent: Raw) -> str:
    """As it was recorded: canonical, whoever has laid the file out anew meanwhile."""
    return _canonical(json.loads(bytes(sent)))
