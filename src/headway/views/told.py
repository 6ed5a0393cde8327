"""What a learner is told as it comes, for streams."""

from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.preferences import types_of
from headway.store import told
from headway.store.notices import Place
from headway.store.told import Told

AT_ONCE: Final = 100
# Who was away for longer reads anew how things stand.
ENTRIES_BEHIND_MAX: Final = 1_000


class Watched(NamedTuple):
    """What is there behind a place, up to which it is all that was there, and whether there is more to be read now.

    `is_late` where so much lies behind the place that nothing of it is told: `place` is then the end.
    """

    told: list[Told]
    place: Place
    has_more: bool = False
    is_late: bool = False


def begin_watching(connection: Connection, learner_id: str, place: Place | None) -> Watched:
    """Where a stream begins: at a place, or at the end where there is none or it lies too far back."""
    end = told.end(connection, learner_id)
    if place is None or place > end:
        return Watched([], end)
    is_late = end.seq - place.seq > ENTRIES_BEHIND_MAX
    return Watched([], end if is_late else place, is_late=is_late)


def watch(connection: Connection, learner_id: str, session_id: str, place: Place, now: int) -> Watched | None:
    """What was told behind a place that the learner wants streamed; None where the session that watches has ended."""
    silenced = told.silenced(connection, learner_id, session_id, now)
    if silenced is None:
        return None
    found = told.behind(connection, learner_id, place, AT_ONCE)
    left_out = types_of(silenced)
    return Watched([one for one in found.told if one.change["type"] not in left_out], found.up_to, not found.is_all)
