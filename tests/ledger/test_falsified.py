"""Whatever is falsified is found by audit and mended by rebuild: every derived column of every table, in turn."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import sqlalchemy as sa

from headway.domain.events import fact_event
from headway.domain.facts import REVOKED
from headway.domain.recording import IMPORTED
from headway.domain.times import format_time
from headway.ledger.audit import audit
from headway.ledger.boards import count_all_in
from headway.ledger.keep_streaks import StreakRecord, keep_streak
from headway.ledger.pausing import PauseWanted, pause
from headway.ledger.rebuild import rebuild
from headway.ledger.submission import Submission
from headway.store.schema import metadata
from tests.ledger.earning import defined, given
from tests.ledger.essays import ESSAYS, essay
from tests.ledger.facts import LATER, begin_anew, grade, override, reset, tell
from tests.ledger.gates import GATES, certificates, gated, through
from tests.ledger.guests import guest_in, move
from tests.ledger.stored_facts import FACTS
from tests.ledger.test_leveling import DRILL
from tests.ledger.world import HOUR, NOON, World, enrollment, event, numbered

DERIVED = [column for table in metadata.sorted_tables for column in table.c if column.info.get("derived")]
NAMES = [f"{column.table.name}.{column.name}" for column in DERIVED]
# What is plausible and not what stands there; a number or a text that is not named here is moved by a little.
OTHERS: dict[str, list[Any]] = {
    "ledger.type": ["completed", "attempted"],
    "ledger.course_id": ["go", "python"],
    "ledger.day": ["2026-02-27", "2026-03-01"],
    "ledger.trust": ["imported", "reported"],
    "ledger.changes": [None, '[{"type":"step_completed"}]'],
    "step_sum.first_event": [numbered(1), numbered(2)],
    "step_sum.latest_event": [numbered(1), numbered(2)],
    "step_sum.completed_by": [numbered(1), numbered(2)],
    "step_sum.completed_on": ["2026-02-27", "2026-03-01"],
    "brought.guest_id": [numbered(1), numbered(21)],
    "enrollment.changed_by": [numbered(1), numbered(21)],
    "granted.event_id": [numbered(1)],
    "achievement.event_id": [numbered(1)],
    "achievement.day": ["2026-02-27"],
    "topic_level.event_id": [numbered(1)],
    "attempt_grade.graded_by": [numbered(1)],
    "certificate.course_id": ["go"],
    "certificate.revoked_by": [numbered(1)],
    "streak_pause.first_on": ["2026-03-01"],
    "streak_pause.last_on": ["2026-03-30"],
    "step_sum.override": ['[1,"x",1,false,true]'],
    "board_row.place": [-1],
    "notice.id": [numbered(1)],
    "notice.type": ["step_graded"],
    "notice.body": ['{"type":"step_graded"}', "{}", "nothing that is JSON"],
    "course_version.step_keys": ['{"hello":"quiz"}', "{}", "nothing that is JSON", "[]"],
    "course_version.module_keys": ['{"basics":"loops","loops":"basics"}', '{"basics":5}', "nothing that is JSON"],
}
FIGURES = ["step_sum", "day_sum", "topic_sum", "enrollment", "course_run", "granted", "certificate", "brought"]
FIGURES += ["attempt_grade", "imported_day", "streak_pause", "achievement", "progress_reset", "topic_level", "day_part"]
FIGURES += ["roster", "step_day"]
COUNTERS = ["step_counter", "course_counter"]
FIGURES += ["imported_streak"]
# What stands on leaderboards, and how many stand where: each is held to the other, so a row that is gone is told twice.
BOARDS = ["board_row", "board_tally"]
# Of keys that name no course, the part that tells rows apart.
KEYS = {
    "brought": "event_id",
    "certificate": "id",
    "attempt_grade": "attempt_id",
    "streak_pause": "id",
    "achievement": "achievement_id",
    "progress_reset": "ledger_id",
    "imported_streak": "id",
    "topic_level": "topic",
}


class Row(NamedTuple):
    """A stored row by its key, and one of its columns."""

    column: sa.Column[Any]
    key: dict[str, Any]
    value: Any

    def put(self, connection: sa.Connection, value: Any) -> None:
        table = self.column.table
        where = [table.c[name] == part for name, part in self.key.items()]
        connection.execute(sa.update(table).where(*where).values({self.column.name: value}))


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def full_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which every column of every table holds something and, where it may, nothing."""
    if request.param == "sqlite":
        world = World(f"sqlite:///{tmp_path_factory.mktemp('full') / 'world.db'}")
        yield filled(world)
        world.close()
        return
    with request.getfixturevalue("postgres").fresh() as url:
        world = World(url)
        yield filled(world)
        world.close()


def filled(world: World) -> World:
    world.prepare()
    world.publish(GATES)
    world.publish(ESSAYS)
    world.publish({**DRILL, "id": "drill"})
    given(world, defined("first", "attempts"))
    for _ in range(2):
        ada = world.learner("Europe/Berlin")
        world.send(ada, event(1, score=0.5, duration_s=9, hints=1), event(2, score=0.9), enrollment(3))
        world.send(ada, event(4, kind="completed", of="hello", occurred_at=format_time(NOON - 24 * HOUR)))
        world.send(ada, event(5, kind="opened", of="quiz"), enrollment(6, "left", "go"), event(7, of="essay"))
        world.send(ada, event(8, of="graded", response="b"), event(9, kind="worked", duration_s=60))
        reset(world, ada, "go")
        keep_streak(world.database, world.catalog, StreakRecord(ada, numbered(96), 12), now=LATER)
        _certify(world, ada)
        world.send(ada, essay(80))
        world.submit(Submission(ada, (event(90), event(91, "completed")), LATER, source=IMPORTED))
        early = {"course": "drill", "occurred_at": "2026-02-10T05:00:00+01:00"}
        world.send(ada, *(event(200 + n, of=f"s{n}", score=1, **early) for n in range(10)))
        pause(world.database, world.catalog, PauseWanted(ada, numbered(95), "2026-03-10", 7), now=LATER)
        for ids in ((31, 32), (32, 33)):
            assert move(world, ada, guest_in(world, *(event(n, score=n / 100) for n in ids))) is not None
    count_all_in(world.database, now=LATER)
    return world


def _certify(world: World, ada: str) -> None:
    """Two certificates, one of them void, and a revocation of one that is nowhere; grades and overrides."""
    world.send(ada, *through("basics", "loops", "end", start=40), gated(50, of="exam"))
    grade(world, ada, numbered(50), 700_000, by=ada)
    override(world, ada, "ask", 950_000, by=ada, reason="a typing error")
    (held,) = certificates(world, ada)
    begin_anew(world, ada)
    world.send(ada, *through("basics", "loops", "end", start=60))
    for number, one in enumerate((held["id"], str(uuid4()))):
        said = {"course": "gates", "run": 1, "certificate": one, "reason": "copied"}
        tell(world, ada, fact_event(numbered(70 + number), REVOKED, format_time(LATER), said))


def rows_of(world: World, column: sa.Column[Any]) -> list[Row]:
    """Two rows where they differ in whether the column holds anything, else one."""
    table = column.table
    assert isinstance(table, sa.Table)
    with world.database.read() as connection:
        found = connection.execute(sa.select(table).order_by(*table.primary_key)).mappings().all()
    rows = [Row(column, {c.name: row[c] for c in table.primary_key}, row[column]) for row in found]
    kinds = {row.value is None: row for row in rows}
    assert rows, f"nothing to falsify in {table.name}"
    assert False in kinds, f"nothing but null in {column}"
    assert column.nullable == (True in kinds), f"no row without {column}"
    return list(kinds.values())


def others(row: Row) -> list[Any]:
    """Plausible values that a row does not hold."""
    named = OTHERS.get(f"{row.column.table.name}.{row.column.name}", [])
    if isinstance(row.column.type, sa.Boolean):
        return [not row.value]
    if not named and isinstance(row.column.type, sa.Integer):
        named = [(row.value or 0) + 1]
    elif not named:
        named = [f"{row.value} changed"]
    nothing = [None] if row.column.nullable else []
    return [value for value in [*named, *nothing] if value != row.value]


def everything(world: World) -> dict[str, list[dict[str, Any]]]:
    """All that is stored, but for how often it was mended."""
    found = {table.name: world.rows_of(table.name) for table in metadata.sorted_tables}
    found |= {"board": [{**row, "mark": None} for row in found["board"]]}
    return found | {"learner": [{**row, "epoch": None} for row in found["learner"]]}


def falsify(world: World, row: Row, value: Any) -> None:
    if row.column.table.name != "ledger":
        with world.database.transaction() as connection:
            row.put(connection, value)
        return
    with world.opened() as connection:
        row.put(connection, value)


@pytest.mark.parametrize("column", DERIVED, ids=NAMES)
def test_a_falsified_column_is_found_and_mended(full_world: World, column: sa.Column[Any]) -> None:
    world = full_world
    before = everything(world)
    for row in rows_of(world, column):
        for value in others(row):
            falsify(world, row, value)
            report = audit(world.database, world.catalog)
            found = {(fault.table, fault.column): (fault.stored, fault.true) for fault in report.faults}
            assert found.get((row.column.table.name, column.name)) == (value, row.value)
            mended = rebuild(world.database, world.catalog)
            assert (mended.updated, mended.broken) == (int(is_of_learner(row)), [])
    assert everything(world) == before


def is_of_learner(row: Row) -> bool:
    return "learner_id" in row.key or row.column.table.name == "learner"


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=str)
def test_every_column_is_said_to_be_a_fact_or_is_falsified_here(table: sa.Table) -> None:
    assert tuple(column.name for column in table.c if column not in DERIVED) == FACTS.get(table.name)


def test_every_table_of_figures_has_derived_columns() -> None:
    others = {"course", "course_version", "learner", "ledger", "notice"}
    assert {column.table.name for column in DERIVED} == {*others, *FIGURES, *COUNTERS, *BOARDS}


@pytest.mark.parametrize("name", FIGURES)
def test_rows_that_are_gone_or_made_up_are_found_and_mended(full_world: World, name: str) -> None:
    world, table = full_world, metadata.tables[name]
    before = everything(world)
    ada = before[name][0]["learner_id"]
    key = KEYS.get(name, "course_id")
    made_up = {**before[name][0], key: numbered(99)}
    with world.database.transaction() as connection:
        connection.execute(sa.delete(table).where(table.c.learner_id == ada))
        connection.execute(sa.insert(table).values(made_up))
    report = audit(world.database, world.catalog)
    own = [row for row in before[name] if row["learner_id"] == ada]
    assert {(fault.table, fault.learner, fault.column) for fault in report.faults} == {(name, ada, "*")}
    assert sorted((fault.stored, fault.true) for fault in report.faults if fault.true) == [(None, "a row")] * len(own)
    assert [(fault.stored, fault.true) for fault in report.faults if fault.stored] == [("a row", None)]
    mended = rebuild(world.database, world.catalog)
    assert (mended.total, mended.updated, mended.unchanged, mended.broken) == (6, 1, 5, [])
    assert everything(world) == before
    world.assert_clean()
    assert rebuild(world.database, world.catalog).unchanged == 6
