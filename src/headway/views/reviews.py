"""What a learner is to practice today: exercises that they are about to forget."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain import gating
from headway.domain.course import Course, Step
from headway.domain.exercises import step_of
from headway.domain.progress import FIRST_RUN, Grant, StepSum
from headway.domain.reviews import Card, Practice, card
from headway.domain.times import day_of, day_start, format_time, local_day, ordinal
from headway.store import reviews
from headway.store.catalog import Catalog
from headway.store.reviews import Practiced
from headway.views.events import LIMIT
from headway.views.subject import Subject

# That something was done, and that something was granted, is all that is asked of either.
_BEGUN: Final = StepSum(events=1)
_GRANT: Final = Grant(0, "", None, 0)


class ReviewDue(Struct):
    """An exercise to practice: since when, and how likely the learner still knows it, 0 to 1."""

    course: str
    course_title: str
    step: str
    title: str
    due_at: str
    retrievability: float


class ReviewPlace(NamedTuple):
    """Where a page ended: the last of its exercises, and the day on which that was due."""

    due: int
    course: str
    key: str


class ReviewPage(NamedTuple):
    """Exercises that are due, the longest due first, and where they end if more lie behind them."""

    items: list[ReviewDue]
    next_place: ReviewPlace | None


def read_reviews(
    connection: Connection,
    catalog: Catalog,
    subject: Subject,
    now: int,
    place: ReviewPlace | None = None,
    limit: int = LIMIT,
) -> ReviewPage:
    """A page of what is due by the end of the learner's day; what they cannot do now is not asked for."""
    if subject.learner_id is None:
        return ReviewPage([], None)
    practiced = reviews.practiced(connection, subject.learner_id)
    today = ordinal(local_day(now, subject.time_zone))
    cards = _due(practiced, today)
    courses = catalog.in_force(connection, {key[0] for key, _ in practiced.days})
    found = {key: _exercise(courses, practiced, key) for key in cards}
    exercises = {key: one for key, one in found.items() if one is not None}
    order = sorted(ReviewPlace(cards[key].due, *key) for key in exercises)
    left = order if place is None else [one for one in order if one > place]
    items = [
        _shown(one, cards[one.course, one.key], exercises[one.course, one.key], today, subject) for one in left[:limit]
    ]
    return ReviewPage(items, left[limit - 1] if len(left) > limit else None)


def _due(practiced: Practiced, today: int) -> dict[tuple[str, str], Card]:
    """The cards of the exercises that are due, by course and step."""
    found = ((key, card(Practice(ordinal(day), *counts) for day, *counts in days)) for key, days in practiced.days)
    return {key: one for key, one in found if one is not None and one.due <= today}


def _exercise(
    courses: Mapping[str, tuple[int, Course]], practiced: Practiced, key: tuple[str, str]
) -> tuple[Course, Step] | None:
    """The exercise as it is now, and its course; None where it is none any more, or locked."""
    course = courses[key[0]][1] if key[0] in courses else None
    step = step_of(course, key[1]) if course else None
    module = course.module_of(step.id) if course and step else None
    if course is None or step is None or module is None or not step.is_exercise:
        return None
    run = max(practiced.runs.get(key[0], ()), default=FIRST_RUN)
    held = dict.fromkeys(practiced.granted.get((key[0], run), ()), _GRANT)
    begun = dict.fromkeys(practiced.begun.get((key[0], run), ()), _BEGUN)
    return (course, step) if gating.is_open(module, begun, held) else None


def _shown(place: ReviewPlace, one: Card, exercise: tuple[Course, Step], today: int, subject: Subject) -> ReviewDue:
    course, step = exercise
    due_at = format_time(day_start(day_of(one.due), subject.time_zone))
    known = round(one.retrievability(today), 4)
    return ReviewDue(place.course, course.title, step.id, step.title, due_at, known)
