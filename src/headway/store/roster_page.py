"""A page of a roster: sorted and filtered in the database, by an index for each order, within each status."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.enrolled import Enrolled
from headway.domain.step_status import COMPLETED, IN_PROGRESS, OPEN
from headway.store import sums

Sort: TypeAlias = Literal["name", "progress", "score", "last_active", "status"]
STATUSES: Final[Sequence[str]] = (OPEN, IN_PROGRESS, COMPLETED)
# Within a status, learners are sorted by this column; statuses go from open to completed.
_COLUMNS: Final[Mapping[Sort, str]] = {
    "name": "name",
    "progress": "steps_completed",
    "score": "score",
    "last_active": "active_at",
    "status": "name",
}
_ROW: Final = ", ".join(("r.learner_id", "r.course_id", *(f"r.{name}" for name in Enrolled._fields)))
# Sorts after whatever begins with the same letters.
_LAST: Final = "\U0010ffff"


class Place(NamedTuple):
    """Where a page ends: the status, the value that is sorted by, and the learner."""

    status: str
    value: int | str
    learner_id: str


class RosterQuery(NamedTuple):
    """A choice of a roster's learners: their order, statuses, the beginning of their names, the place they follow."""

    sort: Sort = "name"
    descending: bool = False
    statuses: Collection[str] = STATUSES
    prefix: str = ""
    behind: Place | None = None


class Listed(NamedTuple):
    """A learner of a roster, with display name and external id."""

    id: str
    display_name: str | None
    external_id: str | None
    row: Enrolled

    def place(self, sort: Sort) -> Place:
        """The place of a page that ends with this learner."""
        return Place(self.row.status, getattr(self.row, _COLUMNS[sort]), self.id)


def page(connection: Connection, course_id: str, wanted: RosterQuery, limit: int) -> list[Listed]:
    """A page of a roster: one statement, which reads up to `limit` rows of each status."""
    asked: dict[str, Any] = {"course": course_id, "limit": limit}
    if wanted.prefix:
        asked |= {"first": wanted.prefix, "last": wanted.prefix + _LAST}
    if wanted.behind is not None:
        asked |= {"value": wanted.behind.value, "id": wanted.behind.learner_id}
    statuses = _left(wanted)
    if not statuses:
        return []
    column, down = _COLUMNS[wanted.sort], " DESC" if wanted.descending else ""
    parts = " UNION ALL ".join(f"SELECT * FROM ({_of_status(wanted, one, column, down)}) s{one}" for one in statuses)  # noqa: S608  # our own words
    rank = _rank() + f"{down}, " if wanted.sort == "status" else ""
    order = f"{rank}r.{column}{down}, r.learner_id{down}"
    statement = (
        f"SELECT l.display_name, l.external_id, {_ROW} FROM ({parts}) r JOIN learner l ON l.id = r.learner_id"  # noqa: S608  # our own words
        f" ORDER BY {order} LIMIT :limit"
    )
    found = connection.execute(sa.text(statement), asked)
    return [Listed(row[2], row[0], row[1], sums.ROSTER.read_value(tuple(row[2:]))) for row in found]


def one(connection: Connection, course_id: str, learner_id: str) -> Listed | None:
    """A learner of a roster; None where they are not in it."""
    statement = (
        f"SELECT l.display_name, l.external_id, {_ROW} FROM roster r JOIN learner l ON l.id = r.learner_id"  # noqa: S608  # our own words
        " WHERE r.course_id = :course AND r.learner_id = :learner"
    )
    row = connection.execute(sa.text(statement), {"course": course_id, "learner": learner_id}).first()
    return None if row is None else Listed(row[2], row[0], row[1], sums.ROSTER.read_value(tuple(row[2:])))


def _left(wanted: RosterQuery) -> list[str]:
    """The statuses that the page may contain: when sorted by status, those passed already are left out."""
    asked = [one for one in STATUSES if one in wanted.statuses]
    if wanted.sort != "status" or wanted.behind is None:
        return list(asked)
    place = STATUSES.index(wanted.behind.status)
    left = STATUSES[: place + 1] if wanted.descending else STATUSES[place:]
    return [one for one in asked if one in left]


def _of_status(wanted: RosterQuery, status: str, column: str, down: str) -> str:
    conditions = ["course_id = :course", f"status = '{status}'"]
    if wanted.prefix:
        conditions.append("name >= :first AND name < :last")
    behind = wanted.behind
    if behind is not None and (wanted.sort != "status" or behind.status == status):
        conditions.append(f"({column}, learner_id) {'<' if wanted.descending else '>'} (:value, :id)")
    where = " AND ".join(conditions)
    return f"SELECT * FROM roster WHERE {where} ORDER BY {column}{down}, learner_id{down} LIMIT :limit"  # noqa: S608  # our own words


def _rank() -> str:
    whens = " ".join(f"WHEN '{status}' THEN {n}" for n, status in enumerate(STATUSES))
    return f"CASE r.status {whens} END"
