"""What entries tell a learner becomes notices, in the transaction that writes them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from headway.domain.changes import Change
from headway.domain.notices import is_kept, notice_id, subject_of
from headway.domain.recording import IMPORTED, SERVER
from headway.store import notices
from headway.store.entries import Entry
from headway.store.notices import Notice
from headway.store.rows import Addition

_decode_changes: Final = msgspec.json.Decoder(list[Change]).decode
_encode: Final = msgspec.json.Encoder().encode


class Learner(Protocol):
    """A learner under this transaction's lock."""

    is_told: bool


class _Said(msgspec.Struct):
    """Of what was written behind an event: which that was."""

    cause: str = ""


_decode_said: Final = msgspec.json.Decoder(_Said).decode


def noticed(appended: Sequence[Entry], learners: Mapping[str, Learner]) -> Addition:
    """What adds the notices of entries that are being written. History that is imported tells nobody anything."""
    told = [one for one in appended if one.changes and learners[one.learner_id].is_told]
    imported = {(one.learner_id, one.event_id) for one in appended if one.source == IMPORTED}
    return notices.added(_notices(one for one in told if not imported or not _is_history(one, imported)))


def _is_history(entry: Entry, imported: set[tuple[str, str]]) -> bool:
    """Whether an entry is imported, or was brought about by one that is."""
    if entry.source != SERVER:
        return entry.source == IMPORTED
    return (entry.learner_id, _decode_said(entry.body).cause) in imported


def _notices(told: Iterable[Entry]) -> Iterator[Notice]:
    for entry in told:
        for n, change in enumerate(_decode_changes(entry.changes or "[]")):
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
