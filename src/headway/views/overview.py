"""Everything about a learner at a glance."""

from typing import NamedTuple

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.course import Course
from headway.domain.progress import FIRST_RUN, EnrollmentSum, PeriodSum, StepSum
from headway.domain.scores import mean_percent
from headway.domain.streaks import STANDARD, StreakRules, streak
from headway.domain.sums import StepKey
from headway.domain.times import format_time, local_day
from headway.store import achievements, figures
from headway.store.achievements import Count
from headway.store.catalog import Catalog
from headway.store.figures import NO_DAYS, NO_TOPICS, CourseFigures, Days, TopicFigures
from headway.views.course_progress import NOTHING, run_of
from headway.views.skills import SkillLevel, skill_levels
from headway.views.streak import StreakSummary, summary
from headway.views.subject import Subject

_NOT_ENROLLED = EnrollmentSum()


class AchievementCount(Struct):
    """How many achievements are unlocked, of how many, hidden ones among them."""

    unlocked: int
    total: int


class CourseSummary(Struct):
    """A course that the learner was active in or is enrolled in; `updated_at` is the latest activity in it."""

    course: str
    title: str
    version: int
    enrolled: bool
    status: str
    percent: float
    steps_completed: int
    steps_total: int
    updated_at: str | None


class Overview(Struct):
    """All of a learner's figures; `average_percent` is of the best score of each exercise that has one."""

    exercises_completed: int
    steps_completed: int
    attempts: int
    average_percent: float | None
    duration_s: float
    hints: int
    points: int
    streak: StreakSummary
    achievements: AchievementCount
    skill_levels: list[SkillLevel]
    courses: list[CourseSummary]


class _Known(NamedTuple):
    """What the database holds of a learner, and the courses in which that lies."""

    days: Days
    figures: CourseFigures
    topics: TopicFigures
    courses: dict[str, tuple[int, Course]]
    achievements: Count


def read_overview(
    connection: Connection, catalog: Catalog, subject: Subject, now: int, rules: StreakRules = STANDARD
) -> Overview:
    """A learner's overview at a time."""
    known = _read(connection, catalog, subject.learner_id)
    total = PeriodSum.total(one for _, one in known.days.done)
    return Overview(
        exercises_completed=total.exercises_completed,
        steps_completed=total.steps_completed,
        attempts=total.attempts,
        average_percent=_average_percent(known),
        duration_s=total.duration_ms / 1000,
        hints=total.hints,
        points=total.points + known.achievements.points,
        streak=summary(streak(known.days.streak, local_day(now, subject.time_zone), rules)),
        achievements=AchievementCount(known.achievements.unlocked, known.achievements.total),
        skill_levels=skill_levels(connection, catalog, known.figures.steps, known.topics, known.courses),
        courses=_summaries(known),
    )


def _read(connection: Connection, catalog: Catalog, learner_id: str | None) -> _Known:
    if learner_id is None:
        return _Known(NO_DAYS, NOTHING, NO_TOPICS, {}, achievements.count(connection, None))
    days = figures.days(connection, learner_id)
    found, topics = figures.of_learner(connection, learner_id)
    listed = {key.course for key in found.runs} | {name for name, one in found.enrollments.items() if one.enrolled}
    counted = achievements.count(connection, learner_id)
    return _Known(days, found, topics, catalog.in_force(connection, listed), counted)


def _average_percent(known: _Known) -> float | None:
    """Of the best score of each exercise that its course has now, in whichever run."""
    best: dict[tuple[str, str], int] = {}
    for key, one in known.figures.steps.items():
        reached = one.best_said
        if reached is not None and _is_exercise(known, key):
            best[key.course, key.step] = max(reached, best.get((key.course, key.step), 0))
    return mean_percent(sum(best.values()), len(best))


def _is_exercise(known: _Known, key: StepKey) -> bool:
    found = known.courses.get(key.course)
    step = found[1].step(key.step) if found else None
    return step is not None and step.is_exercise


def _summaries(known: _Known) -> list[CourseSummary]:
    """Those active last come first; those without activity stand last, by their ids."""
    touched = dict.fromkeys(known.courses, -1)
    said = _said_by_others(known)
    for key, one in known.figures.steps.items():
        if key.course in touched:
            touched[key.course] = max(touched[key.course], _active_at(one, said.get(key, {})))
    order = sorted(known.courses, key=lambda name: (-touched[name], name))
    return [_summary(name, known, touched[name]) for name in order]


def _said_by_others(known: _Known) -> dict[StepKey, dict[int, int]]:
    """When people graded attempts of the learner's, by step: to when each attempt was made."""
    found: dict[StepKey, dict[int, int]] = {}
    for one in known.topics.grades:
        if one.given is not None:
            found.setdefault(StepKey(one.course, one.run, one.step), {})[one.given.at] = one.at
    return found


def _active_at(one: StepSum, graded: dict[int, int]) -> int:
    """When the learner last did something on a step: what people say of it is no doing of theirs."""
    said = one.override
    if one.updated_at not in graded and (said is None or one.updated_at != said.at):
        return one.updated_at
    done = one.completion
    own = [each.at for each in (one.first, one.latest) if each is not None]
    own += [done.at] if done is not None and (said is None or done.event_id != said.event_id) else []
    return max([*own, *graded.values()], default=-1)


def _summary(name: str, known: _Known, updated_at: int) -> CourseSummary:
    version, course = known.courses[name]
    number = max((key.run for key in known.figures.runs if key.course == name), default=FIRST_RUN)
    run = run_of(course, number, known.figures.steps, known.figures.grants)
    return CourseSummary(
        course=name,
        title=course.title,
        version=version,
        enrolled=known.figures.enrollments.get(name, _NOT_ENROLLED).enrolled,
        status=run.status,
        percent=run.percent,
        steps_completed=run.steps_completed,
        steps_total=len(course.steps),
        updated_at=format_time(updated_at) if updated_at >= 0 else None,
    )
