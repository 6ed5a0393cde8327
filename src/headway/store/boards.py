"""Statements on leaderboards: gains to be counted in, standings, and how many learners stand above a place."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.boards import Asking, Board, Gain, Pending, Question, Standing, period_of, span_of
from headway.domain.periods import Period
from headway.domain.times import local_day
from headway.store import rows
from headway.store.board_tables import board, board_move, board_row, board_state, board_tally
from headway.store.schema import learner, step_sum

# A band of the tally spans places of 2^28: 256 points.
_BAND: Final = 28
_ADDED: Final = "(course_id, period, level, place) DO UPDATE SET learners = board_tally.learners + excluded.learners"
_VISIBLE: Final = (
    "{0}.kind = 'account' AND {0}.merged_into IS NULL AND {0}.erased_at IS NULL AND NOT {0}.leaderboard_opt_out"
)
_OF_TABLES: Final = (board_move, board_row)


class BoardState(NamedTuple):
    """The boards' time zone, the day from which periods are kept, and whether everything earlier was counted in."""

    time_zone: str
    kept_from: str
    is_built: bool


class BoardRow(NamedTuple):
    """A learner's place on a board, and whether the board shows it."""

    place: int
    shown: bool


def state(connection: Connection, *, lock: bool = False) -> BoardState:
    """The state of the boards; `lock` holds off everybody else who would change a board."""
    columns: list[sa.Column[Any]] = [board_state.c[name] for name in BoardState._fields]
    wanted = sa.select(*columns)
    return BoardState(*connection.execute(wanted.with_for_update() if lock else wanted).one())


def change_state(connection: Connection, **values: Any) -> None:
    """Set columns of the state."""
    connection.execute(sa.update(board_state).values(**values))


def has_sums(connection: Connection) -> bool:
    """Whether any progress on a step is recorded."""
    return connection.execute(sa.select(step_sum.c.learner_id).limit(1)).first() is not None


def move_row(learner_id: str, move_id: str, gain: Gain) -> rows.Row:
    """A gain to be counted in, as a row of `board_move`."""
    return (learner_id, move_id, *gain)


def moved(found: Iterable[rows.Row]) -> rows.Addition:
    """The addition, for `rows`, of gains to be counted in."""
    return rows.Addition(board_move, found, replaces=False)


def put_down(connection: Connection, found: rows.Addition) -> None:
    """Insert gains to be counted in."""
    rows.add_together(connection, found)


def is_behind(connection: Connection) -> bool:
    """Whether any gain waits to be counted in."""
    return connection.execute(sa.select(board_move.c.learner_id).limit(1)).first() is not None


def take(connection: Connection, limit: int) -> dict[str, list[Gain]]:
    """Delete and return gains to be counted in, at most `limit` rows, by learner."""
    key = sa.tuple_(board_move.c.learner_id, board_move.c.move_id)
    some = sa.select(board_move.c.learner_id, board_move.c.move_id).limit(limit)
    columns = (board_move.c.learner_id, board_move.c.course_id, board_move.c.at, board_move.c.place)
    found: dict[str, list[Gain]] = {}
    for learner_id, *gain in connection.execute(sa.delete(board_move).where(key.in_(some)).returning(*columns)):
        found.setdefault(learner_id, []).append(Gain(*gain))
    return found


def pending(connection: Connection, learner_ids: Iterable[str]) -> dict[str, list[Gain]]:
    """The gains of these learners that wait to be counted in."""
    keys = [(one,) for one in learner_ids]
    found: dict[str, list[Gain]] = {}
    names = ("learner_id", "course_id", "at", "place")
    for learner_id, *gain in rows.lookup(connection, board_move, keys, *names, by=("learner_id",)):
        found.setdefault(learner_id, []).append(Gain(*gain))
    return found


def drop_moves(connection: Connection, learner_ids: Iterable[str]) -> None:
    """Delete the gains of these learners that wait to be counted in."""
    connection.execute(sa.delete(board_move).where(rows.among(connection, board_move.c.learner_id, learner_ids)))


def drop(connection: Connection, learner_ids: Iterable[str]) -> None:
    """Delete these learners from the boards: waiting gains first, as that waits for whoever is counting them in."""
    ids = list(learner_ids)
    for table in _OF_TABLES:
        connection.execute(sa.delete(table).where(rows.among(connection, table.c.learner_id, ids)))


def visible(connection: Connection, learner_ids: Iterable[str]) -> set[str]:
    """Those of the learners whom boards show: accounts that did not opt out."""
    keys = [(one,) for one in learner_ids]
    return {row[0] for row in rows.select(connection, learner, keys, "t.id", ("id",), f"AND {_VISIBLE.format('t')}")}


def rows_of(connection: Connection, learner_ids: Iterable[str]) -> dict[str, dict[Board, BoardRow]]:
    """The learners' rows on all boards, without gains that wait to be counted in."""
    keys = [(one,) for one in learner_ids]
    found: dict[str, dict[Board, BoardRow]] = {}
    for learner_id, course, period, place, shown in rows.lookup(
        connection, board_row, keys, *board_row.c.keys(), by=("learner_id",)
    ):
        found.setdefault(learner_id, {})[Board(course, period)] = BoardRow(place, bool(shown))
    return found


def put(
    connection: Connection, changed: Iterable[tuple[str, Board, BoardRow]], gone: Iterable[tuple[str, Board]]
) -> None:
    """Write these rows and delete those gone, in order of key."""
    rows.upsert(connection, board_row, sorted((one, *at, *row) for one, at, row in changed))
    rows.delete(connection, board_row, sorted((one, *at) for one, at in gone))


def tally(connection: Connection, moved: Mapping[tuple[Board, int], int]) -> None:
    """Add to (or subtract from) how many shown learners stand at places of boards."""
    by: dict[tuple[str, str, int, int], int] = {}
    for (at, place), number in moved.items():
        for level, where in ((0, place), (1, place >> _BAND)):
            key = (*at, level, where)
            by[key] = by.get(key, 0) + number
    rows.insert(connection, board_tally, sorted((*key, n) for key, n in by.items() if n), on_conflict=_ADDED)
    names = tuple(column.name for column in board_tally.primary_key)
    left = rows.lookup(
        connection, board_tally, (key for key, n in by.items() if n < 0), *board_tally.c.keys(), by=names
    )
    rows.delete(connection, board_tally, sorted(tuple(row[:4]) for row in left if not row[4]))


def mark(connection: Connection, marks: Mapping[Board, int]) -> None:
    """Give boards new marks."""
    rows.upsert(connection, board, sorted((*at, number) for at, number in marks.items()))


def marks_of(connection: Connection, found: Iterable[Board]) -> dict[Board, int]:
    """The marks of those of these boards that have rows."""
    key = ("course_id", "period")
    return {Board(row[0], row[1]): row[2] for row in rows.lookup(connection, board, found, *board.c.keys(), by=key)}


def marks(connection: Connection) -> dict[Board, int]:
    """The marks of all boards."""
    return {Board(row[0], row[1]): row[2] for row in connection.execute(sa.select(board))}


def clear(connection: Connection, at: Board, limit: int) -> int:
    """Delete at most `limit` rows of a board, and once it has none, the board itself; return how many were deleted."""
    mine = (board_row.c.course_id == at.course) & (board_row.c.period == at.period)
    key = (board_row.c.learner_id, board_row.c.course_id, board_row.c.period)
    some = sa.select(*key).where(mine).limit(limit)
    gone = connection.execute(sa.delete(board_row).where(sa.tuple_(*key).in_(some))).rowcount
    if not gone:
        for table in (board_tally, board):
            connection.execute(sa.delete(table).where(table.c.course_id == at.course, table.c.period == at.period))
    return gone


_COUNTED: Final = (
    "SELECT course_id, period, level, place, sum(counted) AS counted, sum(stored) AS stored FROM ("  # noqa: S608  # our own words
    "SELECT course_id, period, 0 AS level, place, 1 AS counted, 0 AS stored FROM board_row WHERE shown"
    f" UNION ALL SELECT course_id, period, 1, place >> {_BAND}, 1, 0 FROM board_row WHERE shown"
    " UNION ALL SELECT course_id, period, level, place, 0, learners FROM board_tally) b"
    " GROUP BY course_id, period, level, place HAVING sum(counted) <> sum(stored)"
)


class Miscount(NamedTuple):
    """A wrong count of a place: `stored` in the tally, `true` by the rows; with `level` 1, of a band of places."""

    board: Board
    level: int
    place: int
    stored: int
    true: int


def miscounts(connection: Connection) -> Iterator[Miscount]:
    """The counts of the tally that do not match the rows."""
    for row in connection.execute(sa.text(_COUNTED)).mappings():
        at = Board(row["course_id"], row["period"])
        yield Miscount(at, row["level"], row["place"], int(row["stored"]), int(row["counted"]))


def recount(connection: Connection, found: Iterable[Miscount]) -> None:
    """Correct these counts of the tally."""
    wrong = list(found)
    rows.upsert(connection, board_tally, sorted((*one.board, one.level, one.place, one.true) for one in wrong))
    rows.delete(connection, board_tally, sorted((*one.board, one.level, one.place) for one in wrong if not one.true))


class Whoever(NamedTuple):
    """The caller: whether boards may show them, and their true place, 0 for one who has gained nothing."""

    learner_id: str
    visible: bool
    place: int


class Snapshot(NamedTuple):
    """What reading a board starts from: its state and mark, the caller, and the standings that are pending.

    `has_course` says whether the course exists whose board it is; False for the site's board.
    """

    at: Board
    today: str
    state: BoardState
    has_course: bool
    mark: int | None
    me: Whoever | None
    pending: Pending


_HERE: Final = "r.course_id = :course AND r.period = :period"
_OF_BOARD: Final = "(:course = '' OR m.course_id = :course OR m.place = 0)"
_WITHIN: Final = "sum(CASE WHEN m.at >= :begins AND m.at < :ends THEN m.place ELSE 0 END)"
# A row without a gain (place 0) only says that visibility may have changed; a learner without one is shown as before.
_SETTLED: Final = "min(CASE WHEN m.place = 0 THEN 0 ELSE 1 END) AS settled"
_MOVED: Final = (
    f"SELECT m.learner_id, CAST({_WITHIN} AS bigint) AS moved, {_SETTLED}"  # noqa: S608  # our own words
    f" FROM board_move m WHERE {_OF_BOARD} GROUP BY m.learner_id"
)
_OF_ME: Final = (
    f"SELECT CAST(coalesce({_WITHIN}, 0) AS bigint) FROM board_move m WHERE m.learner_id = l.id AND {_OF_BOARD}"  # noqa: S608  # our own words
)
_ME: Final = f"SELECT l.id AS learner_id, ({_OF_ME}) AS moved, 0 AS settled FROM learner l WHERE l.id = :me"  # noqa: S608  # our own words
# Scalar subqueries, because PostgreSQL would read all learners and rows for a join. One number holds everything, as
# hundreds may wait: the place times 4, plus 2 if the row is shown, plus 1 if the learner may be shown.
_MINE: Final = f"FROM board_row r WHERE r.learner_id = x.learner_id AND {_HERE}"
_SEEN: Final = f"SELECT CASE WHEN {_VISIBLE.format('l')} THEN 1 ELSE 0 END FROM learner l WHERE l.id = x.learner_id"  # noqa: S608  # our own words
_STANDS: Final = (
    f"x.learner_id, coalesce((SELECT r.place * 4 + CASE WHEN r.shown THEN 3 ELSE 0 END {_MINE} AND x.settled = 1),"
    f" coalesce((SELECT r.place * 4 + CASE WHEN r.shown THEN 2 ELSE 0 END {_MINE}), 0) + coalesce(({_SEEN}), 0)),"
    " x.moved"
)
_SNAPSHOT: Final = (
    rows.Part("time_zone, kept_from, is_built", "FROM board_state"),
    rows.Part("c.id", "FROM course c WHERE c.id = :course", flat=True),
    rows.Part("r.mark", f"FROM board r WHERE {_HERE}", flat=True),
    rows.Part(_STANDS, f"FROM ({_ME}) x"),
    rows.Part(_STANDS, f"FROM ({_MOVED}) x"),
)
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"
# The key in a connection's info of the boards' time zone when it last asked; it hardly ever changes.
_ZONE: Final = "board_zone"


def snapshot(connection: Connection, course: str, kind: Period, now: int, me: str | None) -> Snapshot:
    """What reading the board of a course, or of the site, in the present period starts from.

    One statement; a second one where the boards' time zone has changed since this connection last asked.
    """
    zone = connection.info.get(_ZONE, "UTC")
    found = _snapshot(connection, course, kind, now, me, zone)
    if found.state.time_zone != zone:
        connection.info[_ZONE] = found.state.time_zone
        found = _snapshot(connection, course, kind, now, me, found.state.time_zone)
    return found


def _snapshot(connection: Connection, course: str, kind: Period, now: int, me: str | None, zone: str) -> Snapshot:
    today = local_day(now, zone)
    at, span = Board(course, period_of(kind, today)), span_of(kind, today, zone)
    said = {**at._asdict(), **span._asdict(), "me": me or _NOBODY}
    (told,), there, marked, mine, waiting = rows.gather(connection, *_SNAPSHOT, **said)
    return Snapshot(
        at,
        today,
        BoardState(told[0], told[1], bool(told[2])),
        bool(there),
        marked[0] if marked else None,
        Whoever(mine[0][0], bool(mine[0][1] & 1), (mine[0][1] >> 2) + mine[0][2]) if mine else None,
        _pending(waiting),
    )


def _pending(waiting: Iterable[rows.Row]) -> Pending:
    """The stored and the true standings of learners with gains to be counted in, where the two differ."""
    stale, live = list[Standing](), list[Standing]()
    for learner_id, stands, moved in waiting:
        place = stands >> 2
        if moved or stands & 3 not in (0, 3):
            if stands & 2:
                stale.append((place, learner_id))
            if stands & 1 and place + moved:
                live.append((place + moved, learner_id))
    return Pending(sorted(stale), sorted(live))


_TALLY: Final = "FROM board_tally WHERE course_id = :course AND period = :period"
_ABOVE: Final = (
    f"(SELECT coalesce(sum(learners), 0) {_TALLY} AND level = 1 AND place < :{{band}})"
    f" + (SELECT coalesce(sum(learners), 0) {_TALLY} AND level = 0 AND place >= :{{begins}} AND place < :{{place}})"
)
_BEHIND: Final = "r.place, r.learner_id"
_BEFORE: Final = "r.place DESC, r.learner_id DESC"
_LEARNER: Final = {"sqlite": ":{learner}", "postgresql": "CAST(:{learner} AS uuid)"}
_WHERE: Final = {
    "stretch": ("r.place >= :{place}", _BEHIND),
    "after": ("(r.place, r.learner_id) > (:{place}, %s)", _BEHIND),
    "before": ("(r.place, r.learner_id) < (:{place}, %s)", _BEFORE),
}


class StoredBoard(Asking):
    """A board as the database holds it, without gains that wait to be counted in."""

    def __init__(self, connection: Connection, at: Board) -> None:
        self._connection = connection
        self._at = at._asdict()

    def ask(self, *asked: Question) -> list[Any]:
        """The answers to several questions: one statement."""
        dialect = self._connection.dialect.name
        said = {f"{name}{n}": value for n, one in enumerate(asked) for name, value in _said(one).items()}
        parts = (_part(dialect, one.what, n) for n, one in enumerate(asked))
        found = rows.gather(self._connection, *parts, **self._at, **said)
        return [_answer(one, rows_) for one, rows_ in zip(asked, found, strict=True)]


def _said(one: Question) -> dict[str, Any]:
    place = one.standing[0]
    if one.what == "above":
        band = place >> _BAND
        return {"band": band, "begins": band << _BAND, "place": place}
    return {"place": place, "learner": one.standing[1], "limit": one.limit, "offset": one.offset}


@cache
def _part(dialect: str, what: str, number: int) -> rows.Part:
    names = {name: f"{name}{number}" for name in ("band", "begins", "place", "learner", "limit", "offset")}
    if what == "above":
        return rows.Part(_ABOVE.format(**names), "", flat=True)
    where, order = _WHERE[what]
    where = where.replace("%s", _LEARNER[dialect]).format(**names)
    shown = "1" if dialect == "sqlite" else "true"
    source = f"SELECT place, learner_id FROM board_row r WHERE {_HERE} AND shown = {shown} AND {where}"  # noqa: S608  # our own words
    limited = f"{source} ORDER BY {order} LIMIT :{names['limit']} OFFSET :{names['offset']}"
    return rows.Part("s.place, s.learner_id", f"FROM ({limited}) s")


def _answer(one: Question, found: list[Any]) -> Any:
    return int(found[0]) if one.what == "above" else sorted((row[0], row[1]) for row in found)


def names(connection: Connection, learner_ids: Iterable[str]) -> dict[str, str | None]:
    """The names by which boards show learners: the alias, or else the display name, if there is one."""
    keys = [(one,) for one in learner_ids]
    return {
        row[0]: row[1]
        for row in rows.select(
            connection, learner, keys, "t.id, coalesce(t.leaderboard_alias, t.display_name)", ("id",)
        )
    }
