"""A learner from what `GET /progress/export` returned: all facts of the ledgers, unchanged."""

import json
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Raw, Struct

from headway.domain.errors import HeadwayError
from headway.domain.identity import check_name
from headway.domain.times import TIME_MAX, zone
from headway.importers.reading import content_of, name_of
from headway.importers.records import ImportFailed, checked_learner
from headway.ledger.adopt import Adopted, Adoptee, adopt, facts_of
from headway.ledger.emails import known_spelling
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Entry
from headway.store.entry_facts import EntryFacts

NAME: Final = "headway-export"

Time: TypeAlias = Annotated[int, Meta(ge=0, le=TIME_MAX)]
Span: TypeAlias = Annotated[int, Meta(ge=-TIME_MAX, le=TIME_MAX)]
Number: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Id: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
Name: TypeAlias = Annotated[str, Meta(pattern=r"\A[^\0]{1,200}\Z")]
Rules: TypeAlias = Annotated[str, Meta(pattern=r"\A(before|[1-9][0-9]{0,5}/[0-9]{1,6})\Z")]
LearnerKind: TypeAlias = Literal["guest", "account", "imported"]
# The sources in a ledger of somebody who is not erased: REPORTED, IMPORTED and SERVER of the recording.
Source: TypeAlias = Literal["reported", "imported", "server"]


class _Learner(Struct):
    """The exported learner; anything else about them, above all roles, is for this site's operator to grant."""

    id: Id
    kind: LearnerKind
    email: str | None
    display_name: str | None
    time_zone: str
    external_id: str | None
    created_at: Time
    leaderboard_alias: str | None = None
    leaderboard_opt_out: bool = False


class _Identity(Struct):
    id: Id
    kind: LearnerKind
    moved_at: Time | None
    moved_after: Number | None
    entries: int


class _Version(Struct):
    course: Name
    version: int
    manifest_sha256: str


class _Facts(EntryFacts):
    """The facts of an entry, limited to what a ledger can hold."""

    ledger: Id
    seq: Number
    id: Id
    received_at_us: Time
    clock_skew_us: Span
    source: Source
    version: Number
    streak_rules: Rules | None


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
    """The content of an export; ImportFailed where the file is no complete one."""
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
        "leaderboard_alias": check_name(one.leaderboard_alias, "leaderboard_alias"),
        "external_id": checked_learner(one.external_id) if one.external_id else None,
        "time_zone": zone(one.time_zone).key,
    }
    shared = {"time_zone": one.time_zone, "created_at": one.created_at, "merged_into": one.id}
    guests = [
        {"id": guest.id, "kind": guest.kind, "merged_at": guest.moved_at, "merged_after": guest.moved_after} | shared
        for guest in said.identities[1:]
    ]
    entries = [_entry(n, one) for n, one in enumerate(said.events)]
    versions = {(one.course, one.version): one.manifest_sha256 for one in said.courses}
    return Adoptee([account, *guests], entries, versions)


def _entry(n: int, said: _Facts) -> Entry:
    try:
        return facts_of(msgspec.structs.asdict(said) | {"body": _body(said.sent)})
    except HeadwayError as error:
        raise ImportFailed(f"{error.detail} - at `$.events[{n}]`") from None


def _body(sent: Raw) -> str:
    """The body as it was recorded: canonical JSON, even if the file was reformatted since."""
    body = _canonical(json.loads(bytes(sent)))
    body.encode()  # ValueError: half of a character
    return body
