"""When a learner practiced: runs of attempts no more than half an hour apart."""

from typing import Final, NamedTuple

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.practice import Session, sessions
from headway.domain.times import DAY, day_of, format_time, local_day, ordinal
from headway.store import work
from headway.views.asked_range import AskedRange, range_asked
from headway.views.events import LIMIT
from headway.views.subject import Subject

DAYS_MAX: Final = 366
_FAR: Final = 10 * DAY


class PracticeSession(Struct):
    """Attempts in a row: `exercises` counts them, `correct` those that passed; `duration_s` is the time they took."""

    started_at: str
    ended_at: str
    exercises: int
    correct: int
    duration_s: float


class SessionPlace(NamedTuple):
    """Where a page ended: when its last session began."""

    started_at: int


class SessionPage(NamedTuple):
    """Sessions, the newest first, and where the page ends if there are more."""

    items: list[PracticeSession]
    next_place: SessionPlace | None


def read_sessions(
    connection: Connection,
    subject: Subject,
    now: int,
    asked: AskedRange,
    place: SessionPlace | None = None,
    limit: int = LIMIT,
) -> SessionPage:
    """Return a page of the sessions that began in a range of a learner's days; Invalid if the range is wrong."""
    within = range_asked(asked, local_day(now, subject.time_zone), DAYS_MAX)
    if subject.learner_id is None:
        return SessionPage([], None)
    # A session that began the night before is not in the range, and one of the last night continues after it.
    around = within._replace(first=_next(within.first, -1), last=_next(within.last, 1))
    found = sessions(work.practiced(connection, subject.learner_id, around))
    before = place.started_at if place else now + _FAR
    left = [one for one in reversed(found) if within.first <= one.day <= within.last and one.started_at < before]
    more = SessionPlace(left[limit - 1].started_at) if len(left) > limit else None
    return SessionPage([_shown(one) for one in left[:limit]], more)


def _next(day: str, by: int) -> str:
    """Return the day `by` days later, within the years 1 to 9999."""
    return day_of(min(max(1, ordinal(day) + by), ordinal("9999-12-31")))


def _shown(one: Session) -> PracticeSession:
    times = format_time(one.started_at), format_time(one.ended_at)
    return PracticeSession(*times, one.attempts, one.passed, one.duration_ms / 1000)
