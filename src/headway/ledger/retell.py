"""Work out which notices learners should have: those that their ledgers tell, and those that no entry tells."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

import msgspec

from headway.domain.notices import WEBHOOK_DISABLED, id_apart, subject_apart, time_apart
from headway.ledger.refold import LedgerNotices, Refolded
from headway.store import sums
from headway.store.notices import PARTS_MAX, Notice, NoticePlace
from headway.store.rows import Row

# After the last entry of any ledger.
_NOWHERE: Final = 2**63
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


def told_since(stored: Mapping[str, Mapping[sums.SumKind, Mapping[Any, Row]]]) -> dict[str, int]:
    """Return, for the learners with notices, the number of the first entry that has one."""
    return {
        learner_id: min((place.seq for place in kinds[sums.NOTICES] if place.n < PARTS_MAX), default=_NOWHERE)
        for learner_id, kinds in stored.items()
        if kinds[sums.NOTICES]
    }


def with_notices(
    stored: Mapping[str, Mapping[sums.SumKind, Mapping[Any, Row]]], folded: Iterable[Refolded]
) -> Iterator[Refolded]:
    """Yield what ledgers come to, with the notices that should be stored, given those that are.

    For learners without any, nothing is missing: all may have been deleted because of their age.
    """
    for one in folded:
        yield one._replace(notices=_notices(one, stored[one.learner_id][sums.NOTICES]), told=None)


def _notices(one: Refolded, found: Mapping[NoticePlace, Row]) -> dict[NoticePlace, Notice]:
    # An erased learner has no notices, and those of a moved guest are its account's.
    if not found or one.told is None or not one.is_somebody:
        return {}
    kept = {place: Notice._make(row) for place, row in found.items()}
    return dict(_of_entries(one.told, kept)) | _Apart(one.learner_id, one.told).all_of(kept)


def _of_entries(told: LedgerNotices, kept: Mapping[NoticePlace, Notice]) -> Iterator[tuple[NoticePlace, Notice]]:
    """Yield the notices that entries tell and that are stored, and those that are missing.

    The oldest are deleted first, and an adopted learner was told elsewhere: only what is later than the oldest stored
    notice can be missing.
    """
    oldest: int | None = None
    for one in told.own:
        place = NoticePlace(one.seq, one.n)
        if place in kept:
            oldest = one.at if oldest is None else min(oldest, one.at)
            yield place, one._replace(read_at=kept[place].read_at)
        elif oldest is not None and oldest < one.at:
            yield place, one


class _Apart:
    """Checks the notices that no entry of the own ledger tells: those that guests brought, and those told apart.

    It cannot be told whether one of them is missing, nor after which entry it was put.
    """

    def __init__(self, learner_id: str, told: LedgerNotices) -> None:
        self._account = learner_id
        self._guests = told.guests.keys()
        self._brought = {one.id: one for of_guest in told.guests.values() for one in of_guest}
        self._head = told.head

    def all_of(self, kept: Mapping[NoticePlace, Notice]) -> dict[NoticePlace, Notice]:
        """Return these notices as they should be, without those whose content can no longer be determined."""
        apart = {place: kept[place] for place in sorted(kept) if self._is_apart(place)}
        named = ((place, self._by_id(one)) for place, one in apart.items())
        found = {place: true for place, true in named if true is not None}
        ids = {one.id for one in found.values()}
        for place in (place for place in apart if place not in found):
            alike = list(self._alike(apart[place]))
            # If the right notice is there already, one like it is a copy.
            if alike and ids.isdisjoint(true.id for true in alike):
                found[place] = alike[0]
                ids.add(alike[0].id)
        return found

    def _is_apart(self, place: NoticePlace) -> bool:
        return place.n >= PARTS_MAX and 0 <= place.seq <= self._head

    def _by_id(self, one: Notice) -> Notice | None:
        """Return the notice as it should be according to its id; None if the id matches nothing."""
        if one.id in self._brought:
            return _put(self._brought[one.id], one)
        return next((true for true in self._said_by(one) if true.id == one.id), None)

    def _alike(self, one: Notice) -> Iterator[Notice]:
        """Yield the notices that it may be according to everything but its id."""
        brought = (_put(true, one) for true in self._brought.values())
        return (true for true in chain(brought, self._said_by(one)) if true._replace(id=one.id) == one)

    def _said_by(self, one: Notice) -> Iterator[Notice]:
        for subject in dict.fromkeys((one.subject, _subject(one.body, one.at))):
            at = time_apart(subject) or one.at
            if subject and subject == _subject(one.body, at):
                kind = _decode(one.body)["type"]
                for owner in self._owners(kind):
                    yield one._replace(id=id_apart(owner, subject), type=kind, subject=subject, at=at)

    def _owners(self, kind: str) -> Iterable[str]:
        """Yield the learners whose id a notice told apart may be derived from, the likeliest first.

        Webhooks belong to accounts alone.
        """
        return chain((self._account,), () if kind == WEBHOOK_DISABLED else self._guests)


def _put(brought: Notice, one: Notice) -> Notice:
    """Return what a guest was told, at the place of a stored notice."""
    return brought._replace(learner_id=one.learner_id, seq=one.seq, n=one.n, read_at=one.read_at)


def _subject(body: str, at: int) -> str:
    """Return the subject of a change that no entry tells; "" if the body is no such change."""
    try:
        return subject_apart(_decode(body), at)
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError):
        return ""
