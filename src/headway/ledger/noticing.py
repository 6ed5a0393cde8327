"""Turn what entries tell a learner into notices, in the transaction that writes the entries; or work them out again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import msgspec
from sqlalchemy.engine import Connection

from headway.domain.changes import Change
from headway.domain.events import read_event
from headway.domain.facts import RESET, Fact
from headway.domain.notices import is_kept, notice_id, subject_of
from headway.domain.recording import IMPORTED, SERVER
from headway.domain.webhooks import Endpoint
from headway.ledger import announcing
from headway.store import notices, webhooks
from headway.store.entries import Entry
from headway.store.notices import Notice
from headway.store.rows import Addition
from headway.store.webhooks import DueDelivery

_decode_changes: Final = msgspec.json.Decoder(list[Change]).decode
_encode: Final = msgspec.json.Encoder().encode


class Learner(Protocol):
    """A learner locked by this transaction."""

    is_told: bool


def tell(
    connection: Connection,
    appended: Sequence[Entry],
    learners: Mapping[str, Learner],
    endpoints: Sequence[Endpoint] | None,
) -> tuple[Addition, Addition]:
    """Return the rows to add for entries that are being written: their notices, and the messages due to webhooks.

    Imported history tells nobody anything. The endpoints are read if they are not known yet.
    """
    told = [one for one in appended if one.changes and learners[one.learner_id].is_told]
    imported = {(one.learner_id, one.event_id) for one in appended if one.source == IMPORTED}
    if imported:
        told = [one for one in told if not _is_history(one, _fact(one), imported)]
    if told:
        announcing.note(connection, {one.learner_id for one in told})
        endpoints = webhooks.endpoints(connection) if endpoints is None else endpoints
    changes = [(one, _decode_changes(one.changes or "[]")) for one in told]
    due = list(_due(changes, endpoints)) if endpoints else []
    if due:
        announcing.note_due(connection)
    return notices.added(_notices(changes)), webhooks.due_added(due)


class Telling:
    """Collects the notices that a ledger's entries tell, from one number on; `see` takes each entry once, in order."""

    def __init__(self, since: int) -> None:
        self.notices = list[Notice]()
        self._since = since
        self._imported = set[tuple[str, str]]()

    def see(self, entry: Entry, fact: Fact | None) -> None:
        """Take in an entry and the notices it tells; `fact` is passed as it was read, for the body may be anything."""
        if entry.source == IMPORTED:
            self._imported.add((entry.learner_id, entry.event_id))
        elif entry.changes and entry.seq >= self._since and self._is_told(entry, fact):
            self.notices += _notices([(entry, _decode_changes(entry.changes))])

    def _is_told(self, entry: Entry, fact: Fact | None) -> bool:
        # A reset is told in the reply to it, and nowhere else.
        return entry.type != RESET and not _is_history(entry, fact, self._imported)


def _fact(entry: Entry) -> Fact | None:
    return read_event(entry.event_id, entry.body).fact if entry.source == SERVER else None


def _is_history(entry: Entry, fact: Fact | None, imported: set[tuple[str, str]]) -> bool:
    """Return whether an entry was imported, or brought about by one that was."""
    if entry.source != SERVER:
        return entry.source == IMPORTED
    return (entry.learner_id, getattr(fact, "cause", "")) in imported


def _notices(told: Iterable[tuple[Entry, list[Change]]]) -> Iterator[Notice]:
    for entry, changes in told:
        for n, change in enumerate(changes):
            if is_kept(change):
                yield Notice(
                    entry.learner_id,
                    entry.seq,
                    n,
                    notice_id(entry.learner_id, entry.event_id, n),
                    change["type"],
                    subject_of(change, entry.run),
                    entry.received_at,
                    _encode(change).decode(),
                )


def _due(told: Iterable[tuple[Entry, list[Change]]], endpoints: Sequence[Endpoint]) -> Iterator[DueDelivery]:
    for entry, changes in told:
        for n, change in enumerate(changes):
            for one in endpoints:
                if one.takes(change):
                    yield DueDelivery(one.id, entry.learner_id, entry.seq, n, entry.received_at)
