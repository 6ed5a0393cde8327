"""What a learner's public page shows: what they chose of it, and nothing else."""

import re
from typing import Final, NamedTuple

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.streaks import STANDARD, StreakRules
from headway.domain.times import format_time
from headway.store import learners, sharing
from headway.store.catalog import Catalog
from headway.store.sharing import Shared
from headway.views.achievements import read_earned
from headway.views.overview import Overview, read_overview
from headway.views.subject import Subject

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)


class SharedStreak(Struct):
    """Days in a row: now, and at most."""

    current: int
    longest: int


class SharedLevel(Struct):
    """A topic, and the level that was reached in it."""

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
    """What a learner shares of their progress; what they do not share is null."""

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
    """What is shared under a token; None where nothing is, or is any more."""
    page = sharing.of_token(connection, token) if _TOKEN.fullmatch(token) else None
    row = learners.by_id(connection, page.learner_id) if page is not None else None
    if page is None or row is None or row["erased_at"] is not None or row["merged_into"] is not None:
        return None
    subject = Subject(page.learner_id, row["time_zone"])
    found = read_overview(connection, catalog, subject, now, rules)
    return Sharing(page, _progress(connection, page, row["display_name"], found))


def _progress(connection: Connection, page: Shared, name: str | None, found: Overview) -> SharedProgress:
    shows = page.shows
    levels = [SharedLevel(one.topic, one.level) for one in found.skill_levels if one.level != "beginner"]
    courses = [SharedCourse(one.course, one.title, one.status, one.percent) for one in found.courses]
    return SharedProgress(
        name=name if "name" in shows else None,
        streak=SharedStreak(found.streak.current, found.streak.longest) if "streak" in shows else None,
        points=found.points if "points" in shows else None,
        levels=levels if "levels" in shows else None,
        courses=courses if "courses" in shows else None,
        achievements=_achievements(connection, page.learner_id) if "achievements" in shows else None,
    )


def _achievements(connection: Connection, learner_id: str) -> list[SharedAchievement]:
    """Those that were earned, the latest first."""
    return [
        SharedAchievement(of.title, of.category, of.tier, format_time(one.at))
        for one, of in read_earned(connection, learner_id)
    ]
