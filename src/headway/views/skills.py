"""Skill levels in each topic that a learner has worked on."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.course import Course, Step
from headway.domain.levels import Exercise, Level, Skill, skills
from headway.domain.mastery import Answer, mastery
from headway.domain.progress import PeriodSum, Scored, StepSum
from headway.domain.scores import mean_percent, percent
from headway.domain.sums import StepKey
from headway.domain.times import format_time
from headway.store import figures
from headway.store.catalog import Catalog
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
    topics: Mapping[str, PeriodSum],
    courses: Mapping[str, tuple[int, Course]],
) -> list[SkillLevel]:
    """The levels of the topics that a learner worked on, out of the sums of steps and topics and courses in force."""
    versions = {(key.course, one.completion.version) for key, one in steps.items() if one.completion is not None}
    completed_by = catalog.load(connection, versions)
    done = list(_exercises(steps, completed_by, courses))
    found, answers = skills(one.exercise for one in done), _by_topic(done)
    return [
        _shown(topic, found[topic], topics.get(topic, _NOTHING), _mastery(answers.get(topic, ())))
        for topic in sorted(found)
    ]


class _Done(NamedTuple):
    """An exercise, and the first and the latest answer to it in each run: how it went when it was new, and goes now."""

    exercise: Exercise
    answers: list[Answer]


def _exercises(
    steps: Mapping[StepKey, StepSum],
    completed_by: Mapping[tuple[str, int], Course],
    courses: Mapping[str, tuple[int, Course]],
) -> Iterator[_Done]:
    """Each exercise once, of whatever topics it had when it was first completed; before that, of those it has now."""
    of_runs: dict[tuple[str, str], list[StepSum]] = {}
    for key, one in steps.items():
        of_runs.setdefault((key.course, key.step), []).append(one)
    for (course_id, step_key), sums in of_runs.items():
        done = min((one.completion for one in sums if one.completion is not None), default=None)
        course = completed_by[course_id, done.version] if done else courses[course_id][1]
        step = _step(course, step_key)
        if step is not None and step.is_exercise:
            best = max((one.best_said for one in sums if one.best_said is not None), default=None)
            exercise = Exercise(step.topics, best, min(_scored(sums), default=None), done and done.at)
            yield _Done(exercise, [Answer(*part) for each in sums for part in _answers(each)])


def _answers(one: StepSum) -> Iterator[Scored]:
    if one.first is not None:
        yield one.first
    if one.latest is not None and (one.first is None or one.latest.event_id != one.first.event_id):
        yield one.latest


def _by_topic(done: Iterable[_Done]) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {}
    for one in done:
        for topic in one.exercise.topics:
            found.setdefault(topic, []).extend(one.answers)
    return found


def _mastery(answers: Iterable[Answer]) -> Mastery | None:
    found = mastery(answers)
    return None if found is None else Mastery(*found)


def _step(course: Course, key: str) -> Step | None:
    """The step of a key; None where the course has dropped it."""
    try:
        return course.step_by_key(key)
    except KeyError:
        return None


def _scored(sums: Iterable[StepSum]) -> Iterator[int]:
    """Since when a step has a score: by an attempt, or by a person's word."""
    for one in sums:
        if one.first is not None:
            yield one.first.at
        if one.override is not None:
            yield one.override.at


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
