"""The last steps of a course at the same instant: by two servers of one process, and by two processes."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from headway.domain.times import format_time
from headway.ledger.commit import commit
from headway.ledger.submission import Receipt, Submission
from headway.store.catalog import Catalog
from headway.store.database import Database
from tests.ledger.at_once import at_once
from tests.ledger.gates import ALL_GRANTS, BASICS, END, GATES, LOOPS, certificates, gated, grants, names, through
from tests.ledger.world import HOUR, NOON, World, numbered, statuses

LATE = NOON + 5 * HOUR
ROUNDS = 12
VIVA = {"id": "viva", "kind": "assessment", "title": "Viva"}
TWO_LAST = {**GATES, "modules": [BASICS, LOOPS, {**END, "steps": [*END["steps"], VIVA]}]}


@pytest.fixture
def gates(world: World) -> World:
    world.publish(GATES)
    return world


def assert_completed_once(world: World, ada: str, changes: list[dict[str, Any]]) -> None:
    kinds = [one["type"] for one in changes]
    for kind in ("module_completed", "course_completed", "certificate_issued"):
        assert kinds.count(kind) == 1, kinds
    assert names(grants(world, ada)) == ALL_GRANTS
    types = [one.type for one in world.entries(ada) if one.source == "server"]
    assert len(types) == len(ALL_GRANTS)
    (held,) = certificates(world, ada)
    assert [one["certificate"] for one in changes if "certificate" in one] == [held["id"]]


def test_the_last_two_steps_from_two_devices_at_once_complete_once(gates: World) -> None:
    """Two servers, each with a writer and a catalog of its own, and one learner's two devices."""
    other = Database(gates.url)
    last = [gated(of="exam", score=1), gated(of="viva", score=1)]
    gates.publish(TWO_LAST)
    for _ in range(ROUNDS):
        ada = gates.learner()
        gates.send(ada, *through("basics", "loops"))
        changes: list[dict[str, Any]] = []

        def send(database: Database, catalog: Catalog, n: int, ada: str = ada, into: list[Any] = changes) -> None:
            (answer,) = commit(database, catalog, [Submission(ada, (last[n],), LATE)])
            assert isinstance(answer, Receipt)
            into += answer.changes

        at_once(lambda: send(gates.database, gates.catalog, 0), lambda: send(other, Catalog(), 1))
        assert_completed_once(gates, ada, changes)
    other.close()
    gates.assert_clean()


CHILD = """
import json, sys
import structlog
from headway.domain.events import parse_event
from headway.ledger.commit import commit
from headway.ledger.submission import Submission
from headway.store.catalog import Catalog
from headway.store.database import Database
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
database, catalog = Database(sys.argv[1]), Catalog()
with database.read():
    pass
print("ready", flush=True)
for line in sys.stdin:
    learner_id, event, at = json.loads(line)
    (answer,) = commit(database, catalog, [Submission(learner_id, (parse_event(event),), at)])
    print(json.dumps([[one.status for one in answer.results], answer.changes]), flush=True)
database.close()
"""


@contextmanager
def process(world: World) -> Iterator[Callable[[str, dict[str, Any]], Callable[[], tuple[list[str], list[Any]]]]]:
    """Another process that records: gives what sends it an event, which gives what awaits its answer."""
    command = [sys.executable, "-W", "error", "-c", CHILD, world.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        to, back = child.stdin, child.stdout
        assert back.readline() == "ready\n"

        def answer() -> tuple[list[str], list[Any]]:
            statuses, changes = json.loads(back.readline())
            return statuses, changes

        def send(learner_id: str, sent: dict[str, Any]) -> Callable[[], tuple[list[str], list[Any]]]:
            to.write(json.dumps([learner_id, sent, LATE]) + "\n")
            return answer

        yield send
        to.close()
        assert child.wait(20) == 0


def test_the_last_two_steps_by_two_processes_complete_once(gates: World) -> None:
    gates.publish(TWO_LAST)
    blank = {"type": "attempted", "course": "gates", "score": 1, "occurred_at": format_time(NOON)}
    with process(gates) as one, process(gates) as other:
        for n in range(ROUNDS):
            ada = gates.learner()
            gates.send(ada, *through("basics", "loops"))
            answers = [
                one(ada, {**blank, "id": numbered(1000 + n), "step": "exam"}),
                other(ada, {**blank, "id": numbered(2000 + n), "step": "viva"}),
            ]
            found = [answer() for answer in answers]
            assert [statuses for statuses, _ in found] == [["recorded"], ["recorded"]]
            assert_completed_once(gates, ada, [change for _, changes in found for change in changes])
    gates.assert_clean()


def test_what_one_process_completed_another_reads_and_goes_on_from(gates: World) -> None:
    ada = gates.learner()
    blank = {"type": "attempted", "course": "gates", "score": 1, "occurred_at": format_time(NOON)}
    with process(gates) as one:
        assert one(ada, {**blank, "id": numbered(1), "step": "fizz"})()[0] == ["refused"]
        gates.send(ada, *through("basics", start=10))
        assert one(ada, {**blank, "id": numbered(1), "step": "fizz"})()[0] == ["recorded"]
        assert one(ada, {**blank, "id": numbered(2), "step": "exam"})()[0] == ["refused"]
    receipt = gates.send(ada, gated(3, of="pick", response="b"), gated(4, of="exam", score=1))
    assert statuses(receipt) == ["recorded", "recorded"]
    assert names(grants(gates, ada)) == ALL_GRANTS
    gates.assert_clean()
