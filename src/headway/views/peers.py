"""Compare a learner's points with those of others on the same leaderboard: as a share, without names."""

from typing import Final

from msgspec import Struct, field
from sqlalchemy.engine import Connection

from headway.domain.boards import Asking, Question, figures_of
from headway.domain.periods import parse_period, range_of
from headway.domain.scores import ratio_percent
from headway.views.leaderboards import Cache, Truth, board_snapshot, of_board
from headway.views.subject import Subject

# With fewer others nothing is shown, not even their number.
OTHERS_MIN: Final = 10
_TOO_FEW: Final = f"fewer than {OTHERS_MIN} others have gained points there"
_NO_POINTS: Final = "no points were gained yet in this period"


class Peers(Struct):
    """What a learner gained in a period, and the share of the others who gained less; ties count half.

    `reason` says why if there is no share.
    """

    period: str
    course: str | None
    first: str = field(name="from")
    last: str = field(name="to")
    points: int
    solved: int
    others: int | None
    ahead_of_percent: float | None
    reason: str | None


def read_peers(
    connection: Connection,
    subject: Subject,
    now: int,
    period: str = "month",
    course: str | None = None,
    cache: Cache | None = None,
) -> Peers:
    """Return a learner's comparison; Invalid, UnknownCourse or Busy if there is no such board, or not yet."""
    kind = parse_period(period)
    snapshot = board_snapshot(connection, course, kind, now, subject.learner_id)
    truth = Truth(snapshot)
    place = truth.own_place

    def look(source: Asking) -> list[int]:
        # Places are negative integers: everybody is above 0, and learners with equal places are above `place + 1`, too.
        places = (place, place + 1, 0)
        stored = source.ask(*(Question("above", (one, "")) for one in places))
        return [truth.pending.above(one, number) for one, number in zip(places, stored, strict=True)]

    above, equal_or_above, all_ = of_board(connection, snapshot, cache, look)
    shown = int(truth.me is not None)
    others, equal, below = all_ - shown, equal_or_above - above - shown, all_ - equal_or_above
    days = range_of(kind, snapshot.today)
    told = (kind, course, days.first, days.last, *figures_of(place))
    if others < OTHERS_MIN:
        return Peers(*told, None, None, _TOO_FEW)
    if not place:
        return Peers(*told, others, None, _NO_POINTS)
    return Peers(*told, others, share_ahead(below, equal, others), None)


def share_ahead(below: int, equal: int, others: int) -> float:
    """Return the percentage of the others a learner is ahead of: `below` count in full, `equal` half."""
    return ratio_percent(2 * below + equal, 2 * others)
