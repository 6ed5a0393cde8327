"""Read leaderboards: a page in order, or the neighbors of the learner who asks, and that learner's own place.

Stored boards lag behind what was just recorded; the moves not counted in yet are read as well, so that pages are exact.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, TypeVar

from msgspec import Struct, field
from sqlalchemy.engine import Connection

from headway.domain.boards import (
    SITE,
    SPARE,
    Asking,
    Board,
    Question,
    Standing,
    figures_of,
    page,
    stretch,
)
from headway.domain.errors import Busy, UnknownCourse
from headway.domain.events import could_name
from headway.domain.periods import Period, range_of
from headway.store import boards
from headway.store.boards import Snapshot

T = TypeVar("T")
# Above everybody on a board.
_TOP: Final = -(2**62)
_END: Final[Standing] = (2**62, "")


class Place(NamedTuple):
    """Where a page begins: after the first `skip` learners at a place."""

    place: int
    skip: int


class BoardQuery(NamedTuple):
    """Which board, and which part: from a place on, or around the learner who asks."""

    kind: Period
    course: str | None
    around: bool
    begins: Place | None
    limit: int


class Ranked(Struct):
    """Somebody on a leaderboard; `display_name` is null for somebody who gave none."""

    rank: int
    display_name: str | None
    points: int
    solved: int
    is_me: bool


class Leaderboard(Struct):
    """A leaderboard of the site or of a course, from the first to the last day of its period in the site's zone.

    `me` is null for a learner who is not on it.
    """

    period: str
    course: str | None
    first: str = field(name="from")
    last: str = field(name="to")
    time_zone: str
    items: list[Ranked]
    me: Ranked | None
    next_cursor: str | None


class Page(NamedTuple):
    """A leaderboard, and where its next page begins."""

    board: Leaderboard
    next_place: Place | None


class Cache(Protocol):
    """A copy of boards beside the database."""

    def ask(self, at: Board, mark: int, read: Callable[[Asking], T]) -> T | None:
        """What is read of the board that bears this mark; None where the database is to be asked."""


def read_leaderboard(
    connection: Connection, asked: BoardQuery, me: str | None, now: int, cache: Cache | None = None
) -> Page:
    """A leaderboard now; UnknownCourse where there is no such course, Busy while the boards are being worked out."""
    snapshot = board_snapshot(connection, asked.course, asked.kind, now, me)
    truth = Truth(snapshot)
    found, next_place, rank_of_me = of_board(connection, snapshot, cache, lambda one: truth.read(one, asked))
    days = range_of(asked.kind, snapshot.today)
    mine = [] if truth.me is None else [(truth.me, rank_of_me)]
    listed = {one for (_, one), _ in [*found, *mine]}
    shown = _Shown(boards.names(connection, listed), me)
    items, own = shown.ranked(found), shown.ranked(mine)
    told = (asked.kind, asked.course, days.first, days.last, snapshot.state.time_zone)
    return Page(Leaderboard(*told, items, own[0] if own else None, None), next_place)


def of_board(connection: Connection, snapshot: Snapshot, cache: Cache | None, read: Callable[[Asking], T]) -> T:
    """Return what `read` gives of a board: from the cache if it has this snapshot's mark, else from the database."""
    at, mark = snapshot.at, snapshot.mark
    found = None if cache is None or mark is None else cache.ask(at, mark, read)
    return read(boards.StoredBoard(connection, at)) if found is None else found


def board_snapshot(connection: Connection, course: str | None, kind: Period, now: int, me: str | None) -> Snapshot:
    """Return the snapshot of a board; UnknownCourse if there is no such course, Busy until the boards are built."""
    valid = course is None or could_name(course)
    snapshot = boards.snapshot(connection, course or SITE, kind, now, me) if valid else None
    if snapshot is None or (course is not None and not snapshot.has_course):
        raise UnknownCourse("there is no course of that name", field="course")
    if not snapshot.state.is_built:
        raise Busy("the leaderboards are being worked out; try again in a minute", retry_after_s=60)
    return snapshot


_WithRank: TypeAlias = tuple[Standing, int]


class Found(NamedTuple):
    """Learners with their ranks, where the next page begins, and the rank of the learner who asks, 0 if not on it."""

    standings: list[_WithRank]
    next_place: Place | None
    rank_of_me: int


class _Shown:
    def __init__(self, names: dict[str, str | None], me: str | None) -> None:
        self._names = names
        self._me = me

    def ranked(self, found: Iterable[_WithRank]) -> list[Ranked]:
        return [
            Ranked(rank, self._names.get(one), *figures_of(place), is_me=one == self._me)
            for (place, one), rank in found
        ]


class Truth:
    """A board with the moves that are not counted in yet."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.pending = snapshot.pending
        mine = snapshot.me
        # The place of the learner who asks, whether or not others see it; 0 without any gain.
        self.own_place = 0 if mine is None else mine.place
        shown = mine is not None and mine.visible and self.own_place
        self.me: Standing | None = (self.own_place, mine.learner_id) if mine is not None and shown else None

    def read(self, source: Asking, asked: BoardQuery) -> Found:
        """Return the part of the board that was asked for."""
        if asked.around:
            return self._around(source, asked.limit)
        begins = asked.begins or Place(_TOP, 0)
        found, rank_of_me = self._page(source, begins, asked.limit + 1)
        more, found = len(found) > asked.limit, found[: asked.limit]
        ranked = _ranks_from_the_top(found) if asked.begins is None else self._with_ranks(source, found)
        return Found(ranked, _behind(begins, found) if more else None, rank_of_me)

    def _page(self, source: Asking, begins: Place, limit: int) -> tuple[list[Standing], int]:
        """Return up to `limit` learners from a place on, and the rank of the learner who asks."""
        wanted = stretch(self.pending, begins.place, begins.skip, limit)
        rows, above = self._asked(source, Question("stretch", (begins.place, ""), wanted.enough, wanted.offset))
        rank_of_me = self._rank_of_me(above)
        if wanted.offset and not rows:
            # Fewer learners are at that place than when the page before was read.
            wanted = wanted._replace(offset=0, limit=wanted.limit + wanted.offset)
            return page(self.pending, wanted, begins.skip, source.stretch(wanted.place, 0, wanted.limit)), rank_of_me
        if len(rows) == wanted.enough < wanted.limit:
            # Nothing is known of learners after the last one read.
            found = page(self.pending, wanted, begins.skip, rows, rows[-1])
            if len(found) >= limit:
                return found[:limit], rank_of_me
            rows = source.stretch(wanted.place, wanted.offset, wanted.limit)
        return page(self.pending, wanted, begins.skip, rows)[:limit], rank_of_me

    def _asked(self, source: Asking, *wanted: Question) -> list[Any]:
        """Return what is read, and how many are above the learner who asks, 0 if not on the board: one round trip."""
        if self.me is None:
            return [*source.ask(*wanted), 0]
        return source.ask(*wanted, Question("above", (self.me[0], "")))

    def _rank_of_me(self, above: int) -> int:
        return 0 if self.me is None else 1 + self.pending.above(self.me[0], above)

    def _around(self, source: Asking, limit: int) -> Found:
        """Return the learner who asks, with as many above as below; fewer where the board ends."""
        if self.me is None:
            return Found([], None, 0)
        above = (limit - 1) // 2
        sizes = above, limit - 1 - above
        gone = len(self.pending.stale)
        found, number = self._near(source, self.me, sizes, min(gone, SPARE))
        if found is None:
            found, number = self._near(source, self.me, sizes, gone)
        return Found(self._with_ranks(source, found or []), None, self._rank_of_me(number))

    def _near(
        self, source: Asking, me: Standing, sizes: tuple[int, int], more: int
    ) -> tuple[list[Standing] | None, int]:
        """Return the neighbors, and how many are above; neighbors are None if `more` extra rows were too few."""
        above, below = sizes
        asked = Question("before", me, above + more), Question("after", me, below + more)
        before, after, number = self._asked(source, *asked)
        is_all = more == len(self.pending.stale)
        first = (_TOP, "") if is_all or len(before) < above + more else before[0]
        last = _END if is_all or len(after) < below + more else after[-1]
        own = [] if me in self.pending.live else [me]
        upper = self.pending.corrected([*before, *own], first, me)
        lower = [one for one in self.pending.corrected(after, me, last) if one > me]
        if (first[0] != _TOP and len(upper) <= above) or (last is not _END and len(lower) < below):
            return None, number
        return [*upper[-above - 1 :], *lower[:below]], number

    def _with_ranks(self, source: Asking, found: Sequence[Standing]) -> list[_WithRank]:
        """Add ranks: learners at one place share a rank.

        The ranks of the first two places are asked for, the others follow from them.
        """
        number = Counter(place for place, _ in found)
        # Some learners at the first place may be on the page before.
        first = list(number)[:2]
        above = source.ask(*(Question("above", (place, "")) for place in first)) if first else []
        ranks = {place: 1 + self.pending.above(place, n) for place, n in zip(first, above, strict=True)}
        for place, before in zip(list(number)[2:], list(number)[1:], strict=False):
            ranks[place] = ranks[before] + number[before]
        return [(one, ranks[one[0]]) for one in found]


def _ranks_from_the_top(found: Sequence[Standing]) -> list[_WithRank]:
    """Add ranks to learners above whom there is nobody: nothing has to be read."""
    ranks: dict[int, int] = {}
    return [(one, ranks.setdefault(one[0], number)) for number, one in enumerate(found, 1)]


def _behind(begins: Place, found: Sequence[Standing]) -> Place:
    last = found[-1][0]
    same = sum(place == last for place, _ in found)
    return Place(last, same + (begins.skip if last == begins.place else 0))
