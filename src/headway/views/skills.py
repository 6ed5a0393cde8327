"""Skill levels in each topic that a learner has worked on."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.course import Course
from headway.domain.exercises import Done, Worked, exercises_worked, versions_worked
from headway.domain.levels import Level, Skill, skills, with_held
from headway.domain.mastery import Answer, mastery
from headway.domain.scores import mean_percent, percent
from headway.domain.times import format_time
from headway.store import worked
from headway.store.catalog import Catalog
from headway.store.worked import Topics
from headway.views.subject import Subject


class NextLevel(Struct):
    """What the next level requires: exercises completed, and an average."""

    level: str
    exercises: int
    percent: float


class Mastery(Struct):
    """How likely the learner gets an exercise of the topic right now, 0 to 1, with the bounds of a 90 % interval."""

    estimate: float
    low: float
    high: float


class SkillLevel(Struct):
    """A topic; `average_percent` is the average of the best score of each exercise that has one.

    `mastery` is null if no answer was scored.
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


def read_skills(connection: Connection, catalog: Catalog, subject: Subject) -> list[SkillLevel]:
    """A learner's levels, by topic."""
    if subject.learner_id is None:
        return []
    steps, topics = worked.levels(connection, subject.learner_id)
    courses = catalog.in_force(connection, {one.course for one in steps})
    return skill_levels(connection, catalog, steps, topics, courses)


def skill_levels(
    connection: Connection,
    catalog: Catalog,
    steps: Sequence[Worked],
    topics: Topics,
    courses: Mapping[str, tuple[int, Course]],
) -> list[SkillLevel]:
    """Return the levels of the topics that a learner worked on, from sums and the courses in force."""
    done = all_done(connection, catalog, steps, courses)
    found, answers = with_held(skills(one.exercise for one in done), topics.levels), _by_topic(done)
    return [
        _shown(topic, found[topic], topics.spent_ms.get(topic, 0), _mastery(answers.get(topic, ())))
        for topic in sorted(found)
    ]


def all_done(
    connection: Connection, catalog: Catalog, steps: Sequence[Worked], courses: Mapping[str, tuple[int, Course]]
) -> list[Done]:
    """Return the exercises that a learner did, each by the version by which it was first completed."""
    return list(exercises_worked(steps, catalog.load(connection, versions_worked(steps)), courses))


def _by_topic(done: Iterable[Done]) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {}
    for one in done:
        for topic in one.exercise.topics:
            found.setdefault(topic, []).extend(one.answers)
    return found


def _mastery(answers: Iterable[Answer]) -> Mastery | None:
    found = mastery(answers)
    return None if found is None else Mastery(*found)


def _shown(topic: str, one: Skill, spent_ms: int, known: Mastery | None) -> SkillLevel:
    return SkillLevel(
        topic,
        one.level.name,
        one.previous.name if one.previous else None,
        None if one.changed_at is None else format_time(one.changed_at),
        one.exercises_completed,
        mean_percent(one.best_total, one.scores),
        spent_ms / 1000,
        _next(one.next),
        known,
    )


def _next(level: Level | None) -> NextLevel | None:
    return None if level is None else NextLevel(level.name, level.exercises, percent(level.mean) or 0.0)
