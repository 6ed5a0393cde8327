"""The roster against a slow count of the ledgers: every order, either way round, page by page."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from headway.domain.course import Course
from headway.domain.events import enrollment_event
from headway.domain.times import format_time
from headway.store.roster_page import STATUSES, RosterQuery, Sort
from headway.views.report import InForce
from headway.views.roster import RosterEntry, median_steps, read_learner, read_roster, roster_csv
from headway.views.subject import UnknownLearner
from tests.ledger.slow_report import SlowLearner, learners, percent
from tests.ledger.test_report import History, report_now
from tests.ledger.world import World

RANK = {name: n for n, name in enumerate(STATUSES)}


def status(one: SlowLearner) -> str:
    if one.course_score is not None:
        return "completed"
    return "in_progress" if one.active_at or any(step.touched for step in one.steps.values()) else "open"


def sort_key(world: World, course: Course, sort: Sort) -> Callable[[SlowLearner], tuple[Any, ...]]:
    names = {row["id"]: (row["display_name"] or "").casefold() for row in world.rows_of("learner")}
    keys: dict[str, Callable[[SlowLearner], tuple[Any, ...]]] = {
        "name": lambda one: (names[one.id],),
        "progress": lambda one: (one.percent(course),),
        "score": lambda one: (one.total(course),),
        "last_active": lambda one: (one.active_at or 0,),
        "status": lambda one: (RANK[status(one)], names[one.id]),
    }
    return lambda one: (*keys[sort](one), one.id)


def all_pages(world: World, in_force: InForce, wanted: RosterQuery, now: int, limit: int = 3) -> list[RosterEntry]:
    found = []
    while True:
        with world.database.read() as connection:
            page = read_roster(connection, in_force, wanted, limit, now)
        found += page.items
        if page.next_place is None:
            return found
        assert len(page.items) == limit
        wanted = wanted._replace(behind=page.next_place)


@pytest.mark.parametrize("seed", [11, 12])
def test_every_order_of_the_roster_is_that_of_a_slow_count(world: World, seed: int) -> None:
    history = History(world, seed)
    for _ in range(14):
        history.account()
        history.enroll()
    for _ in range(90):
        history.step_on()
    in_force, _ = report_now(world, history.now)
    people = learners(world, in_force.course)
    assert len(people) > 5
    for sort in ("name", "progress", "score", "last_active", "status"):
        for descending in (False, True):
            for statuses in (STATUSES, ("in_progress",)):
                key = sort_key(world, in_force.course, sort)
                true = sorted((one for one in people if status(one) in statuses), key=key, reverse=descending)
                found = all_pages(world, in_force, RosterQuery(sort, descending, statuses), history.now)
                assert [one.learner for one in found] == [one.id for one in true], (sort, descending)
    _assert_figures(world, in_force, people, history.now)


def _assert_figures(world: World, in_force: InForce, people: list[SlowLearner], now: int) -> None:
    by_id = {one.id: one for one in people}
    for entry in all_pages(world, in_force, RosterQuery(), now):
        true = by_id[entry.learner]
        assert entry.status == status(true)
        assert entry.percent == percent(true.percent(in_force.course))
        assert (entry.last_active_at is None) == (true.active_at is None)
        with world.database.read() as connection:
            page = read_learner(connection, world.catalog, in_force, entry.learner, now)
        assert page.learner == entry
        assert sum(day.attempts for day in page.history) == sum(one["type"] == "attempted" for one in true.entries)


def test_names_are_looked_for_by_how_they_begin(world: World) -> None:
    history = History(world, 1)
    for name in ("Ada", "ADAM", "Bea", "Ada=1", "Ädam", None):
        enrolled(history, name)
    in_force, _ = report_now(world, history.now)
    found = all_pages(world, in_force, RosterQuery(prefix="ada"), history.now)
    assert [one.display_name for one in found] == ["Ada", "Ada=1", "ADAM"]
    assert [one.display_name for one in all_pages(world, in_force, RosterQuery(prefix="ä"), history.now)] == ["Ädam"]


def enrolled(history: History, name: str | None) -> None:
    who = history.world.learner(display_name=name)
    event = enrollment_event(str(uuid4()), "enrolled", "report", format_time(history.now))
    history.world.send(who, event, at=history.now)


def test_the_table_holds_everybody_once_and_no_formula(world: World) -> None:
    history = History(world, 2)
    names = ['=HYPERLINK("http://x")', "+1", "-1", "@a", "\tx", "Ada, B."]
    for name in names:
        enrolled(history, name)
    in_force, _ = report_now(world, history.now)

    def read(view: Callable[[sa.Connection], Any]) -> Any:
        with world.database.read() as connection:
            return view(connection)

    text = b"".join(roster_csv(read, in_force, read(lambda one: median_steps(one, in_force)), history.now)).decode()
    lines = text.removeprefix("\ufeff").splitlines()
    assert len(lines) == 1 + len(names)
    assert lines[0].startswith("learner,display_name,external_id,status,percent")
    cells = {line.split(",", 1)[1][:3] for line in lines[1:]}
    assert cells == {"\"'=", "'+1", "'-1", "'@a", "'\tx", '"Ad'}


def test_who_is_not_enrolled_has_no_page(world: World) -> None:
    history = History(world, 3)
    in_force, _ = report_now(world, history.now)
    for name in (history.accounts[0], "nobody", "oulad:1"):
        with world.database.read() as connection, pytest.raises(UnknownLearner):
            read_learner(connection, world.catalog, in_force, name, history.now)
