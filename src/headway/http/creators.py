"""Who may act for a course: its creator, and admins. For everybody else the course is not found."""

from functools import partial

from sqlalchemy.engine import Connection, RowMapping

from headway.domain.course import Course
from headway.http import who
from headway.http.exchange import Asked, exchange_of
from headway.http.refusals import NotFound, Unauthorized
from headway.store import courses
from headway.store.catalog import Catalog
from headway.views.report import InForce


def may_act_for(row: RowMapping, owner_id: str | None) -> bool:
    """Whether an account may act for a course of that owner."""
    roles = row["roles"].split()
    return "admin" in roles or ("creator" in roles and owner_id == row["id"])


def own_course(connection: Connection, catalog: Catalog, row: RowMapping | None, course_id: str) -> Course:
    """The version in force of a course that the account may act for; Unauthorized for nobody, NotFound for others."""
    return own_version(connection, catalog, row, course_id).course


def own_version(connection: Connection, catalog: Catalog, row: RowMapping | None, course_id: str) -> InForce:
    """As `own_course`, with the version's number."""
    if row is None:
        raise Unauthorized("sign in as the course's creator")
    found = courses.find(connection, course_id)
    if found is None or not may_act_for(row, found["owner_id"]):
        raise NotFound("there is no course of that name that is yours")
    return InForce(*catalog.of_versions(connection, {course_id: found["version"]})[course_id])


async def acting_for(request: Asked, course_id: str) -> str:
    """The id of the account that asks to write for a course; Unauthorized or NotFound if it may not act for it."""
    exchange = exchange_of(request)
    who.check_cookies(exchange)
    reader = await who.caller(request, scope="creator")
    if reader.row is None:
        raise Unauthorized("sign in as the course's creator")
    catalog = exchange.services.catalog
    await exchange.services.read(partial(own_course, catalog=catalog, row=reader.row, course_id=course_id))
    return str(reader.row["id"])
