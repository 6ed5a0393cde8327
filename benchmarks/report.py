"""A creator's report and roster: 10, 10,000 and 100,000 enrolled learners and 60 steps, beside the usual queries.

`usual` is what such reports are made of elsewhere: a query for each learner, and some for each module and step.
"""

import argparse
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from statistics import median
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from benchmarks.command import Found, on_each, options_of_databases, tell
from benchmarks.databases import Databases
from benchmarks.figures import Figure
from benchmarks.population import copy
from headway.domain.course import Course
from headway.domain.events import enrollment_event, parse_event
from headway.domain.times import DAY, MINUTE, format_time
from headway.http.reply import encode
from headway.ledger.bulk import add_learners, record_all
from headway.ledger.publish import publish
from headway.ledger.submission import Submission
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.migrate import migrate
from headway.store.roster_page import RosterQuery, page
from headway.store.schema import course_run, enrollment, granted, learner, roster, step_sum
from headway.views.report import InForce, read_report
from headway.views.roster import read_roster

SIZES: Final = (10, 10_000, 100_000)
REPORT_MS: Final = 50.0
PAGE_MS: Final = 50.0
TIMES_USUAL: Final = 100.0
USUAL_AT: Final = 10_000
MODULES: Final = 10
STEPS_A_MODULE: Final = 6
TEMPLATES: Final = 100
ROUNDS: Final = 15
# No ledger: neither reads it.
_COPIED: Final = (learner, step_sum, enrollment, course_run, granted, roster)
_SORTS: Final = ("name", "progress", "score", "last_active", "status")


def manifest() -> dict[str, Any]:
    """A course of modules that are all open."""
    modules = [
        {"id": f"m{m}", "title": f"Module {m}", "requires": [], "steps": [_step(m, n) for n in range(STEPS_A_MODULE)]}
        for m in range(MODULES)
    ]
    return {"id": "big", "title": "A big course", "modules": modules}


def _step(module: int, number: int) -> dict[str, Any]:
    kinds = ("lesson", "quiz", "exercise")
    return {"id": f"s{module}-{number}", "kind": kinds[number % 3], "title": f"Step {module}.{number}"}


def fill(database: Database, enrolled: int, now: int) -> None:
    """So many enrolled learners: some learn, the others are copies of them, with names and times of their own."""
    migrate(database)
    publish(database, manifest(), now=now)
    templates = min(TEMPLATES, enrolled)
    ids = [str(uuid.uuid4()) for _ in range(templates)]
    rows = [{"id": one, "kind": "account", "time_zone": "UTC", "created_at": now, "display_name": one} for one in ids]
    add_learners(database, rows)
    for answer in record_all(database, Catalog(), [Submission(one, tuple(_walk(now)), now) for one in ids]):
        assert not isinstance(answer, Exception), answer
    times, left = divmod(enrolled, templates)
    assert not left, "sizes are multiples of the templates"
    with database.transaction() as connection:
        copy(connection, _COPIED, ids, times, {"big"}, _copied)
        _analyze(connection)


def _walk(now: int) -> Iterable[Any]:
    """A learner's way: enrolled, and some share of the steps with one to three attempts each."""
    began = now - random.randrange(120) * DAY
    yield enrollment_event(str(uuid.uuid4()), "enrolled", "big", format_time(began))
    steps = [step["id"] for module in manifest()["modules"] for step in module["steps"]]
    for n, step in enumerate(steps[: random.randrange(len(steps) + 1)]):
        for _ in range(random.choice((1, 1, 2, 3))):
            sent = {"id": str(uuid.uuid4()), "type": "attempted", "course": "big", "step": step}
            at = min(began + n * random.randrange(1, 3) * DAY, now - MINUTE)
            sent |= {"occurred_at": format_time(at), "score": random.randrange(101) / 100}
            yield parse_event({**sent, "duration_s": random.randrange(20, 1_500)})


def _copied(one: sa.Table, name: str) -> str:
    """A column of a copy: names and last activities are all different, as they are of people."""
    if name in ("display_name", "name"):
        return "'learner ' || substr(CAST(p.dst AS text), 1, 13)"
    if one is roster and name == "active_at":
        return "CASE WHEN t.active_at = 0 THEN 0 ELSE t.active_at - p.ago END"
    return f"t.{name}"


def _analyze(connection: Connection) -> None:
    connection.exec_driver_sql("ANALYZE")


def usual(connection: Connection, course: Course) -> int:
    """The usual report: queries for each learner, each module and each step; how many they were."""
    asked = 0

    def ask(statement: str, **parameters: Any) -> Any:
        nonlocal asked
        asked += 1
        return connection.execute(sa.text(statement), parameters).all()

    mine = "FROM step_sum s WHERE s.course_id = 'big'"
    theirs = f"{mine} AND s.learner_id IN (SELECT learner_id FROM enrollment WHERE course_id = 'big' AND enrolled)"
    for (learner_id,) in ask("SELECT learner_id FROM enrollment WHERE course_id = 'big' AND enrolled"):
        ask(
            f"SELECT count(*), max(s.updated_at) {mine} AND s.learner_id = :one AND completed_at IS NOT NULL",
            one=learner_id,
        )
    for module in course.modules:
        steps = ", ".join(f"'{one.key}'" for one in module.steps)
        ask(f"SELECT count(DISTINCT s.learner_id) {theirs} AND s.step_id IN ({steps})")
        completed = f"{theirs} AND s.step_id IN ({steps}) AND completed_at IS NOT NULL"
        ask(
            f"SELECT count(*) FROM (SELECT s.learner_id {completed}"
            f" GROUP BY s.learner_id HAVING count(*) = {len(module.steps)}) f"
        )
    for step in course.steps:
        figures = "count(*), sum(attempts), sum(passed_attempts), count(completed_at), avg(best_score)"
        ask(f"SELECT {figures} {theirs} AND s.step_id = :step", step=step.key)
    return asked


def timed(database: Database, work: Callable[[Connection], Any], rounds: int = ROUNDS) -> float:
    """The middle time of some rounds in milliseconds, each in a snapshot of its own."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        with database.read() as connection:
            work(connection)
        found.append((time.perf_counter() - began) * 1000)
    return median(found)


def measure(database: Database, enrolled: int, now: int) -> Iterable[Figure]:
    """The figures of one size."""
    catalog = Catalog()
    with database.read() as connection:
        in_force = InForce(*catalog.in_force(connection, ["big"])["big"])
    report_ms = timed(database, lambda connection: encode(read_report(connection, in_force, now)))
    yield Figure(f"report of {enrolled:,}", report_ms, "under", REPORT_MS, ".1f", " ms")
    worst = max(timed(database, work, 5) for work in _pages(database, in_force, enrolled, now))
    yield Figure(f"page of {enrolled:,}, the slowest", worst, "under", PAGE_MS, ".1f", " ms")
    if enrolled == USUAL_AT:
        slow_ms = timed(database, lambda connection: usual(connection, in_force.course), 1)
        yield Figure(f"usual queries of {enrolled:,}", slow_ms, "under", None, ",.0f", " ms")
        yield Figure("usual / report", slow_ms / report_ms, "at least", TIMES_USUAL, ",.0f")


def _pages(database: Database, in_force: InForce, enrolled: int, now: int) -> Iterable[Callable[[Connection], Any]]:
    """Pages in every order, either way round, from the beginning and from the middle; and of one status."""
    for sort in _SORTS:
        for descending in (False, True):
            for statuses in (RosterQuery().statuses, ("completed",)):
                wanted = RosterQuery(sort, descending, statuses)
                with database.read() as connection:
                    found = page(connection, "big", wanted, max(enrolled // 2, 1))
                for behind in (None, found[-1].place(wanted.sort) if found else None):
                    yield partial(_page, in_force, wanted._replace(behind=behind), now)


def _page(in_force: InForce, asked: RosterQuery, now: int, connection: Connection) -> bytes:
    return encode(read_roster(connection, in_force, asked, 50, now))


def main() -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    parser = options_of_databases("report", __doc__)
    parser.add_argument("--learners", nargs="+", type=int, default=list(SIZES), help="enrolled, of each course")
    given = parser.parse_args()
    return tell(given, (one for enrolled in given.learners for one in _of_size(given, enrolled)))


def _of_size(given: argparse.Namespace, enrolled: int) -> Iterator[Found]:
    for kind, found in on_each(given, partial(figures, enrolled=enrolled)):
        yield f"{kind}, {enrolled:,} learners", found


def figures(kind: str, databases: Databases, enrolled: int) -> Iterable[Figure]:
    """Measure a course of so many learners on a new database of a kind."""
    database, now = Database(databases.create(kind, "report")), time.time_ns() // 1000
    fill(database, enrolled, now)
    yield from measure(database, enrolled, now)
    database.close()


if __name__ == "__main__":
    sys.exit(main())
