"""Leaderboards worked out in the plainest way: everybody's completed steps, added up and sorted."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from headway.store.schema import achievement, learner, step_sum
from headway.views.leaderboards import BoardQuery, Leaderboard, Place, read_leaderboard
from tests.ledger.world import World

# Of the courses of the tests' world: points, whether it is an exercise, and from which score it counts by evidence.
WORTH: dict[tuple[str, str], tuple[int, bool, int | None]] = {
    ("python", "hello"): (5, False, None),
    ("python", "loops"): (10, True, None),
    ("python", "quiz"): (10, True, None),
    ("python", "graded"): (10, True, None),
    ("python", "essay"): (25, True, None),
    ("go", "hello"): (10, True, None),
    ("strict", "read"): (5, False, None),
    ("strict", "solve"): (10, True, 700_000),
    ("strict", "pick"): (10, True, 700_000),
}


class Stands(NamedTuple):
    """How somebody stands on a board."""

    rank: int
    name: str | None
    points: int
    solved: int
    learner_id: str


def slow_board(world: World, kind: str, course: str | None, now: int, zone: str) -> list[Stands]:
    """A whole board, in order."""
    with world.database.read() as connection:
        people = {row.id: row for row in connection.execute(sa.select(learner))}
        steps = connection.execute(sa.select(step_sum).where(step_sum.c.completed_at.is_not(None))).mappings().all()
        earned = connection.execute(sa.select(achievement)).mappings().all()
    first: dict[tuple[str, str, str], Any] = {}
    for row in sorted(steps, key=lambda row: (row["completed_at"], row["completed_by"])):
        place = (row["course_id"], row["step_id"])
        mark = WORTH[place][2]
        if mark is None or (row["graded_best"] or 0) >= mark:
            first.setdefault((row["learner_id"], *place), row)
    gained = [(who, of, row["completed_at"], *WORTH[of, step][:2]) for (who, of, step), row in first.items()]
    gained += [(row["learner_id"], "", row["at"], row["points"], False) for row in earned]
    totals: dict[str, list[int]] = {}
    for who, of, at, points, solved in gained:
        if course in (None, of) and _period(kind, at, zone) == _period(kind, now, zone):
            total = totals.setdefault(who, [0, 0])
            total[0] += points
            total[1] += solved
    shown = {who: total for who, total in totals.items() if _is_shown(people[who]) and any(total)}
    ordered = sorted(shown.items(), key=lambda one: (-one[1][0], -one[1][1], one[0]))
    ranks = {who: 1 + sum(tuple(other) > tuple(total) for other in shown.values()) for who, total in ordered}
    names = {who: people[who].leaderboard_alias or people[who].display_name for who in shown}
    return [Stands(ranks[who], names[who], points, solved, who) for who, (points, solved) in ordered]


def _is_shown(row: Any) -> bool:
    return row.kind == "account" and not row.leaderboard_opt_out and row.erased_at is None and row.merged_into is None


def _period(kind: str, at: int, zone: str) -> object:
    day: date = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(ZoneInfo(zone)).date()
    return {"day": day, "month": (day.year, day.month), "week": day.isocalendar()[:2], "all": None}[kind]


def paged(world: World, kind: Any, course: str | None, now: int, limit: int, me: str | None = None) -> list[Stands]:
    """The same board as it is served, page by page."""
    found: list[Stands] = []
    begins: Place | None = None
    while True:
        board, begins = served(world, BoardQuery(kind, course, False, begins, limit), now, me)
        assert len(board.items) == limit or begins is None
        found += [Stands(one.rank, one.display_name, one.points, one.solved, "") for one in board.items]
        if begins is None:
            return found


def served(world: World, asked: BoardQuery, now: int, me: str | None = None) -> tuple[Leaderboard, Place | None]:
    with world.database.read() as connection:
        return read_leaderboard(connection, asked, me, now)
