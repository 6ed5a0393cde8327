"""What learners are told, for streams: read after a place, from the ledger and the notices.

A place is read only when all before it is there: under the learner's lock, entries are numbered and notices placed
after them, so that nothing is committed later in front of what is there.
"""

from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.changes import Change
from headway.domain.notices import is_kept, notice_id
from headway.store import rows
from headway.store.notices import PARTS_MAX, NoticePlace
from headway.store.rows import Part
from headway.store.schema import ledger, notice, notice_preference, session

_BY_ENTRIES: Final = Part(
    "seq, event_id, received_at, changes",
    "FROM (SELECT seq, event_id, received_at, changes FROM ledger WHERE learner_id = :learner AND seq >= :seq"
    " AND changes IS NOT NULL AND source <> 'imported' ORDER BY seq LIMIT :limit) e",
)
_BY_NOTICES: Final = Part(
    "seq, n, id, at, body",
    "FROM (SELECT seq, n, id, at, body FROM notice WHERE learner_id = :learner AND (seq, n) > (:seq, :n)"
    " ORDER BY seq, n LIMIT :limit) t",
)
_LAST_N: Final = 2**31 - 1
_decode_changes: Final = msgspec.json.Decoder(list[Change]).decode
_decode: Final = msgspec.json.Decoder(Change).decode


class Told(NamedTuple):
    """A change that a learner was told, its place, and when (microseconds)."""

    place: NoticePlace
    id: str
    at: int
    change: Change


class Portion(NamedTuple):
    """What was told after a place, in order; up to which place it is complete, and whether there is no more."""

    told: list[Told]
    up_to: NoticePlace
    is_all: bool


def end(connection: Connection, learner_id: str) -> NoticePlace:
    """The place after all that a learner was told so far."""
    head = sa.select(sa.func.coalesce(sa.func.max(ledger.c.seq), 0)).where(ledger.c.learner_id == learner_id)
    seq = connection.execute(head).scalar_one()
    part = sa.select(sa.func.max(notice.c.n)).where(notice.c.learner_id == learner_id, notice.c.seq == seq)
    return NoticePlace(seq, max(connection.execute(part).scalar() or 0, PARTS_MAX - 1))


def silenced(connection: Connection, learner_id: str, session_id: str, now: int) -> set[str] | None:
    """The kinds that a learner does not want streamed; None where the session is not theirs, or has ended."""
    alive = (session.c.id == session_id) & (session.c.learner_id == learner_id) & (session.c.expires_at > now)
    chosen = notice_preference
    off = (chosen.c.learner_id == session.c.learner_id) & sa.not_(chosen.c.stream)
    kinds = sa.select(chosen.c.kind).select_from(session.outerjoin(chosen, off)).where(alive)
    found = connection.execute(kinds).scalars().all()
    return {one for one in found if one is not None} if found else None


def behind(connection: Connection, learner_id: str, place: NoticePlace, limit: int) -> Portion:
    """What a learner was told after a place, read by one statement of at most `limit` entries and `limit` notices."""
    asked = {"learner": learner_id, "seq": place.seq, "n": place.n, "limit": limit}
    by_entries, by_notices = rows.gather(connection, _BY_ENTRIES, _BY_NOTICES, **asked)
    found = [told for row in by_entries for told in _of_entry(learner_id, *row)]
    found += [Told(NoticePlace(row[0], row[1]), row[2], row[3], _decode(row[4])) for row in by_notices]
    # After the last row of a list cut at the limit, something may be missing: what lies behind it is read next time.
    ends = [max(row[0] for row in by_entries)] if len(by_entries) == limit else []
    places = [NoticePlace(seq, _LAST_N) for seq in ends]
    places += [NoticePlace(*max((row[0], row[1]) for row in by_notices))] if len(by_notices) == limit else []
    last = min(places, default=None)
    told = [one for one in found if one.place > place and (last is None or one.place <= last)]
    told.sort(key=lambda one: one.place)
    up_to = told[-1].place if told else last or place
    return Portion(told, up_to, last is None)


def _of_entry(learner_id: str, seq: int, event_id: str, at: int, changes: str) -> list[Told]:
    """The changes that an entry tells and that are not kept as notices."""
    return [
        Told(NoticePlace(seq, n), notice_id(learner_id, event_id, n), at, change)
        for n, change in enumerate(_decode_changes(changes))
        if not is_kept(change)
    ]
