"""Statements for exporting all that is kept of a learner: entries page by page, everything else as it is stored."""

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store import entries
from headway.store.entries import Entry
from headway.store.schema import OF_LEARNER, brought, course_version, learner, ledger

# Secrets that open a door are not exported, nor is `brought`, which follows from the ledgers.
_SECRETS: Final = ("token_hash", "password_hash", "device_code_hash", "user_code", "code_hash", "secret")
_LEFT_OUT: Final = (brought,)
ENTRIES_A_PAGE: Final = 1_000


class Identity(NamedTuple):
    """An account or a guest moved into it: when, after which of the account's entries, and its number of entries."""

    id: str
    kind: str
    moved_at: int | None
    moved_after: int | None
    entries: int


def account(connection: Connection, learner_id: str) -> dict[str, Any]:
    """A learner's row, without secrets."""
    found = connection.execute(sa.select(learner).where(learner.c.id == learner_id)).mappings().one()
    return {name: value for name, value in found.items() if name not in _SECRETS}


def identities(connection: Connection, learner_id: str) -> list[Identity]:
    """The account, and the guests in the order in which they were moved into it."""
    last = sa.select(sa.func.coalesce(sa.func.max(ledger.c.seq), 0)).where(ledger.c.learner_id == learner.c.id)
    columns = (learner.c.id, learner.c.kind, learner.c.merged_at, learner.c.merged_after, last.scalar_subquery())
    wanted = sa.or_(learner.c.id == learner_id, learner.c.merged_into == learner_id)
    order = (learner.c.merged_into.is_not(None), learner.c.merged_at, learner.c.id)
    return [Identity(*row) for row in connection.execute(sa.select(*columns).where(wanted).order_by(*order))]


def published(connection: Connection, pairs: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
    """Hashes of the manifests of those (course, version) that are published here."""
    columns = (course_version.c.course_id, course_version.c.version, course_version.c.manifest)
    wanted = course_version.c.course_id.in_({course_id for course_id, _ in pairs})
    found = connection.execute(sa.select(*columns).where(wanted))
    return {(row[0], row[1]): hash_of(row[2]) for row in found if (row[0], row[1]) in pairs}


def hash_of(manifest: str) -> str:
    """The SHA-256 of a manifest: it tells manifests apart, and reveals no answer keys."""
    return sha256(manifest.encode()).hexdigest()


def tables(connection: Connection, learner_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each of the learners' tables as they are stored, without secrets; one statement per table."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table in OF_LEARNER:
        if table in _LEFT_OUT:
            continue
        names = [column for column in table.c if column.name not in _SECRETS]
        wanted = sa.select(*names).where(table.c.learner_id.in_(learner_ids)).order_by(*table.primary_key)
        found[table.name] = [dict(row) for row in connection.execute(wanted).mappings()]
    return found


def page(connection: Connection, learner_id: str, after: int, up_to: int) -> list[Entry]:
    """The next entries of a ledger, after one number and up to another."""
    within = (ledger.c.learner_id == learner_id, ledger.c.seq > after, ledger.c.seq <= up_to)
    wanted = sa.select(ledger).where(*within).order_by(ledger.c.seq).limit(ENTRIES_A_PAGE)
    return entries.filled(connection, [Entry(*row) for row in connection.execute(wanted)])
