"""A learner's public page: what they chose to show, and nothing else."""

import re
from typing import Final, NamedTuple

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.levels import LEVELS, skills, with_held
from headway.domain.streaks import STANDARD, StreakRules, streak
from headway.domain.times import format_time, local_day
from headway.store import learners, sharing
from headway.store.catalog import Catalog
from headway.store.sharing import Shared
from headway.views.achievements import read_earned
from headway.views.overview import Glance, look
from headway.views.skills import all_done

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)


class SharedStreak(Struct):
    """The current and the longest streak, in days."""

    current: int
    longest: int


class SharedLevel(Struct):
    """A topic, and the level reached in it."""

    topic: str
    level: str


class SharedCourse(Struct):
    """A course, and how much of it is completed."""

    course: str
    title: str
    status: str
    percent: float


class SharedAchievement(Struct):
    """An achievement that was earned; `category` and `tier` say which badge it is."""

    title: str
    category: str
    tier: str
    earned_at: str


class SharedProgress(Struct):
    """What a learner shares of their progress; parts that they do not share are null."""

    name: str | None
    streak: SharedStreak | None
    points: int | None
    levels: list[SharedLevel] | None
    courses: list[SharedCourse] | None
    achievements: list[SharedAchievement] | None


class Sharing(NamedTuple):
    """A public page, and what it shows."""

    page: Shared
    progress: SharedProgress


def read_sharing(
    connection: Connection, catalog: Catalog, token: str, now: int, rules: StreakRules = STANDARD
) -> Sharing | None:
    """Return what is shared under a token; None if nothing is."""
    page = sharing.of_token(connection, token) if _TOKEN.fullmatch(token) else None
    row = learners.by_id(connection, page.learner_id) if page is not None else None
    if page is None or row is None or row["erased_at"] is not None or row["merged_into"] is not None:
        return None
    glance = look(connection, catalog, page.learner_id)
    today = local_day(now, row["time_zone"])
    shows = page.shows
    progress = SharedProgress(
        name=row["display_name"] if "name" in shows else None,
        streak=_streak(glance, today, rules) if "streak" in shows else None,
        points=glance.points if "points" in shows else None,
        levels=_levels(connection, catalog, glance) if "levels" in shows else None,
        courses=_courses(glance) if "courses" in shows else None,
        achievements=_achievements(connection, page.learner_id) if "achievements" in shows else None,
    )
    return Sharing(page, progress)


def _streak(glance: Glance, today: str, rules: StreakRules) -> SharedStreak:
    found = streak(glance.known.streak, today, rules)
    return SharedStreak(found.current, found.longest)


def _levels(connection: Connection, catalog: Catalog, glance: Glance) -> list[SharedLevel]:
    """Return the levels above the lowest, by topic."""
    done = all_done(connection, catalog, glance.known.courses.steps, glance.courses)
    found = with_held(skills(one.exercise for one in done), glance.known.topics.levels)
    return [SharedLevel(topic, one.level.name) for topic, one in sorted(found.items()) if one.level != LEVELS[0]]


def _courses(glance: Glance) -> list[SharedCourse]:
    return [SharedCourse(one.course, one.title, one.status, one.percent) for one in glance.summaries()]


def _achievements(connection: Connection, learner_id: str) -> list[SharedAchievement]:
    """Return the earned achievements, the latest first."""
    return [
        SharedAchievement(of.title, of.category, of.tier, format_time(one.at))
        for one, of in read_earned(connection, learner_id)
    ]
