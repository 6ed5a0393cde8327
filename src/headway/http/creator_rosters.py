"""The roster of a course, for its creator and admins: paged, one learner of it, and tables for spreadsheets."""

from typing import Final

from litestar import get
from litestar.params import FromPath, FromQuery
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.errors import Invalid
from headway.domain.times import offset_day
from headway.http import etags, who
from headway.http.creators import own_version
from headway.http.cursors import LIMIT, Cursor, Limit, foreign_cursor, read_cursor, write_cursor
from headway.http.exchange import Asked, exchange_of
from headway.http.exporting import FORMATS, Streamed
from headway.http.ids import is_id
from headway.http.refusals import CursorInvalid
from headway.http.reply import PERSONAL, Reply, encode
from headway.http.who import Reader
from headway.store.roster_page import STATUSES, Place, RosterQuery, Sort
from headway.views.report import InForce, read_report, report_csv
from headway.views.roster import RosterEntry, median_steps, read_learner, read_roster, roster_csv

_NUMBER_MAX: Final = 2**63 - 1
_NAME_MAX: Final = 200
_SORTS: Final = ("name", "progress", "score", "last_active", "status")


class RosterList(Struct):
    """Enrolled learners, in the order that was asked for."""

    items: list[RosterEntry]
    next_cursor: str | None


class _Behind(Struct):
    """Where a page ended, and in which order it was."""

    sort: str
    descending: bool
    status: str
    value: int | str
    learner: str


@get("/creator/courses/{course:str}/learners")
async def list_course_learners(  # noqa: PLR0913, PLR0917 - each is a parameter of the path or the query
    request: Asked,
    course: FromPath[str],
    sort: FromQuery[str] = "name",
    status: FromQuery[str | None] = None,
    q: FromQuery[str | None] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Reply:
    """The enrolled learners of a course, sorted by `sort` (with a `-` before it the other way round)."""
    wanted = _wanted(sort, status, q, cursor)
    catalog, now = exchange_of(request).services.catalog, who.now()

    def look(connection: Connection, reader: Reader) -> bytes:
        in_force = own_version(connection, catalog, reader.row, course)
        page = read_roster(connection, in_force, wanted, limit, now)
        return encode(RosterList(page.items, _cursor(wanted, page.next_place)))

    return etags.tagged(request, await who.read_as_caller(request, look), PERSONAL)


def _wanted(sort: str, status: str | None, prefix: str | None, cursor: str | None) -> RosterQuery:
    descending, name = sort.startswith("-"), sort.removeprefix("-")
    if name not in _SORTS:
        raise Invalid(f"sort must be one of {', '.join(_SORTS)}, with a - before it to turn it round", field="sort")
    if status is not None and status not in STATUSES:
        raise Invalid(f"status must be one of {', '.join(STATUSES)}", field="status")
    if prefix and name not in ("name", "status"):
        raise Invalid("names are looked for in the order of names: leave sort out, or q", field="q")
    if prefix and (len(prefix) > _NAME_MAX or not prefix.isprintable()):
        raise Invalid(f"q must be what a name begins with, of at most {_NAME_MAX} characters", field="q")
    by: Sort = name  # type: ignore[assignment]  # one of them, as was seen
    statuses = STATUSES if status is None else (status,)
    return RosterQuery(by, descending, statuses, (prefix or "").casefold(), _behind(cursor, by, descending=descending))


def _behind(cursor: str | None, sort: str, *, descending: bool) -> Place | None:
    place = read_cursor(cursor, _Behind)
    if place is None:
        return None
    kind = str if sort in ("name", "status") else int
    fits = isinstance(place.value, kind) and (isinstance(place.value, str) or 0 <= place.value <= _NUMBER_MAX)
    if (place.sort, place.descending) != (sort, descending) or not fits or place.status not in STATUSES:
        raise CursorInvalid("the cursor is none of this list in this order; leave it out to begin anew")
    if not is_id(place.learner):
        raise foreign_cursor()
    return Place(place.status, place.value, place.learner)


def _cursor(wanted: RosterQuery, place: Place | None) -> str | None:
    return None if place is None else write_cursor(_Behind(wanted.sort, wanted.descending, *place))


@get("/creator/courses/{course:str}/learners/{learner:str}")
async def read_course_learner(request: Asked, course: FromPath[str], learner: FromPath[str]) -> Reply:
    """How an enrolled learner stands in a course, and what they did in it day by day."""
    catalog, now = exchange_of(request).services.catalog, who.now()

    def look(connection: Connection, reader: Reader) -> bytes:
        in_force = own_version(connection, catalog, reader.row, course)
        return encode(read_learner(connection, catalog, in_force, learner, now))

    return etags.tagged(request, await who.read_as_caller(request, look), PERSONAL)


@get("/creator/courses/{course:str}/report.csv")
async def export_course_report(request: Asked, course: FromPath[str]) -> Reply:
    """The steps of a course's report as a table."""
    catalog, now = exchange_of(request).services.catalog, who.now()

    def look(connection: Connection, reader: Reader) -> bytes:
        return report_csv(read_report(connection, own_version(connection, catalog, reader.row, course), now))

    body = await who.read_as_caller(request, look)
    attached = b'attachment; filename="headway-report-%s.csv"' % offset_day(now, 0).encode()
    return etags.tagged(request, body, PERSONAL, FORMATS["csv"], [(b"content-disposition", attached)])


@get("/creator/courses/{course:str}/learners.csv")
async def export_course_learners(request: Asked, course: FromPath[str]) -> Streamed:
    """All enrolled learners of a course as a table, by name."""
    exchange, now = exchange_of(request), who.now()
    catalog = exchange.services.catalog

    def look(connection: Connection, reader: Reader) -> tuple[InForce, float]:
        in_force = own_version(connection, catalog, reader.row, course)
        return in_force, median_steps(connection, in_force)

    in_force, median = await who.read_as_caller(request, look)

    pieces = roster_csv(exchange.services.read_here, in_force, median, now)
    return Streamed(exchange, pieces, (FORMATS["csv"], f"headway-learners-{offset_day(now, 0)}.csv"))


handlers: Final = [
    list_course_learners,
    read_course_learner,
    export_course_report,
    export_course_learners,
]
