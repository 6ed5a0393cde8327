"""Courses: the catalog, an outline, publishing, enrollment."""

from functools import partial
from typing import Any, Final
from uuid import uuid4

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery
from sqlalchemy.engine import Connection

from headway.domain.errors import IdentityGone, Invalid, UnknownCourse
from headway.domain.events import enrollment_event, event_id_of
from headway.domain.outline import outline, outline_step
from headway.domain.times import format_time
from headway.graders.registry import public_grader
from headway.http import etags, who
from headway.http.bodies import read_json
from headway.http.course_shapes import CourseListed, CoursePage, CoursePublished, Enrollment, RunBegun
from headway.http.cursors import LIMIT, Cursor, Limit, read_cursor, write_cursor
from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.impact import impact_of
from headway.http.recording import record
from headway.http.refusals import BodyInvalid, FieldFault, Forbidden, Unauthorized
from headway.http.remembered import Session
from headway.http.reply import PERSONAL, Reply, encode, json_reply
from headway.http.services import Services
from headway.ledger.publish import publish
from headway.ledger.retake import RunWanted
from headway.ledger.retake import start_run as begin
from headway.store import courses, learners, sums
from headway.views.course_progress import in_force

_OUTLINES_MAX: Final = 64


@get("/courses")
async def list_courses(request: Asked, limit: Limit = LIMIT, cursor: Cursor = None) -> Reply:
    """The published courses, in order of id."""
    after = read_cursor(cursor, str) or ""
    rows = await exchange_of(request).services.read(lambda connection: courses.page(connection, after, limit + 1))
    items = [
        CourseListed(row["id"], row["title"], row["version"], format_time(row["created_at"])) for row in rows[:limit]
    ]
    page = CoursePage(items, write_cursor(items[-1].id) if len(rows) > limit else None)
    return etags.public(request, encode(page))


@get("/courses/{course:str}")
async def read_course(request: Asked, course: FromPath[str]) -> Reply:
    """A course's outline: all of it but the answers."""
    services = exchange_of(request).services
    return etags.public(request, await services.read(lambda connection: _outline(connection, services, course)))


def _outline(connection: Connection, services: Services, course: str) -> bytes:
    catalog, outlines = services.catalog, services.outlines
    version, content = in_force(connection, catalog, course)
    kept = outlines.get((course, version))
    if kept is None:
        if len(outlines) >= _OUTLINES_MAX:
            outlines.clear()
        kept = outlines[course, version] = encode({"version": version, **outline(content, public_grader)})
    return kept


@get("/courses/{course:str}/steps/{step:str}")
async def read_step(request: Asked, course: FromPath[str], step: FromPath[str]) -> Reply:
    """A step with its files, which the outline only names."""
    services = exchange_of(request).services

    def look(connection: Connection) -> bytes:
        version, content = in_force(connection, services.catalog, course)
        shown = content.step_named(step)
        return encode({**outline_step(shown, public_grader), "version": version, "files": shown.files})

    return etags.public(request, await services.read(look))


@put("/courses/{course:str}", status_code=200)
async def publish_course(request: Asked, course: FromPath[str], dry_run: FromQuery[bool] = False) -> Reply:
    """Publish a version of a course, or see with a dry run what that would do."""
    exchange = exchange_of(request)
    publisher, is_admin = await _publisher(request, exchange)
    manifest = await read_json(request, _decode)
    if manifest.get("id") != course:
        raise BodyInvalid([FieldFault("id", "id: must be the one in the path")])
    database = exchange.services.database
    act = partial(publish, now=who.now(), publisher=publisher, may_publish_all=is_admin, dry_run=dry_run)
    published = await exchange.services.publish(partial(act, database, manifest))
    status = 201 if published.created and not dry_run else 200
    return json_reply(
        CoursePublished(published.course.id, published.version, impact_of(published)), status, (PERSONAL,)
    )


_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


async def _publisher(request: Asked, exchange: Exchange) -> tuple[str, bool]:
    """The creator who publishes, and whether they may publish others' courses, as admins may."""
    who.check_cookies(exchange)
    reader = await who.caller(request, scope="creator")
    if reader.row is None:
        raise Unauthorized("sign in as a creator to publish courses")
    roles = reader.row["roles"].split()
    if not {"admin", "creator"}.intersection(roles):
        raise Forbidden("only creators publish courses; an admin can make you one")
    return reader.row["id"], "admin" in roles


@post("/courses/{course:str}/enrollment", status_code=200)
async def enroll(request: Asked, course: FromPath[str]) -> Reply:
    """Enroll in a course: 201 the first time, 200 again."""
    exchange = exchange_of(request)
    session = await who.account_writing(request)
    if await _is_enrolled(exchange, session, course):
        return json_reply(Enrollment(course, enrolled=True), 200, (PERSONAL,))
    changed = await _record(exchange, session, "enrolled", course)
    return json_reply(Enrollment(course, enrolled=True), 201 if changed else 200, (PERSONAL,))


@delete("/courses/{course:str}/enrollment", status_code=200)
async def leave(request: Asked, course: FromPath[str]) -> Reply:
    """Leave a course; the progress stays."""
    exchange = exchange_of(request)
    session = await who.account_writing(request)
    if await _is_enrolled(exchange, session, course):
        await _record(exchange, session, "left", course)
    return Reply(status=204, headers=(PERSONAL,))


@post("/courses/{course:str}/runs", status_code=201)
async def start_run(request: Asked, course: FromPath[str]) -> Reply:
    """Begin a course anew, in its next run: 201, and 200 where it began under this id before. The old run stays."""
    exchange = exchange_of(request)
    session = await who.learner_writing(request)
    sent = await read_json(request, _decode, empty=b"{}")
    if unknown := sent.keys() - {"id"}:
        raise Invalid(f"{min(unknown)[:200]!r} is no field here; leave it out", field=min(unknown)[:200])
    run_id = str(uuid4()) if sent.get("id") is None else event_id_of(sent["id"])
    asked = RunWanted(session.learner_id, course, run_id, session.token_hash)
    services = exchange.services
    with who.ending_with(exchange):
        started = await services.run(partial(begin, services.database, services.catalog, asked, now=who.now()))
    begun = RunBegun(started.course, started.run, format_time(started.at))
    return json_reply(begun, 200 if started.repeated else 201, (PERSONAL,))


async def _is_enrolled(exchange: Exchange, session: Session, course: str) -> bool:
    """Whether the learner is enrolled, asked first so that what changes nothing adds no entry.

    UnknownCourse, or IdentityGone if the session has ended.
    """

    def look(connection: Connection) -> bool:
        if learners.by_session(connection, session.token_hash, who.now()) is None:
            raise IdentityGone("the session has ended; sign in again")
        if courses.find(connection, course) is None:
            raise UnknownCourse("there is no course of that name")
        found = list(sums.read(connection, sums.ENROLLMENTS, [(session.learner_id, course)]))
        return bool(found and found[0][2].enrolled)

    with who.ending_with(exchange):
        return await exchange.services.read(look)


async def _record(exchange: Exchange, session: Session, kind: str, course: str) -> bool:
    receipt = await record(exchange, session, [enrollment_event(str(uuid4()), kind, course)], who.now())
    problem = receipt.results[0].problem
    if problem is not None:
        raise problem.with_traceback(None)
    return bool(receipt.changes)


handlers: Final = [list_courses, read_course, read_step, publish_course, enroll, leave, start_run]
