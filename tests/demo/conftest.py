"""The demo's course, a moment to simulate at, and a small demo in a database."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from headway.demo.content import Answers, answers, course_manifest
from headway.demo.stage import Staged, stage
from headway.domain.course import Course
from headway.domain.manifest import parse_manifest
from headway.domain.times import parse_time
from headway.graders.registry import check_grader
from headway.store.database import Database
from headway.store.migrate import migrate
from tests.conftest import Templates

# A Wednesday, after clocks were turned back in Europe and forth in Australia within the demo's 120 days.
NOW = parse_time("2026-11-18T17:30:00Z")[0]
LEARNERS = 60


class Demo(NamedTuple):
    """A database with a small demo in it."""

    database: Database
    staged: Staged


@pytest.fixture(scope="session")
def demo_answers() -> Answers:
    """What the course's learners may answer."""
    return answers()


@pytest.fixture(scope="session")
def course() -> Course:
    """The demo's course."""
    return parse_manifest(course_manifest(), check_grader=check_grader)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database, once of each kind."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def small_demo(request: pytest.FixtureRequest, templates: Templates, tmp_path: Path) -> Iterator[Demo]:
    """A small demo, staged at the moment, on each kind of database."""
    with templates.copy(request.param, staged, tmp_path) as (url, told):
        database = Database(url)
        yield Demo(database, told)
        database.close()


def staged(url: str) -> Staged:
    """Stage a small demo in a new database."""
    database = Database(url)
    migrate(database)
    told = stage(database, now=NOW, password_hashes={}, count=LEARNERS)
    database.close()
    return told
