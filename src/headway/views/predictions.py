"""What a learner comes to next, if they go on as they did lately: an achievement, levels, the ends of courses."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Final

from msgspec import UNSET, Struct, UnsetType
from sqlalchemy.engine import Connection

from headway.domain.course import Course
from headway.domain.exercises import exercises_done, versions_of
from headway.domain.facts import COURSE_COMPLETED
from headway.domain.levels import Level, Skill, skills, with_held
from headway.domain.predictions import Forecast, forecast
from headway.domain.progress import FIRST_RUN, Completion, PeriodSum
from headway.domain.scores import mean_percent, percent
from headway.domain.times import day_of, local_day, ordinal
from headway.store import figures
from headway.store.catalog import Catalog
from headway.store.figures import CourseFigures, TopicFigures
from headway.views.achievements import Standing, read_standings
from headway.views.course_progress import run_of
from headway.views.subject import Subject

# What achievements ask for that days add up to, and how much of it makes one.
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


class Predictions(Struct):
    """The next achievement, then levels by topic, then courses that are begun and not completed."""

    items: list[Prediction]


def read_predictions(connection: Connection, catalog: Catalog, subject: Subject, now: int) -> Predictions:
    """What a learner comes to next."""
    if subject.learner_id is None:
        return Predictions([])
    today = ordinal(local_day(now, subject.time_zone))
    found, topics = figures.of_learner(connection, subject.learner_id)
    days = figures.days(connection, subject.learner_id)
    courses = catalog.in_force(connection, {key.course for key in found.steps} | {key.course for key in found.runs})
    standings = read_standings(connection, subject, days.streak.active).shown
    return Predictions(
        [
            _achievement(standings, days.done, today),
            *_levels(connection, catalog, found, topics, courses, today),
            *_courses(found, courses, today),
        ]
    )


def _told(kind: str, target: str, found: Forecast | str, level: str | UnsetType = UNSET) -> Prediction:
    if isinstance(found, str):
        return Prediction(kind, target, level=level, reason=found)
    return Prediction(kind, target, day_of(found.expected), day_of(found.low), day_of(found.high), level)


def _achievement(standings: Iterable[Standing], days: list[tuple[str, PeriodSum]], today: int) -> Prediction:
    """The one that is to be expected first; of equals the one that is nearer."""
    left = [one for one in standings if one.earned is None]
    if not left:
        return Prediction("achievement", None, reason=_ALL_EARNED)
    ordinals, sums = [ordinal(day) for day, _ in days], [one for _, one in days]
    wanted = {name for name, _ in _DAILY.values()}
    done = {name: dict(zip(ordinals, map(attrgetter(name), sums), strict=True)) for name in wanted}
    totals = {name: sum(counts.values()) for name, counts in done.items()}
    told: list[tuple[Forecast, float, str]] = []
    why = _NO_PACE
    for one in left:
        metric = _DAILY.get(one.definition.metric)
        if metric is None:
            continue
        name, unit = metric
        found = forecast(one.definition.threshold * unit - totals[name], done[name], today)
        if isinstance(found, str):
            why = found
        else:
            told.append((found, -one.percent, one.definition.id))
    if told:
        found, _, name = min(told)
        return _told("achievement", name, found)
    nearest = max(left, key=lambda one: (one.percent, one.definition.id))
    return Prediction("achievement", nearest.definition.id, reason=why)


def _levels(
    connection: Connection,
    catalog: Catalog,
    found: CourseFigures,
    topics: TopicFigures,
    courses: Mapping[str, tuple[int, Course]],
    today: int,
) -> Iterator[Prediction]:
    done = list(exercises_done(found.steps, catalog.load(connection, versions_of(found.steps)), courses))
    first: dict[tuple[str, str], Completion] = {}
    for key, one in found.steps.items():
        if one.completion is not None:
            place = (key.course, key.step)
            first[place] = min(one.completion, first.get(place, one.completion))
    by_topic: dict[str, Counter[int]] = {}
    for each in done:
        if each.place in first:
            for topic in each.exercise.topics:
                by_topic.setdefault(topic, Counter())[ordinal(first[each.place].day)] += 1
    for topic, skill in sorted(with_held(skills(one.exercise for one in done), topics.levels).items()):
        above = skill.next
        if above is not None:
            yield _told("level", topic, _level(skill, above, by_topic.get(topic, Counter()), today), above.name)


def _level(skill: Skill, above: Level, done: Mapping[int, int], today: int) -> Forecast | str:
    """By exercises alone, where the average is high enough."""
    average = mean_percent(skill.best_total, skill.scores)
    asked = percent(above.mean) or 0.0
    if average is None or average < asked:
        so_far = "there is none yet" if average is None else f"it is {average:g} %"
        return f"not enough to say: {above.name} asks for an average of {asked:g} %, and {so_far}"
    return forecast(above.exercises - skill.exercises_completed, done, today)


def _courses(found: CourseFigures, courses: Mapping[str, tuple[int, Course]], today: int) -> Iterator[Prediction]:
    """Until all steps are completed that are left, at the pace in that course."""
    for name, (_, course) in sorted(courses.items()):
        number = max((key.run for key in found.runs if key.course == name), default=FIRST_RUN)
        run = run_of(course, number, found.steps, found.grants)
        if (COURSE_COMPLETED, "") in run.held:
            continue
        days = Counter(ordinal(one.completion.day) for one in run.steps.values() if one.completion is not None)
        yield _told("course", name, forecast(len(course.steps) - run.steps_completed, days, today))
