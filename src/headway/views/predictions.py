"""Predict what a learner reaches next at their recent pace: an achievement, levels, the completion of courses."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import UNSET, Struct, UnsetType
from sqlalchemy.engine import Connection

from headway.domain.achievements import METRICS
from headway.domain.course import Course
from headway.domain.exercises import Done
from headway.domain.levels import HeldLevel, Level, Skill, skills, with_held
from headway.domain.predictions import DAYS, Forecast, forecast
from headway.domain.scores import mean_percent, percent
from headway.domain.times import day_of, local_day, ordinal
from headway.store import achievements, worked
from headway.store.catalog import Catalog
from headway.store.worked import Ahead, Courses
from headway.views.achievements import Standing, standings
from headway.views.course_progress import run_worked
from headway.views.skills import all_done
from headway.views.subject import Subject

KINDS: Final = ("achievement", "level", "course")
# Metrics of achievements that add up over days: the figure of a day, and how much of it makes one.
_DAILY: Final = {
    "steps": ("steps_completed", 1),
    "exercises": ("exercises_completed", 1),
    "points": ("points", 1),
    "attempts": ("attempts", 1),
    "passed_attempts": ("passed_attempts", 1),
    "hours": ("duration_ms", 3_600_000),
}
_NO_PACE: Final = "not enough to say: the next achievements do not go by what is done in a day"
_ALL_EARNED: Final = "there is nothing left to earn"


class Prediction(Struct, omit_defaults=True):
    """When something is to be expected, or why that cannot be said.

    `target` is an achievement's id, a topic or a course.
    """

    kind: str
    target: str | None
    expected_on: str | UnsetType = UNSET
    low_on: str | UnsetType = UNSET
    high_on: str | UnsetType = UNSET
    level: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class Place(NamedTuple):
    """A prediction's place in the list."""

    kind: int
    target: str


def read_predictions(connection: Connection, catalog: Catalog, subject: Subject, now: int) -> list[Prediction]:
    """The next achievement, then levels by topic, then courses that are begun and not completed."""
    if subject.learner_id is None:
        return []
    today = ordinal(local_day(now, subject.time_zone))
    found = worked.ahead(connection, subject.learner_id, day_of(today - DAYS))
    steps = found.courses.steps
    courses = catalog.in_force(connection, {one.course for one in steps} | found.courses.runs.keys())
    listed = standings(achievements.defined(connection), found.metrics, found.earned).shown
    done = all_done(connection, catalog, steps, courses)
    return [
        _achievement(listed, found, today),
        *_levels(done, found.levels, today),
        *_courses(found.courses, courses, today),
    ]


def place_of(one: Prediction) -> Place:
    """Return a prediction's place: by its kind, then by its target."""
    return Place(KINDS.index(one.kind), one.target or "")


def _told(kind: str, target: str, found: Forecast | str, level: str | UnsetType = UNSET) -> Prediction:
    if isinstance(found, str):
        return Prediction(kind, target, level=level, reason=found)
    return Prediction(kind, target, day_of(found.expected), day_of(found.low), day_of(found.high), level)


def _achievement(listed: Iterable[Standing], found: Ahead, today: int) -> Prediction:
    """Return the achievement that is expected first; of equals, the nearer one."""
    left = [one for one in listed if one.earned is None]
    if not left:
        return Prediction("achievement", None, reason=_ALL_EARNED)
    told: list[tuple[Forecast, float, str]] = []
    why = _NO_PACE
    for one in left:
        metric = _DAILY.get(one.definition.metric)
        if metric is None:
            continue
        name, unit = metric
        so_far: int = getattr(found.metrics.totals, METRICS[one.definition.metric])
        said = forecast(one.definition.threshold * unit - so_far, _done(found, name, today), today)
        if isinstance(said, str):
            why = said
        else:
            told.append((said, -one.percent, one.definition.id))
    if told:
        first, _, target = min(told)
        return _told("achievement", target, first)
    nearest = max(left, key=lambda one: (one.percent, one.definition.id))
    return Prediction("achievement", nearest.definition.id, reason=why)


def _done(found: Ahead, name: str, today: int) -> dict[int, int]:
    """Return how much was done on each of the last days; all that came before them is put on one day."""
    days: dict[int, int] = {today - DAYS: getattr(found.before, name)}
    return days | {ordinal(day): getattr(one, name) for day, one in found.recent}


def _levels(done: Sequence[Done], held: Mapping[str, HeldLevel], today: int) -> Iterator[Prediction]:
    by_topic = defaultdict[str, Counter[int]](Counter)
    for one in done:
        if one.day is not None:
            for topic in one.exercise.topics:
                by_topic[topic][ordinal(one.day)] += 1
    for topic, skill in sorted(with_held(skills(one.exercise for one in done), held).items()):
        above = skill.next
        if above is not None:
            yield _told("level", topic, _level(skill, above, by_topic[topic], today), above.name)


def _level(skill: Skill, above: Level, done: Mapping[int, int], today: int) -> Forecast | str:
    """Forecast a level by the number of exercises; only if the average is high enough."""
    average = mean_percent(skill.best_total, skill.scores)
    asked = percent(above.mean) or 0.0
    if average is None or average < asked:
        so_far = "there is none yet" if average is None else f"it is {average:g} %"
        return f"not enough to say: {above.name} asks for an average of {asked:g} %, and {so_far}"
    return forecast(above.exercises - skill.exercises_completed, done, today)


def _courses(found: Courses, courses: Mapping[str, tuple[int, Course]], today: int) -> Iterator[Prediction]:
    """Yield when all remaining steps are completed, at the pace in that course."""
    for name, (_, course) in sorted(courses.items()):
        run = run_worked(course, found)
        if run.is_completed:
            continue
        days = Counter(map(ordinal, run.done.values()))
        yield _told("course", name, forecast(len(course.steps) - run.steps_completed, days, today))
