"""What a learner is told while it happens, for streams."""

from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.preferences import types_of
from headway.store import told
from headway.store.notices import NoticePlace
from headway.store.told import Told

AT_ONCE: Final = 100
# A client that was away for longer reads its state anew.
ENTRIES_BEHIND_MAX: Final = 1_000


class Watched(NamedTuple):
    """What a learner was told after a place, up to `place`, and whether there is more to read now.

    `is_late` means that too much lies after the place, and none of it is told: `place` is then the end.
    """

    told: list[Told]
    place: NoticePlace
    has_more: bool = False
    is_late: bool = False


def begin_watching(connection: Connection, learner_id: str, place: NoticePlace | None) -> Watched:
    """Return where a stream begins: at a place, or at the end if there is none or it is too far back."""
    end = told.end(connection, learner_id)
    if place is None or place > end:
        return Watched([], end)
    is_late = end.seq - place.seq > ENTRIES_BEHIND_MAX
    return Watched([], end if is_late else place, is_late=is_late)


def watch(connection: Connection, learner_id: str, session_id: str, place: NoticePlace, now: int) -> Watched | None:
    """Return what was told after a place and is wanted in the stream; None if the watching session has ended."""
    silenced = told.silenced(connection, learner_id, session_id, now)
    if silenced is None:
        return None
    found = told.behind(connection, learner_id, place, AT_ONCE)
    left_out = types_of(silenced)
    return Watched([one for one in found.told if one.change["type"] not in left_out], found.up_to, not found.is_all)
