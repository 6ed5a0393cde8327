"""The front page: whatever courses and learners are called, it shows it as text; it asks the database little."""

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from html.parser import HTMLParser

import pytest
import sqlalchemy
from sqlalchemy.engine import Connection

from headway.demo.content import course_manifest
from headway.demo.stage import prove
from headway.domain.times import DAY, local_day
from headway.http.front_page import POLICY, page
from headway.ledger.publish import publish
from headway.store.activity import CourseCounts, Day, Totals
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.views.front import CHART_DAYS, COURSES_MAX, CourseShown, Front, Overview, StreakShown, front
from tests.demo.conftest import LEARNERS, NOW, Demo

HOSTILE = "<script>alert(1)</script>\"><img src=x onerror='alert(2)'>&lt;"
VOID = {"meta", "link", "path", "rect"}
FULL = Front(
    [CourseShown("a-course", HOSTILE, HOSTILE, 1, 2, 3, CourseCounts(4, 5))],
    False,
    Overview(Totals(1, 2, 3, 4), [Day("2026-01-01", 0, 0), Day("2026-01-02", 7, 9)], [StreakShown(HOSTILE, 3, True)]),
)
EMPTY = Front([], False, None)


class Reader(HTMLParser):
    """Holds a page to be well formed, and gathers what is in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Gather the statements that are read with."""
    statements: list[str] = []

    def count(_c: object, _r: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sqlalchemy.event.listen(database.readers, "before_cursor_execute", count)
    try:
        yield statements
    finally:
        sqlalchemy.event.remove(database.readers, "before_cursor_execute", count)


def read(connection: Connection, *, named: bool = True, now: int = NOW) -> Front:
    return front(connection, Catalog(), now=now, named=named)


@pytest.mark.parametrize("shown", [FULL, EMPTY], ids=["full", "empty"])
def test_the_page_runs_no_script_and_loads_nothing(shown: Front) -> None:
    seen = Reader(page(shown, HOSTILE))
    assert not seen.tags & {"script", "img", "iframe", "object", "form", "base"}
    assert not [one for one in seen.attributes if one[1].startswith("on") or one[1] in ("style", "src")]
    for tag, name, value in seen.attributes:
        if name == "href":
            assert value.startswith("data:image/svg+xml," if tag == "link" else "/")


def test_what_people_wrote_is_shown_as_they_wrote_it() -> None:
    text = Reader(page(FULL, HOSTILE)).text
    assert text.count(HOSTILE) == 4  # title, description, name, database


def test_the_policy_lets_through_the_one_style_of_the_page() -> None:
    html = page(FULL, "SQLite")
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in POLICY
    assert POLICY.startswith("default-src 'none'")
    assert "unsafe" not in POLICY


def test_without_courses_the_page_says_how_to_publish_one() -> None:
    assert "headway course publish FILE" in page(EMPTY, "SQLite")


def test_learners_are_named_in_a_demo_alone(small_demo: Demo) -> None:
    with small_demo.database.read() as connection:
        plain, demo = read(connection, named=False), read(connection)
    assert plain.overview is None
    assert demo.overview is not None
    assert demo.overview.streaks
    names = [one.display_name for one in demo.overview.streaks]
    assert all(name in page(demo, "SQLite") for name in names)
    assert not any(name in page(plain, "SQLite") for name in names)


def test_figures_are_those_of_the_demo(small_demo: Demo) -> None:
    with small_demo.database.read() as connection:
        shown = read(connection)
    assert shown.overview is not None
    (course,) = shown.courses
    totals = shown.overview.totals
    assert totals.learners == prove(small_demo.database).learners == small_demo.staged.learners + 1
    assert totals.events == prove(small_demo.database).events > small_demo.staged.recorded
    assert course.going_on is not None
    assert course.going_on.steps_completed == totals.steps_completed > 500
    assert 0 < course.going_on.active < course.enrolled < LEARNERS
    assert 0 < totals.seen < totals.learners
    assert len(shown.overview.chart) == CHART_DAYS
    assert shown.overview.chart[-1].day == local_day(NOW, "UTC")
    days = [one.days for one in shown.overview.streaks]
    assert days == sorted(days, reverse=True)


def test_a_real_server_adds_up_nothing_for_the_page_but_enrollments(small_demo: Demo) -> None:
    with counted(small_demo.database) as statements, small_demo.database.read() as connection:
        (course,) = read(connection, named=False).courses
    assert not [one for one in statements if "_sum" in one or "ledger" in one]
    with small_demo.database.read() as connection:
        (demo,) = read(connection).courses
    assert (course.enrolled, course.going_on) == (demo.enrolled, None)
    text = page(Front([course], False, None), "SQLite")
    assert "enrolled" in text
    assert "steps completed" not in text


def test_streaks_end_when_nobody_comes(small_demo: Demo) -> None:
    with small_demo.database.read() as connection:
        later = read(connection, now=NOW + 5 * DAY)  # a day to be missed, and two that freezes keep
    assert later.overview is not None
    assert later.overview.streaks == []
    assert later.overview.totals.seen == 0
    assert "Nobody is on a streak" in page(later, "SQLite")


def test_the_number_of_statements_does_not_grow(small_demo: Demo) -> None:
    numbers = []
    for extra in (0, 5):
        for number in range(extra):
            publish(small_demo.database, course_manifest() | {"id": f"course-{number}"}, now=NOW)
        with counted(small_demo.database) as statements, small_demo.database.read() as connection:
            read(connection)
        numbers.append(len([one for one in statements if one.startswith("SELECT")]))
    assert numbers[0] == numbers[1] <= 9


def test_many_courses_are_cut_off_and_the_page_says_so(database: Database) -> None:
    small = {
        "title": "T",
        "modules": [{"id": "m", "title": "M", "steps": [{"id": "s", "kind": "lesson", "title": "S"}]}],
    }
    for number in range(COURSES_MAX + 1):
        publish(database, small | {"id": f"course-{number:03}"}, now=NOW)
    with database.read() as connection:
        shown = read(connection, named=False)
    assert len(shown.courses) == COURSES_MAX
    assert shown.more
    assert "There are more" in page(shown, "SQLite")
