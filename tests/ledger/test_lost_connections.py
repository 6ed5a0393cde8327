"""A connection lost in the middle, or with the answer to COMMIT: events count once, and the answer is the same."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
import pytest
from sqlalchemy import event as hooks
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs

from headway.domain.times import format_time
from headway.ledger.submission import Receipt
from tests.ledger.desk import Desk, desk
from tests.ledger.gates import ALL_GRANTS, GATES, certificates, grants, through
from tests.ledger.world import HOUR, NOON, World, event, statuses
from tests.postgres import Postgres

TABLES = ["ledger", "step_sum", "day_sum", "course_run", "granted", "certificate"]
STATEMENTS = ["BEGIN", "FOR NO KEY UPDATE", *(f"INSERT INTO {table} (" for table in TABLES)]


class Saboteur:
    """Ends the writer's connection once, before or after a statement, as a restart of the database does."""

    def __init__(self, admin: str, statement: str, times: int = 1) -> None:
        self.admin, self.statement, self.left = admin, statement, times

    def strike(self, _connection: object, cursor: Any, statement: str, *_rest: object) -> None:
        """End the connection if this is the statement, and let the driver notice."""
        if self.statement not in statement or not self.left:
            return
        self.left -= 1
        with psycopg.connect(self.admin, autocommit=True) as admin:
            pid = cursor.connection.info.backend_pid
            gone = admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone()
            assert gone == (True,)
        cursor.execute("SELECT 1")


@contextmanager
def sabotaged(world: World, when: str, saboteur: Saboteur) -> Iterator[None]:
    hooks.listen(world.database.writers, when, saboteur.strike)
    try:
        yield
    finally:
        hooks.remove(world.database.writers, when, saboteur.strike)
        assert saboteur.left == 0


@pytest.fixture
def end(postgres: Postgres) -> Callable[..., Saboteur]:
    return lambda *args: Saboteur(postgres.url("postgres"), *args)


CUTS = [("before_cursor_execute", one) for one in [*STATEMENTS, "COMMIT"]] + [("after_cursor_execute", "COMMIT")]


class Said(NamedTuple):
    """What a learner and the log are told of a submission, whoever it is and whatever the certificate's id is."""

    receipt: Receipt
    logged: list[dict[str, Any]]


def said(receipt: Receipt, logs: Sequence[Mapping[str, Any]], learner_id: str) -> Said:
    changes = [
        {**change, **({"certificate": "its id"} if "certificate" in change else {})} for change in receipt.changes
    ]
    logged = [{**one, "learner_id": ""} for one in logs if one.get("learner_id") == learner_id]
    return Said(receipt._replace(changes=changes, statuses=()), logged)


@pytest.mark.parametrize(("when", "statement"), CUTS)
def test_a_lost_connection_changes_no_answer_and_counts_nothing_twice(
    postgresql_world: World, end: Callable[..., Saboteur], when: str, statement: str
) -> None:
    world = postgresql_world
    world.publish(GATES)
    calm, cut = world.learner(), world.learner()
    events = [event(n, score=n / 3, occurred_at=format_time(NOON - n * 24 * HOUR)) for n in range(4)]
    # What comes behind the certificate is told behind it.
    events += [*through("basics", "loops", "end", start=10), event(20, "completed", "hello")]
    with capture_logs() as logs, desk(world) as open_desk:
        open_desk.submit("calm", calm, *events)
        expected = open_desk.receipt("calm")
        with sabotaged(world, when, end(statement)):
            open_desk.submit("cut", cut, *events)
            found = open_desk.receipt("cut")
    assert statuses(found) == ["recorded"] * len(events)
    assert said(found, logs, cut) == said(expected, logs, calm)
    assert [one["type"] for one in found.changes if "certificate" in one] == ["certificate_issued"]
    assert {one["status"] for one in said(found, logs, cut).logged} == {"in_progress", "open", "completed"}
    assert world.sums(cut) == world.sums(calm)
    assert grants(world, cut) == grants(world, calm)
    assert [one["id"] for one in certificates(world, cut)] == [
        one["certificate"] for one in found.changes if "certificate" in one
    ]
    assert len(world.entries(cut)) == len(world.entries(calm)) == len(events) + len(ALL_GRANTS)
    world.assert_clean()


def test_all_who_shared_the_lost_commit_are_answered_as_if_nothing_had_been(
    postgresql_world: World, end: Callable[..., Saboteur]
) -> None:
    world = postgresql_world
    ada, ben = world.learner(), world.learner()
    world.send(ada, event(1, score=0.2))
    waiting = Desk(world)
    waiting.submit("repeat", ada, event(1, score=0.2))
    waiting.submit("new", ada, event(2, score=0.9))
    waiting.submit("again", ada, event(2, score=0.9), received_at=NOON + 2 * HOUR)
    waiting.submit("refused", ben, event(1, of="nowhere"), event(2))
    with sabotaged(world, "after_cursor_execute", end("COMMIT")):
        waiting.writer.start()
        waiting.writer.stop()
    assert [statuses(waiting.receipt(one)) for one in ("new", "again")] == [["recorded"], ["duplicate"]]
    assert statuses(waiting.receipt("refused")) == ["unknown-step", "recorded"]
    assert [len(waiting.receipt(one).changes) for one in ("new", "again")] == [1, 0]
    assert world.step(ada)["attempts"] == 2
    world.assert_clean()


def test_connections_lost_while_nobody_wrote_are_replaced(
    postgresql_world: World, end: Callable[..., Saboteur], postgres: Postgres
) -> None:
    world = postgresql_world
    ada = world.learner()
    with desk(world) as open_desk:
        open_desk.submit("before", ada, event(1))
        open_desk.receipt("before")
        # Those of this database alone: other tests use the same server.
        mine = make_url(world.url).database
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{mine}'")
        open_desk.submit("after", ada, event(2))
        assert statuses(open_desk.receipt("after")) == ["recorded"]
    assert world.step(ada)["attempts"] == 2
