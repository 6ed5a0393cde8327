"""For a course's creator: the report of a course, and the list of the courses that they may act for."""

from typing import Final

from litestar import get
from litestar.params import FromPath
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.times import format_time
from headway.http import etags, who
from headway.http.creators import own_version
from headway.http.cursors import LIMIT, Cursor, Limit, read_cursor, write_cursor
from headway.http.exchange import Asked, exchange_of
from headway.http.refusals import Forbidden, Unauthorized
from headway.http.reply import PERSONAL, Reply, encode
from headway.http.who import Reader
from headway.store import roster
from headway.views.report import read_report

_TEACHERS: Final = {"creator", "admin"}


class OwnCourse(Struct):
    """A course that the caller may act for; `enrolled` and `completed` are numbers of learners."""

    id: str
    title: str
    version: int
    created_at: str
    enrolled: int
    completed: int


class OwnCourseList(Struct):
    """Courses in order of id."""

    items: list[OwnCourse]
    next_cursor: str | None


@get("/creator/courses")
async def list_own_courses(request: Asked, limit: Limit = LIMIT, cursor: Cursor = None) -> Reply:
    """The courses that the caller may act for: a creator's own, for admins all."""
    after = read_cursor(cursor, str) or ""

    def look(connection: Connection, reader: Reader) -> OwnCourseList:
        if reader.row is None:
            raise Unauthorized("sign in as a creator")
        roles = set(reader.row["roles"].split())
        if not roles & _TEACHERS:
            raise Forbidden("this is for creators and admins; ask an admin for the role")
        owner = None if "admin" in roles else reader.row["id"]
        found = roster.owned(connection, owner, after, limit + 1)
        items = [_own(*one) for one in found[:limit]]
        return OwnCourseList(items, write_cursor(items[-1].id) if len(found) > limit else None)

    return etags.personal(request, await who.read_as_caller(request, look))


def _own(course_id: str, title: str, version: int, created_at: int, *counts: int) -> OwnCourse:
    enrolled, completed = counts
    return OwnCourse(course_id, title, version, format_time(created_at), enrolled, completed)


@get("/creator/courses/{course:str}/report")
async def read_course_report(request: Asked, course: FromPath[str]) -> Reply:
    """The report of a course: how far its enrolled learners are, and where they stop, fail and are lost."""
    catalog, now = exchange_of(request).services.catalog, who.now()

    def look(connection: Connection, reader: Reader) -> bytes:
        return encode(read_report(connection, own_version(connection, catalog, reader.row, course), now))

    return etags.tagged(request, await who.read_as_caller(request, look), PERSONAL)


handlers: Final = [list_own_courses, read_course_report]
