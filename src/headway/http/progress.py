"""Reading progress: the caller's own, or with `?learner=` that of a learner whom the caller may see."""

from collections.abc import Callable
from typing import Annotated, Final, TypeAlias

from litestar import get
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.http import etags, who
from headway.http.cursors import LIMIT, Cursor, Limit, cut, foreign_cursor, read_cursor, write_cursor
from headway.http.exchange import Asked, exchange_of
from headway.http.reply import PERSONAL, Reply, encode
from headway.http.who import Reader
from headway.views import subject
from headway.views.asked_range import AskedRange
from headway.views.course_progress import read_course, read_module
from headway.views.events import About, Place, RecordedEvent, read_events
from headway.views.history import read_history
from headway.views.overview import read_overview
from headway.views.runs import RunSummary, read_runs
from headway.views.sessions import PracticeSession, SessionPlace, read_sessions
from headway.views.skills import SkillLevel, read_skills
from headway.views.statistics import read_statistics
from headway.views.streak import DAYS_SHOWN, read_streak
from headway.views.subject import Asking, Subject

View: TypeAlias = Callable[[Connection, Subject], object]
Learner: TypeAlias = FromQuery[str | None]
Run: TypeAlias = FromQuery[int | None]
_NUMBER_MAX: Final = 2**63 - 1


class SessionList(Struct):
    """Practice sessions, the newest first."""

    items: list[PracticeSession]
    next_cursor: str | None


class EventList(Struct):
    """Entries of a ledger, newest first."""

    items: list[RecordedEvent]
    next_cursor: str | None


class RunList(Struct):
    """Runs of a course, the newest first."""

    items: list[RunSummary]
    next_cursor: str | None


class SkillLevels(Struct):
    """Topics by name."""

    items: list[SkillLevel]
    next_cursor: str | None


@get("/progress")
async def read_progress(request: Asked, learner: Learner = None) -> Reply:
    """Everything about a learner at a glance."""
    catalog = exchange_of(request).services.catalog
    now, rules = who.now(), exchange_of(request).services.streak_rules
    return await answer(
        request, lambda connection, whose: read_overview(connection, catalog, whose, now, rules), learner
    )


@get("/progress/courses/{course:str}")
async def read_course_progress(
    request: Asked, course: FromPath[str], learner: Learner = None, run: Run = None
) -> Reply:
    """How a learner stands in a course: its modules, what each kind of step gave, what is missing, every step.

    In the run that they are in, or an earlier one.
    """
    catalog = exchange_of(request).services.catalog
    return await answer(
        request, lambda connection, whose: read_course(connection, catalog, whose, course, run), learner, course
    )


@get("/progress/courses/{course:str}/runs")
async def list_runs(
    request: Asked, course: FromPath[str], limit: Limit = LIMIT, cursor: Cursor = None, learner: Learner = None
) -> Reply:
    """The runs of a course that a learner began, the newest first."""
    catalog = exchange_of(request).services.catalog

    def look(connection: Connection, whose: Subject) -> RunList:
        found = read_runs(connection, catalog, whose, course)
        return RunList(*cut(found, lambda one: (-one.run,), tuple[int], limit, cursor))

    return await answer(request, look, learner, course)


@get("/progress/courses/{course:str}/modules/{module:str}")
async def read_module_progress(
    request: Asked, course: FromPath[str], module: FromPath[str], learner: Learner = None, run: Run = None
) -> Reply:
    """How a learner stands in one module of a course."""
    catalog = exchange_of(request).services.catalog
    return await answer(
        request, lambda connection, whose: read_module(connection, catalog, whose, course, module, run), learner, course
    )


@get("/progress/streak")
async def read_streak_progress(request: Asked, days: FromQuery[int] = DAYS_SHOWN, learner: Learner = None) -> Reply:
    """The days in a row on which a learner was active, what keeps them, and the active days of the last year."""
    now, rules = who.now(), exchange_of(request).services.streak_rules
    return await answer(request, lambda connection, whose: read_streak(connection, whose, now, days, rules), learner)


@get("/progress/history")
async def read_history_progress(
    request: Asked,
    first: Annotated[str | None, QueryParameter(name="from")] = None,
    last: Annotated[str | None, QueryParameter(name="to")] = None,
    days: FromQuery[int | None] = None,
    learner: Learner = None,
) -> Reply:
    """Every day of a range, each with all that was done since the beginning."""
    asked = AskedRange(first, last, days)
    now, rules = who.now(), exchange_of(request).services.streak_rules
    return await answer(request, lambda connection, whose: read_history(connection, whose, now, asked, rules), learner)


@get("/progress/statistics")
async def read_statistics_progress(request: Asked, period: FromQuery[str] = "week", learner: Learner = None) -> Reply:
    """What a learner did today, this week, this month or ever: medians and spread, topics, the last seven days."""
    now, catalog = who.now(), exchange_of(request).services.catalog
    return await answer(
        request, lambda connection, whose: read_statistics(connection, catalog, whose, now, period), learner
    )


@get("/progress/sessions")
async def list_practice_sessions(
    request: Asked,
    first: Annotated[str | None, QueryParameter(name="from")] = None,
    last: Annotated[str | None, QueryParameter(name="to")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
    learner: Learner = None,
) -> Reply:
    """When a learner practiced, the newest first: attempts no more than half an hour apart are one session."""
    asked, now = AskedRange(first, last), who.now()
    place = read_cursor(cursor, SessionPlace)

    def look(connection: Connection, whose: Subject) -> SessionList:
        page = read_sessions(connection, whose, now, asked, place, limit)
        return SessionList(page.items, None if page.next_place is None else write_cursor(page.next_place))

    return await answer(request, look, learner)


@get("/progress/skill-levels")
async def read_skill_levels(
    request: Asked, limit: Limit = LIMIT, cursor: Cursor = None, learner: Learner = None
) -> Reply:
    """What a learner has come to in each topic, since when, and what the next level takes."""
    catalog = exchange_of(request).services.catalog

    def look(connection: Connection, whose: Subject) -> SkillLevels:
        found = read_skills(connection, catalog, whose)
        return SkillLevels(*cut(found, lambda one: (one.topic,), tuple[str], limit, cursor))

    return await answer(request, look, learner)


@get("/progress/events")
async def read_own_events(
    request: Asked,
    course: FromQuery[str | None] = None,
    step: FromQuery[str | None] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
    learner: Learner = None,
) -> Reply:
    """A learner's own ledger, the newest entry first: all of it, or what is about a course or one of its steps."""
    catalog = exchange_of(request).services.catalog
    place, about = _place(cursor), About(course, step)

    def look(connection: Connection, whose: Subject) -> EventList:
        page = read_events(connection, catalog, whose, place, limit, about)
        return EventList(page.items, None if page.next_place is None else write_cursor(page.next_place))

    return await answer(request, look, learner)


def _place(cursor: str | None) -> Place | None:
    place = read_cursor(cursor, Place)
    if place is not None and not all(0 < one <= _NUMBER_MAX for one in (place.received_at, *place.before.values())):
        raise foreign_cursor()
    return place


async def answer(request: Asked, view: View, learner: str | None, course: str | None = None) -> Reply:
    """The reply with a view of the subject's progress, read and encoded off the event loop."""

    def look(connection: Connection, reader: Reader) -> bytes:
        return encode(view(connection, subject_of(connection, reader, learner, course)))

    return etags.tagged(request, await who.read_as_caller(request, look), PERSONAL)


def subject_of(connection: Connection, reader: Reader, learner: str | None, course: str | None = None) -> Subject:
    """Whose progress is read: the caller's, or that of a learner whom the caller may see."""
    row = reader.row
    if learner is not None:
        asking = subject.NOBODY_ASKING if row is None else Asking(row["id"], frozenset(row["roles"].split()))
        return subject.another(connection, asking, learner, course)
    return subject.NOBODY if row is None else Subject(row["id"], row["time_zone"])


handlers: Final = [
    read_progress,
    read_course_progress,
    list_runs,
    read_module_progress,
    read_streak_progress,
    read_history_progress,
    read_statistics_progress,
    list_practice_sessions,
    read_skill_levels,
    read_own_events,
]
