"""Everything about a learner at a glance."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.course import Course
from headway.domain.exercises import Worked
from headway.domain.scores import mean_percent
from headway.domain.streaks import STANDARD, StreakRules, streak
from headway.domain.times import format_time, local_day
from headway.store import achievements, worked
from headway.store.catalog import Catalog
from headway.store.figures import NO_DAYS
from headway.store.worked import Known
from headway.views.course_progress import run_worked
from headway.views.skills import SkillLevel, skill_levels
from headway.views.streak import StreakSummary, summary
from headway.views.subject import Subject

_NEVER: Final[Mapping[int, int]] = MappingProxyType({})


class AchievementCount(Struct):
    """How many achievements are unlocked, and how many there are, with hidden ones."""

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
    """All of a learner's figures; `average_percent` is the average of the best score of each exercise that has one."""

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


def read_overview(
    connection: Connection, catalog: Catalog, subject: Subject, now: int, rules: StreakRules = STANDARD
) -> Overview:
    """Return a learner's overview as of now."""
    if subject.learner_id is None:
        return _empty(achievements.count_of_nobody(connection).total, now, subject, rules)
    glance = look(connection, catalog, subject.learner_id)
    known = glance.known
    total = known.total
    return Overview(
        exercises_completed=total.exercises_completed,
        steps_completed=total.steps_completed,
        attempts=total.attempts,
        average_percent=_average_percent(glance),
        duration_s=total.duration_ms / 1000,
        hints=total.hints,
        points=glance.points,
        streak=summary(streak(known.streak, local_day(now, subject.time_zone), rules)),
        achievements=AchievementCount(known.achievements.unlocked, known.achievements.total),
        skill_levels=skill_levels(connection, catalog, known.courses.steps, known.topics, glance.courses),
        courses=glance.summaries(),
    )


def _empty(total: int, now: int, subject: Subject, rules: StreakRules) -> Overview:
    found = summary(streak(NO_DAYS, local_day(now, subject.time_zone), rules))
    return Overview(0, 0, 0, None, 0.0, 0, 0, found, AchievementCount(0, total), [], [])


class Glance(NamedTuple):
    """What the database holds of a learner, and the learner's courses in force."""

    known: Known
    courses: Mapping[str, tuple[int, Course]]

    @property
    def points(self) -> int:
        """The points of steps and of achievements."""
        return self.known.total.points + self.known.achievements.points

    def summaries(self) -> list[CourseSummary]:
        """Return the courses, those active last first; those without activity come last, by id."""
        touched = dict.fromkeys(self.courses, -1)
        for one in self.known.courses.steps:
            if one.course in touched:
                at = _active_at(one, self.known.graded)
                touched[one.course] = max(touched[one.course], at)
        order = sorted(self.courses, key=lambda name: (-touched[name], name))
        return [self._summary(name, touched[name]) for name in order]

    def _summary(self, name: str, updated_at: int) -> CourseSummary:
        version, course = self.courses[name]
        run = run_worked(course, self.known.courses)
        return CourseSummary(
            course=name,
            title=course.title,
            version=version,
            enrolled=name in self.known.enrolled,
            status=run.status,
            percent=run.percent,
            steps_completed=run.steps_completed,
            steps_total=len(course.steps),
            updated_at=format_time(updated_at) if updated_at >= 0 else None,
        )


def look(connection: Connection, catalog: Catalog, learner_id: str) -> Glance:
    """Read what the overview needs: two statements, if the courses are cached."""
    known = worked.overview(connection, learner_id)
    return Glance(known, catalog.in_force(connection, known.courses.runs.keys() | known.enrolled))


def _average_percent(glance: Glance) -> float | None:
    """Return the average of the best scores, in any run, of each exercise that its course has now."""
    best: dict[tuple[str, str], int] = {}
    for one in glance.known.courses.steps:
        found = glance.courses.get(one.course)
        step = found[1].step(one.step) if found else None
        if step is not None and step.is_exercise:
            reached = one.best if one.override is None else one.sum.best_said
            if reached is not None:
                best[one.course, one.step] = max(reached, best.get((one.course, one.step), 0))
    return mean_percent(sum(best.values()), len(best))


def _active_at(one: Worked, graded: Mapping[tuple[str, int, str], Mapping[int, int]]) -> int:
    """Return when the learner last did something on a step; what people said of it does not count."""
    # Most steps have neither grades nor overrides.
    said, given = one.override, graded.get(one[:3], _NEVER) if graded else _NEVER
    if one.updated_at not in given and (said is None or one.updated_at != said.at):
        return one.updated_at
    whole = one.sum
    done = whole.completion
    own = [each.at for each in (whole.first, whole.latest) if each is not None]
    own += [done.at] if done is not None and (said is None or done.event_id != said.event_id) else []
    return max([*own, *given.values()], default=-1)
