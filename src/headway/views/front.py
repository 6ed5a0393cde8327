"""What the front page tells: the courses, and of a demo what goes on in it. A fixed number of statements."""

from datetime import date, timedelta
from typing import Final

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.streaks import STANDARD, StreakRules, streak
from headway.domain.times import DAY, days_between, local_day
from headway.store import activity, courses, sums
from headway.store.catalog import Catalog

COURSES_MAX: Final = 50
STREAKS_MAX: Final = 8
ACTIVE_DAYS: Final = 30
CHART_DAYS: Final = 90


class CourseShown(Struct, frozen=True):
    """A published course. Of a demo, `going_on` counts who did something in the last 30 days, and steps completed."""

    id: str
    title: str
    description: str
    modules: int
    steps: int
    enrolled: int
    going_on: activity.CourseCounts | None


class StreakShown(Struct, frozen=True):
    """Somebody's current streak, in days."""

    display_name: str
    days: int
    active_today: bool


class Overview(Struct, frozen=True):
    """What goes on in a demo: `totals.seen` in the last 24 hours, `chart` on each of the last 90 days in UTC."""

    totals: activity.Totals
    chart: list[activity.Day]
    streaks: list[StreakShown]


class Front(Struct, frozen=True):
    """All that the front page shows; `more` is the number of courses beyond the first 50."""

    courses: list[CourseShown]
    more: bool
    overview: Overview | None


def front(connection: Connection, catalog: Catalog, *, now: int, named: bool, rules: StreakRules = STANDARD) -> Front:
    """The front page's figures; with `named` those of a demo too, where learners may be shown by name."""
    rows = courses.page(connection, "", COURSES_MAX + 1)
    ids = [row["id"] for row in rows[:COURSES_MAX]]
    today = local_day(now, "UTC")
    # Adding up what everybody did reads whole tables: no page that anybody may ask for does that to a real database.
    counts = activity.course_counts(connection, _before(today, ACTIVE_DAYS - 1)) if named else None
    shown = _courses(connection, catalog, ids, counts) if ids else []
    return Front(shown, len(rows) > COURSES_MAX, _overview(connection, now, rules) if named else None)


def _courses(
    connection: Connection, catalog: Catalog, ids: list[str], counts: dict[str, activity.CourseCounts] | None
) -> list[CourseShown]:
    in_force = catalog.in_force(connection, ids)
    enrolled = activity.enrolled(connection, ids)
    found = []
    for one in ids:
        _, course = in_force[one]
        sizes = len(course.modules), len(course.steps)
        going_on = None if counts is None else counts.get(one, activity.CourseCounts(0, 0))
        found.append(CourseShown(one, course.title, course.description or "", *sizes, enrolled.get(one, 0), going_on))
    return found


def _overview(connection: Connection, now: int, rules: StreakRules) -> Overview:
    today = local_day(now, "UTC")
    first = _before(today, CHART_DAYS - 1)
    by_day = {one.day: one for one in activity.days(connection, first)}
    chart = [by_day.get(day, activity.Day(day, 0, 0)) for day in days_between(first, today)]
    return Overview(activity.totals(connection, now - DAY), chart, _streaks(connection, now, rules))


def _streaks(connection: Connection, now: int, rules: StreakRules) -> list[StreakShown]:
    """The longest of the current streaks; of two alike the one whose holder was active today comes first."""
    # Nobody's day is more than a day behind that of UTC, and a streak lives through a day without activity and as many
    # more as there can be freezes. One that a pause has kept for longer is left out.
    named = activity.active_by_name(connection, _before(local_day(now, "UTC"), 2 + rules.freezes_max))
    days = sums.streak_days(connection, [who.id for who in named])
    found = []
    for who in named:
        one = streak(days[who.id], local_day(now, who.time_zone), rules)
        if one.current > 1:
            found.append(StreakShown(who.display_name, one.current, one.active_today))
    found.sort(key=lambda one: (-one.days, not one.active_today, one.display_name))
    return found[:STREAKS_MAX]


def _before(day: str, days: int) -> str:
    return (date.fromisoformat(day) - timedelta(days=days)).isoformat()
