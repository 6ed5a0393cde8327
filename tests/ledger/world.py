"""A small world to record in: two courses, learners, and a look at all that is stored of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from headway.domain.events import Event, enrollment_event, parse_event
from headway.domain.times import MINUTE, SECOND, format_time, parse_time
from headway.ledger.audit import audit
from headway.ledger.memory import Memory
from headway.ledger.publish import publish
from headway.ledger.record import Answer, record
from headway.ledger.submission import Receipt, Result, Submission
from headway.store import learners
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Entry
from headway.store.migrate import migrate
from headway.store.schema import ledger, metadata
from headway.store.sums import ACHIEVEMENTS, ALL, CERTIFICATES, GRANTS, LEVELS, SumKind
from tests.domain.manifests import course, module, step

GRADER = {"type": "choice", "options": {"a": "one", "b": "two"}, "answer": "b"}
PYTHON = course(
    module(
        "first",
        step("hello", kind="lesson", topics=["basics"]),
        step("loops", kind="exercise", topics=["lists", "loops"]),
        step("quiz", pass_mark=79.995, topics=["loops"]),
        step("graded", grader=GRADER, topics=["basics"]),
        step("essay", kind="assignment", points=25),
    )
)
GO = course(module("first", step("hello", kind="exercise", topics=["loops"])), id="go", title="Go")
NOON = parse_time("2026-03-01T12:00:00Z")[0]
HOUR = 60 * MINUTE


def numbered(number: int) -> str:
    """A UUID to know again; they sort as their numbers do."""
    return str(UUID(int=number))


def event(number: int | str | None = None, kind: str = "attempted", of: str = "loops", **fields: Any) -> Event:
    """An event on a step of the course `python` at noon, unless it says otherwise."""
    event_id = str(uuid4()) if number is None else number if isinstance(number, str) else numbered(number)
    sent = {"id": event_id, "type": kind, "course": "python", "step": of, "occurred_at": format_time(NOON)}
    return parse_event(sent | fields)


def enrollment(number: int, kind: str = "enrolled", of: str = "python", at: int = NOON) -> Event:
    return enrollment_event(numbered(number), kind, of, format_time(at))


class World:
    """A migrated database with both courses in it; every process that uses it has a catalog of its own."""

    def __init__(self, url: str, archive_folder: Path | None = None) -> None:
        self.url = url
        self.archive_folder = None if archive_folder is None else str(archive_folder)
        self.database = Database(url, self.archive_folder)
        self.catalog = Catalog()
        self.memory = Memory()

    def prepare(self) -> "World":
        """Make tables and courses."""
        migrate(self.database)
        for manifest in (PYTHON, GO):
            self.publish(manifest)
        return self

    def close(self) -> None:
        self.database.close()

    def restart(self) -> None:
        """Begin anew, as another process would."""
        self.close()
        self.database = Database(self.url, self.archive_folder)
        self.catalog = Catalog()
        self.memory = Memory()

    def publish(self, manifest: Mapping[str, Any]) -> int:
        return publish(self.database, dict(manifest), now=NOON).version

    def learner(self, zone: str = "UTC", **columns: Any) -> str:
        """Add a learner."""
        row = {"id": str(uuid4()), "kind": "account", "time_zone": zone, "created_at": NOON, **columns}
        with self.database.transaction() as connection:
            learners.add(connection, row)
        return str(row["id"])

    def submit(self, *submissions: Submission, wait: bool = True) -> list[Answer]:
        """Record submissions in one transaction, as the writer of a process does."""
        with self.database.transaction() as connection:
            answers = record(connection, self.catalog, submissions, wait=wait, memory=self.memory)
        self.memory.keep()
        return answers

    def send(self, learner_id: str, *events: Event, at: int = NOON + HOUR) -> Receipt:
        """Record the events of one request."""
        (answer,) = self.submit(Submission(learner_id, events, at))
        assert isinstance(answer, Receipt), answer
        return answer

    def sent_one(self, learner_id: str, one: Event, at: int = NOON + HOUR) -> Result:
        """Record one event alone."""
        return self.send(learner_id, one, at=at).results[0]

    def rows(self, table: sa.Table, learner_id: str) -> list[dict[str, Any]]:
        """A learner's rows of a table, in order of key, without the learner's id."""
        statement = sa.select(table).where(table.c.learner_id == learner_id).order_by(*table.primary_key)
        with self.database.read() as connection:
            found = [dict(row) for row in connection.execute(statement).mappings()]
        return [{name: value for name, value in row.items() if name != "learner_id"} for row in found]

    def figures(self, learner_id: str) -> bytes:
        """All sums and grants of a learner, byte by byte."""
        return self._bytes(learner_id, ALL)

    def sums(self, learner_id: str) -> bytes:
        """All that knows no order: which grants there are, and when they were given, depends on what came when."""
        given = (GRANTS, CERTIFICATES, ACHIEVEMENTS, LEVELS)
        return self._bytes(learner_id, [kind for kind in ALL if kind not in given])

    def _bytes(self, learner_id: str, kinds: Iterable[SumKind]) -> bytes:
        return json.dumps({kind.table.name: self.rows(kind.table, learner_id) for kind in kinds}).encode()

    def entries(self, learner_id: str) -> list[Entry]:
        """A learner's ledger."""
        return [Entry(learner_id, **row) for row in self.rows(ledger, learner_id)]

    def step(self, learner_id: str, of: str = "loops") -> dict[str, Any]:
        """The row of a step's sum."""
        table = metadata.tables["step_sum"]
        return next(row for row in self.rows(table, learner_id) if (row["course_id"], row["step_id"]) == ("python", of))

    def step_of(self, learner_id: str, course_id: str, of: str) -> dict[str, Any]:
        """The row of a step's sum of any course."""
        table = metadata.tables["step_sum"]
        rows = self.rows(table, learner_id)
        return next(row for row in rows if (row["course_id"], row["step_id"]) == (course_id, of))

    def rows_of(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, in order of key."""
        found = metadata.tables[table]
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(sa.select(found).order_by(*found.primary_key)).mappings()]

    def count(self, table: str) -> int:
        """How many rows a table has."""
        with self.database.read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(metadata.tables[table])).scalar_one()

    def run(self, *statements: str, **parameters: Any) -> None:
        """Run SQL of a test's own in a transaction."""
        with self.database.transaction() as connection:
            for statement in statements:
                connection.execute(sa.text(statement), parameters)

    @contextmanager
    def opened(self) -> Iterator[sa.Connection]:
        """A transaction in which the ledger is open, as it is to `entries.replace`."""
        with self.database.transaction() as connection:
            connection.execute(sa.text("INSERT INTO ledger_opened VALUES ('test')"))
            yield connection
            connection.execute(sa.text("DELETE FROM ledger_opened"))

    def assert_clean(self) -> None:
        """Nothing that is stored differs from what follows from the ledger."""
        report = audit(self.database, self.catalog)
        assert (report.found, report.faults) == (0, [])


def statuses(receipt: Receipt) -> list[str]:
    """What became of each event: its status, or the code of the problem."""
    return [result.problem.code if result.problem else result.status for result in receipt.results]


def seconds(number: float) -> int:
    """Seconds in the ledger's unit."""
    return round(number * SECOND)
