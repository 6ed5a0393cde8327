"""Which notices learners should have: those of what their ledgers tell, and what can be said of those told apart."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

import msgspec

from headway.domain.notices import WEBHOOK_DISABLED, id_apart, subject_apart, time_apart
from headway.ledger.refold import Refolded, Told
from headway.store import sums
from headway.store.notices import PARTS_MAX, Notice, Place
from headway.store.rows import Row

# Behind the last entry of any ledger.
_NOWHERE: Final = 2**63
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


def told_since(stored: Mapping[str, Mapping[sums.Kind, Mapping[Any, Row]]]) -> dict[str, int]:
    """From which entry on it is asked what learners are told: of those who have notices, the first that has one."""
    return {
        learner_id: min((place.seq for place in kinds[sums.NOTICES] if place.n < PARTS_MAX), default=_NOWHERE)
        for learner_id, kinds in stored.items()
        if kinds[sums.NOTICES]
    }


def with_notices(
    stored: Mapping[str, Mapping[sums.Kind, Mapping[Any, Row]]], folded: Iterable[Refolded]
) -> Iterator[Refolded]:
    """What ledgers come to, with the notices that there should be beside those that are stored.

    Of whoever has none, all may have gone with their time: nothing is missing.
    """
    for one in folded:
        yield one._replace(notices=_notices(one, stored[one.learner_id][sums.NOTICES]), told=None)


def _notices(one: Refolded, found: Mapping[Place, Row]) -> dict[Place, Notice]:
    # Nobody is told what was done by who is erased, and what guests were told is their accounts'.
    if not found or one.told is None or not one.is_somebody:
        return {}
    kept = {place: Notice._make(row) for place, row in found.items()}
    return dict(_of_entries(one.told, kept)) | _Apart(one.learner_id, one.told).all_of(kept)


def _of_entries(told: Told, kept: Mapping[Place, Notice]) -> Iterator[tuple[Place, Notice]]:
    """What entries tell that is kept, and what is missing of it.

    The oldest go first, and what was adopted was told elsewhere: behind what is kept nothing is missing that is later.
    """
    oldest: int | None = None
    for one in told.own:
        place = Place(one.seq, one.n)
        if place in kept:
            oldest = one.at if oldest is None else min(oldest, one.at)
            yield place, one._replace(read_at=kept[place].read_at)
        elif oldest is not None and oldest < one.at:
            yield place, one


class _Apart:
    """What can be said of notices that were put behind an entry: what guests were told, and what no entry tells.

    Of those there is no saying that one is missing, nor behind which entry it was put.
    """

    def __init__(self, learner_id: str, told: Told) -> None:
        self._account = learner_id
        self._guests = told.guests.keys()
        self._brought = {one.id: one for of_guest in told.guests.values() for one in of_guest}
        self._head = told.head

    def all_of(self, kept: Mapping[Place, Notice]) -> dict[Place, Notice]:
        """They, as they should be; without those of which nothing says any more what they were."""
        apart = {place: kept[place] for place in sorted(kept) if self._is_apart(place)}
        named = ((place, self._by_id(one)) for place, one in apart.items())
        found = {place: true for place, true in named if true is not None}
        ids = {one.id for one in found.values()}
        for place in (place for place in apart if place not in found):
            alike = list(self._alike(apart[place]))
            # Beside one that is right, what is like it is a copy.
            if alike and ids.isdisjoint(true.id for true in alike):
                found[place] = alike[0]
                ids.add(alike[0].id)
        return found

    def _is_apart(self, place: Place) -> bool:
        return place.n >= PARTS_MAX and 0 <= place.seq <= self._head

    def _by_id(self, one: Notice) -> Notice | None:
        """What it is by its id; nothing where that is nobody's."""
        if one.id in self._brought:
            return _put(self._brought[one.id], one)
        return next((true for true in self._said_by(one) if true.id == one.id), None)

    def _alike(self, one: Notice) -> Iterator[Notice]:
        """What it may be by all but its id."""
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
        """Whose id what no entry tells may be of, the likeliest first: webhooks are of accounts alone."""
        return chain((self._account,), () if kind == WEBHOOK_DISABLED else self._guests)


def _put(brought: Notice, one: Notice) -> Notice:
    """What a guest was told, in the place of a notice."""
    return brought._replace(learner_id=one.learner_id, seq=one.seq, n=one.n, read_at=one.read_at)


def _subject(body: str, at: int) -> str:
    """Of what that is which no entry tells; nothing where it says nothing of the kind."""
    try:
        return subject_apart(_decode(body), at)
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError):
        return ""
