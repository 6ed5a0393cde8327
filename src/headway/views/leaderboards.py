"""Leaderboards as they are read: a page in order, or the neighbors of whoever asks, and where they stand themselves.

What is stored is behind by what was recorded a moment ago; that is read beside it, so that what is told is true.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias, TypeVar

from msgspec import Struct, field
from sqlalchemy.engine import Connection

from headway.domain.boards import SITE, Board, Pending, Standing, figures_of, page, period_of, periods_at, stretch
from headway.domain.errors import Busy, UnknownCourse
from headway.domain.periods import Period, range_of
from headway.domain.times import local_day
from headway.store import boards, courses
from headway.store.boards import Snapshot, State, Waiting

T = TypeVar("T")
LIMIT: Final = 50
LIMIT_MAX: Final = 200
# Above all who stand anywhere.
_TOP: Final = -(2**62)


class Place(NamedTuple):
    """Where a page begins: behind so many of those who stand at that place."""

    place: int
    skip: int


class Asked(NamedTuple):
    """Which board, and what of it: from a place on, or around whoever asks."""

    kind: Period
    course: str | None
    around: bool
    begins: Place | None
    limit: int


class Ranked(Struct):
    """Somebody on a leaderboard; whoever gave no name has none."""

    rank: int
    display_name: str | None
    points: int
    solved: int
    is_me: bool


class Leaderboard(Struct):
    """A leaderboard of the site or of a course, from the first to the last day of its period in the site's zone.

    `me` is null for whoever is not on it.
    """

    period: str
    course: str | None
    first: str = field(name="from")
    last: str = field(name="to")
    time_zone: str
    items: list[Ranked]
    me: Ranked | None
    next_cursor: str | None = None


class Page(NamedTuple):
    """A leaderboard, and where its next page begins."""

    board: Leaderboard
    next_place: Place | None


class Source(Protocol):
    """A board as it is counted in."""

    def above(self, place: int) -> int:
        """How many stand above a place."""

    def stretch(self, place: int, offset: int, limit: int) -> list[Standing]:
        """So many from a place on, behind the first few."""

    def before(self, standing: Standing, limit: int) -> list[Standing]:
        """So many before a learner, in order."""

    def after(self, standing: Standing, limit: int) -> list[Standing]:
        """So many behind a learner."""


class Cache(Protocol):
    """Where boards are kept beside the database."""

    def ask(self, at: Board, mark: int, read: Callable[[Source], T]) -> T | None:
        """What is read of the board that bears this mark; None where the database is to be asked."""


def read_leaderboard(
    connection: Connection, asked: Asked, me: str | None, now: int, cache: Cache | None = None
) -> Page:
    """A leaderboard now; UnknownCourse where there is no such course, Busy while the boards are being worked out."""
    state = board_state(connection, asked.course)
    today = local_day(now, state.time_zone)
    at = Board(asked.course or SITE, period_of(asked.kind, today))
    snapshot = boards.snapshot(connection, at, me)
    truth = Truth(snapshot, at, state)
    found, next_place, rank_of_me = of_board(connection, at, snapshot.mark, cache, lambda one: truth.read(one, asked))
    days = range_of(asked.kind, today)
    mine = [] if truth.me is None else [(truth.me, rank_of_me)]
    listed = {one for (_, one), _ in [*found, *mine]}
    shown = _Shown(boards.names(connection, listed), me)
    items, own = shown.ranked(found), shown.ranked(mine)
    told = (asked.kind, asked.course, days.first, days.last, state.time_zone)
    return Page(Leaderboard(*told, items, own[0] if own else None), next_place)


def of_board(
    connection: Connection, at: Board, mark: int | None, cache: Cache | None, read: Callable[[Source], T]
) -> T:
    """What is read of a board: in the cache where it holds the one with this snapshot's mark, else in the database."""
    found = None if cache is None or mark is None else cache.ask(at, mark, read)
    return read(boards.Stored(connection, at)) if found is None else found


def board_state(connection: Connection, course: str | None) -> State:
    """How the boards are; UnknownCourse where there is no such course, Busy while they are being worked out."""
    if course is not None and not courses.versions(connection, [course]):
        raise UnknownCourse("there is no course of that name", field="course")
    state = boards.state(connection)
    if not state.is_built:
        raise Busy("the leaderboards are being worked out; try again in a minute", retry_after_s=60)
    return state


_WithRank: TypeAlias = tuple[Standing, int]


class Found(NamedTuple):
    """Who stands where, where the next page begins, and the rank of whoever asks, if they are on the board."""

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
    """A board with all that is not counted in yet."""

    def __init__(self, snapshot: Snapshot, at: Board, state: State) -> None:
        moves: dict[str, int] = {}
        for learner_id, gain in snapshot.moves:
            in_course = at.course in (SITE, gain.course)
            if in_course and at.period in periods_at(local_day(gain.at, state.time_zone)):
                moves[learner_id] = moves.get(learner_id, 0) + gain.place
        self.pending = Pending.of(
            {one.learner_id: one.row.place for one in snapshot.waiting if one.row is not None and one.row.shown},
            {one.learner_id: _place(one, moves) for one in snapshot.waiting if one.visible and _place(one, moves)},
        )
        mine = snapshot.me
        # Of whoever asks, whether others see it or not; 0 for who has gained nothing.
        self.own_place = 0 if mine is None else _place(mine, moves)
        shown = mine is not None and mine.visible and self.own_place
        self.me: Standing | None = (self.own_place, mine.learner_id) if mine is not None and shown else None

    def read(self, source: Source, asked: Asked) -> Found:
        """What was asked for."""
        rank_of_me = 0 if self.me is None else self._rank(source, self.me[0])
        if asked.around:
            return Found(self._with_ranks(source, self._around(source, asked.limit)), None, rank_of_me)
        begins = asked.begins or Place(_TOP, 0)
        wanted = stretch(self.pending, begins.place, begins.skip, asked.limit + 1)
        rows = source.stretch(wanted.place, wanted.offset, wanted.limit)
        if wanted.offset and not rows:
            # Fewer stand there than when the page before was read.
            wanted = wanted._replace(offset=0, limit=wanted.limit + wanted.offset)
            rows = source.stretch(wanted.place, 0, wanted.limit)
        found = page(self.pending, wanted, begins.skip, rows)[: asked.limit + 1]
        more, found = len(found) > asked.limit, found[: asked.limit]
        ranked = _ranks_from_the_top(found) if asked.begins is None else self._with_ranks(source, found)
        return Found(ranked, _behind(begins, found) if more else None, rank_of_me)

    def _around(self, source: Source, limit: int) -> list[Standing]:
        """Whoever asks, with as many above as below where there are; fewer where the board ends."""
        if self.me is None:
            return []
        above = (limit - 1) // 2
        below = limit - 1 - above
        stale = len(self.pending.stale)
        before = source.before(self.me, above + stale)
        after = source.after(self.me, below + stale)
        own = [] if self.me in self.pending.live else [self.me]
        upper = [one for one in self.pending.corrected([*before, *own], (_TOP, "")) if one <= self.me]
        lower = [one for one in self.pending.corrected(after, self.me) if one > self.me]
        return [*upper[-above - 1 :], *lower[:below]]

    def _rank(self, source: Source, place: int) -> int:
        return 1 + self.pending.above(place, source.above(place))

    def _with_ranks(self, source: Source, found: Sequence[Standing]) -> list[_WithRank]:
        """Who stands at one place shares a rank; of the first two places that are asked for, the others follow."""
        ranks: dict[int, int] = {}
        number = Counter(place for place, _ in found)
        for place, above in zip(number, [None, *number], strict=False):
            # Of those at the first place some may stand before these.
            known = len(ranks) > 1 and above is not None
            ranks[place] = ranks[above] + number[above] if known and above is not None else self._rank(source, place)
        return [(one, ranks[one[0]]) for one in found]


def _ranks_from_the_top(found: Sequence[Standing]) -> list[_WithRank]:
    """Of those above whom nobody stands: nothing need be asked."""
    ranks: dict[int, int] = {}
    return [(one, ranks.setdefault(one[0], number)) for number, one in enumerate(found, 1)]


def _place(one: Waiting, moves: dict[str, int]) -> int:
    return (0 if one.row is None else one.row.place) + moves.get(one.learner_id, 0)


def _behind(begins: Place, found: Sequence[Standing]) -> Place:
    last = found[-1][0]
    same = sum(place == last for place, _ in found)
    return Place(last, same + (begins.skip if last == begins.place else 0))
