"""A reply costs a fixed number of statements, however large the course and however long the history."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy.engine import Connection

from headway.store import sharing
from headway.store.catalog import Catalog
from headway.store.roster_page import RosterQuery
from headway.store.sharing import Shared
from headway.views.achievements import read_standings
from headway.views.asked_range import AskedRange
from headway.views.course_progress import read_course, read_module
from headway.views.events import About, read_events
from headway.views.history import read_history
from headway.views.leaderboards import BoardQuery, read_leaderboard
from headway.views.notices import NoticePage, read_notices
from headway.views.overview import read_overview
from headway.views.peers import read_peers
from headway.views.predictions import read_predictions
from headway.views.report import InForce, Report, read_report
from headway.views.reviews import read_reviews
from headway.views.roster import LearnerReport, Page, read_learner, read_roster
from headway.views.runs import read_runs
from headway.views.sessions import read_sessions
from headway.views.sharing import read_sharing
from headway.views.skills import read_skills
from headway.views.statistics import read_statistics
from headway.views.streak import read_streak
from headway.views.subject import Asking, Subject, another
from tests.views.learning import NOW, Learning, enrolled, event, long_course

View = Callable[..., object]
TOKEN = "a-token-of-24-characters"


def views(who: Subject) -> dict[str, Callable[[Catalog], tuple[Any, ...]]]:
    """Every view, with what it asks for, given a catalog."""
    return {
        "overview": lambda catalog: (read_overview, catalog, who, NOW),
        "course": lambda catalog: (read_course, catalog, who, "python"),
        "module": lambda catalog: (read_module, catalog, who, "python", "m0"),
        "runs": lambda catalog: (read_runs, catalog, who, "python"),
        "streak": lambda _: (read_streak, who, NOW),
        "history": lambda _: (read_history, who, NOW, AskedRange(days=3_660)),
        "day": lambda catalog: (read_statistics, catalog, who, NOW, "day"),
        "month": lambda catalog: (read_statistics, catalog, who, NOW, "month"),
        "all": lambda catalog: (read_statistics, catalog, who, NOW, "all"),
        "skills": lambda catalog: (read_skills, catalog, who),
        "sessions": lambda _: (read_sessions, who, NOW, AskedRange(days=366)),
        "achievements": lambda _: (read_standings, who),
        "reviews": lambda catalog: (read_reviews, catalog, who, NOW),
        "predictions": lambda catalog: (read_predictions, catalog, who, NOW),
        "peers": lambda _: (read_peers, who, NOW, "all", "python"),
        "board": lambda _: (read_leaderboard, BoardQuery("all", None, False, None, 50), who.learner_id, NOW),
        "around": lambda _: (read_leaderboard, BoardQuery("all", "python", True, None, 50), who.learner_id, NOW),
        "notices": lambda catalog: (read_notices_of, catalog, who.learner_id),
        "shared": lambda catalog: (read_sharing, catalog, TOKEN, NOW),
        "events": lambda catalog: (read_events, catalog, who, None, 200),
        "of a course": lambda catalog: (read_events, catalog, who, None, 200, About("python")),
        "of a step": lambda catalog: (read_events, catalog, who, None, 200, About("python", "s0")),
        "report": lambda catalog: (read_report_of, catalog, "python"),
        "roster": lambda catalog: (read_roster_of, catalog, "python"),
        "one of it": lambda catalog: (read_learner_of, catalog, "python", who.learner_id),
        "another": lambda _: (another, Asking(who.learner_id, frozenset()), who.learner_id, "python"),
    }


def _course(connection: Connection, catalog: Catalog, course_id: str) -> InForce:
    return InForce(*catalog.in_force(connection, [course_id])[course_id])


def read_notices_of(connection: Connection, catalog: Catalog, learner_id: str) -> NoticePage:
    return read_notices(connection, catalog, learner_id, None, 200, unread_only=False)


def read_report_of(connection: Connection, catalog: Catalog, course_id: str) -> Report:
    return read_report(connection, _course(connection, catalog, course_id), NOW)


def read_roster_of(connection: Connection, catalog: Catalog, course_id: str) -> Page:
    return read_roster(connection, _course(connection, catalog, course_id), RosterQuery(), 200, NOW)


def read_learner_of(connection: Connection, catalog: Catalog, course_id: str, reference: str) -> LearnerReport:
    return read_learner(connection, catalog, _course(connection, catalog, course_id), reference, NOW)


# With the courses parsed already, and in a process that has not seen them yet.
KNOWN = {"overview": 2, "course": 2, "module": 2, "runs": 2, "streak": 1, "history": 1, "another": 1}
KNOWN |= {"events": 3, "of a course": 5, "of a step": 5}
KNOWN |= {"day": 2, "month": 2, "all": 2, "sessions": 2, "reviews": 2, "skills": 2, "achievements": 2}
# One of the last three is for the version in force.
KNOWN |= {"report": 3, "roster": 3, "one of it": 7}
KNOWN |= {"predictions": 3, "peers": 2, "board": 3, "around": 4, "shared": 6}
UNSEEN = (
    KNOWN
    | {"predictions": 4}
    | {
        "overview": 3,
        "course": 3,
        "module": 3,
        "runs": 3,
        "events": 4,
        "of a course": 6,
        "of a step": 6,
        "day": 3,
        "month": 3,
        "skills": 3,
        "reviews": 3,
    }
)
UNSEEN |= {"report": 4, "roster": 4, "one of it": 8, "shared": 7}

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "progress.md"
# What the page calls otherwise, and what other pages are about.
ON_PAGE = {"day": "statistics", "month": "statistics", "all": "statistics", "sessions": "practice sessions"}
ON_PAGE |= {"skills": "skill levels", "achievements": "achievements and badges"}
ON_PAGE |= {"of a course": "events of a course", "of a step": "events of a step"}
OFF_PAGE = {"board", "around", "shared", "report", "roster", "one of it", "another"}


def learn(learning: Learning, steps: int, events: int) -> Subject:
    """A learner with that many events, over two courses and as many steps and days as that makes."""
    who = learning.learner(f"after {events}")
    days = [date(2026, 3, 10) - timedelta(n % 900) for n in range(events)]
    done = [
        event(
            "attempted", f"s{n // 2 % steps}", f"{day}T10:00:00Z", course=("python", "java")[n % 2], score=100 - n % 100
        )
        for n, day in enumerate(days)
    ]
    learning.record(who, enrolled(), *done)
    # Others on the boards, each at a place of their own.
    for n in range(1, 4):
        learning.record(learning.learner(f"other {n}"), *(event("completed", f"s{i}", score=100) for i in range(n)))
    with learning.database.transaction() as connection:
        shows = ("name", "streak", "points", "levels", "courses", "achievements")
        sharing.put(connection, Shared(who.learner_id or "", TOKEN, shows, NOW))
    return who


@pytest.mark.parametrize("steps", [5, 500])
@pytest.mark.parametrize("events", [1, 2_000])
def test_the_number_of_statements_is_fixed(learning: Learning, steps: int, events: int) -> None:
    learning.publish(long_course(steps))
    learning.publish(long_course(steps, "java"))
    asked = views(learn(learning, steps, events))
    known = {name: len(learning.statements(*view(learning.catalog))) for name, view in asked.items()}
    unseen = {name: len(learning.statements(*view(Catalog()))) for name, view in asked.items()}
    # What courses call what notices are about is asked for where there are any.
    assert known.pop("notices") in (3, 4)
    assert unseen.pop("notices") in (3, 5)
    assert (known, unseen) == (KNOWN, UNSEEN)


def test_the_count_sees_every_statement(learning: Learning) -> None:
    def lengthy(connection: Connection) -> None:
        for _ in range(7):
            connection.exec_driver_sql("SELECT 1")

    assert learning.statements(lengthy) == ["SELECT 1"] * 7


def test_the_page_says_how_many_statements_a_read_costs() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("**Cost.**")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| (\d+) \| (.+) \|$", table, re.MULTILINE)
    told = {(name, int(count)) for count, names in lines for name in names.split(", ")}
    assert told == {(ON_PAGE.get(name, name), count) for name, count in KNOWN.items() if name not in OFF_PAGE}
