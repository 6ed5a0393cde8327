"""Skill levels in each topic that a learner has worked on."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.course import Course
from headway.domain.exercises import Done, exercises_done, versions_of
from headway.domain.levels import Level, Skill, skills, with_held
from headway.domain.mastery import Answer, mastery
from headway.domain.progress import PeriodSum, StepSum
from headway.domain.scores import mean_percent, percent
from headway.domain.sums import StepKey
from headway.domain.times import format_time
from headway.store import figures
from headway.store.catalog import Catalog
from headway.store.figures import TopicFigures
from headway.views.subject import Subject

_NOTHING: Final = PeriodSum()


class NextLevel(Struct):
    """What the level above takes: so many exercises completed, and so high an average."""

    level: str
    exercises: int
    percent: float


class Mastery(Struct):
    """How likely the learner gets an exercise of the topic right now, and between what that lies, 9 to 1; 0 to 1."""

    estimate: float
    low: float
    high: float


class SkillLevel(Struct):
    """A topic; `average_percent` is of the best score of each exercise that has one.

    `mastery` is null where no answer was scored.
    """

    topic: str
    level: str
    previous_level: str | None
    level_changed_at: str | None
    exercises_completed: int
    average_percent: float | None
    duration_s: float
    next: NextLevel | None
    mastery: Mastery | None


class SkillLevels(Struct):
    """Topics by name."""

    items: list[SkillLevel]


def read_skills(connection: Connection, catalog: Catalog, subject: Subject) -> SkillLevels:
    """A learner's levels."""
    if subject.learner_id is None:
        return SkillLevels([])
    found, topics = figures.of_learner(connection, subject.learner_id)
    courses = catalog.in_force(connection, {key.course for key in found.steps})
    return SkillLevels(skill_levels(connection, catalog, found.steps, topics, courses))


def skill_levels(
    connection: Connection,
    catalog: Catalog,
    steps: Mapping[StepKey, StepSum],
    topics: TopicFigures,
    courses: Mapping[str, tuple[int, Course]],
) -> list[SkillLevel]:
    """The levels of the topics that a learner worked on, out of the sums of steps and topics and courses in force."""
    done = list(exercises_done(steps, catalog.load(connection, versions_of(steps)), courses))
    found, answers = with_held(skills(one.exercise for one in done), topics.levels), _by_topic(done)
    return [
        _shown(topic, found[topic], topics.sums.get(topic, _NOTHING), _mastery(answers.get(topic, ())))
        for topic in sorted(found)
    ]


def _by_topic(done: Iterable[Done]) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {}
    for one in done:
        for topic in one.exercise.topics:
            found.setdefault(topic, []).extend(Answer(*each[:3]) for each in one.answers)
    return found


def _mastery(answers: Iterable[Answer]) -> Mastery | None:
    found = mastery(answers)
    return None if found is None else Mastery(*found)


def _shown(topic: str, one: Skill, done: PeriodSum, known: Mastery | None) -> SkillLevel:
    return SkillLevel(
        topic,
        one.level.name,
        one.previous.name if one.previous else None,
        None if one.changed_at is None else format_time(one.changed_at),
        one.exercises_completed,
        mean_percent(one.best_total, one.scores),
        done.duration_ms / 1000,
        _next(one.next),
        known,
    )


def _next(level: Level | None) -> NextLevel | None:
    return None if level is None else NextLevel(level.name, level.exercises, percent(level.mean) or 0.0)
