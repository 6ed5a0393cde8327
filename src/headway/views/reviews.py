"""What a learner is to practice today: exercises that they are about to forget."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
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

# Placeholders: of steps and grants only their existence is asked.
_BEGUN: Final = StepSum(events=1)
# Enough for some hundred learners; with twenty days per card they take about ten megabytes.
_CARDS_KEPT: Final = 20_000
_GRANT: Final = Grant(0, "", None, 0)


class ReviewDue(Struct):
    """An exercise to practice: when it became due, and how likely the learner still knows it, 0 to 1."""

    course: str
    course_title: str
    step: str
    title: str
    due_at: str
    retrievability: float


class ReviewPlace(NamedTuple):
    """Where a page ended: its last exercise, and the day on which that was due."""

    due: int
    course: str
    key: str


class ReviewPage(NamedTuple):
    """Exercises that are due, the longest due first, and where the page ends if there are more."""

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
    """Return a page of what is due by the end of the learner's day, without exercises that are locked or gone."""
    if subject.learner_id is None:
        return ReviewPage([], None)
    practiced = reviews.practiced(connection, subject.learner_id)
    today = ordinal(local_day(now, subject.time_zone))
    courses = catalog.in_force(connection, {course_id for course_id, _ in practiced.days})
    exercises = dict(_exercises(courses, practiced))
    cards = _due(practiced, exercises, today)
    order = sorted(ReviewPlace(one.due, *key) for key, one in cards.items())
    left = order if place is None else [one for one in order if one > place]
    items = [
        _shown(one, cards[one.course, one.key], exercises[one.course, one.key], today, subject) for one in left[:limit]
    ]
    return ReviewPage(items, left[limit - 1] if len(left) > limit else None)


def _due(practiced: Practiced, exercises: Iterable[tuple[str, str]], today: int) -> dict[tuple[str, str], Card]:
    """Return the cards of the exercises that are due, by course and step."""
    found = ((key, _card(practiced.days[key])) for key in exercises)
    return {key: one for key, one in found if one is not None and one.due <= today}


@lru_cache(maxsize=_CARDS_KEPT)
def _card(days: str) -> Card | None:
    """Return an exercise's card from all its days; cached, as few exercises are practiced between two requests."""
    return card(Practice(ordinal(day), *counts) for day, counts in reviews.days_of(days))


def _exercises(
    courses: Mapping[str, tuple[int, Course]], practiced: Practiced
) -> Iterator[tuple[tuple[str, str], tuple[Course, Step]]]:
    """Yield what was practiced, is still an exercise, and is not locked, by course and key."""
    for course_id, keys in groupby(sorted(practiced.days), key=itemgetter(0)):
        if course_id not in courses:
            continue
        course = courses[course_id][1]
        run = max(practiced.runs.get(course_id, ()), default=FIRST_RUN)
        held = dict.fromkeys(practiced.granted.get((course_id, run), ()), _GRANT)
        begun = dict.fromkeys(practiced.begun.get((course_id, run), ()), _BEGUN)
        is_open = {one.key for one in course.modules if gating.is_open(one, begun, held)}
        for key in keys:
            step = step_of(course, key[1])
            module = course.module_of(step.id) if step else None
            if step is not None and module is not None and step.is_exercise and module.key in is_open:
                yield key, (course, step)


def _shown(place: ReviewPlace, one: Card, exercise: tuple[Course, Step], today: int, subject: Subject) -> ReviewDue:
    course, step = exercise
    due_at = format_time(day_start(day_of(one.due), subject.time_zone))
    known = round(one.retrievability(today), 4)
    return ReviewDue(place.course, course.title, step.id, step.title, due_at, known)
