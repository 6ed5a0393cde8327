"""Courses published and events recorded, the way that Headway does both; and statements counted."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import NAMESPACE_OID, uuid4, uuid5

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headway.domain.events import Event, enrollment_event, parse_event
from headway.domain.times import parse_time
from headway.ledger.publish import publish
from headway.ledger.record import record
from headway.ledger.submission import Receipt, Submission
from headway.store import learners
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.views.subject import Subject
from tests.domain.manifests import course, module, step

T = TypeVar("T")

NOON = "2026-03-10T12:00:00Z"
NOW, _ = parse_time(NOON)
CHUNK = 500


def uid(name: str) -> str:
    """A UUID to know again."""
    return str(uuid5(NAMESPACE_OID, name))


def event(kind: str, step_id: str, at: str = NOON, **fields: Any) -> Event:
    """An event on a step of the course `python`, unless it says otherwise."""
    sent = {"id": str(uuid4()), "type": kind, "course": "python", "step": step_id, "occurred_at": at}
    return parse_event(sent | fields)


def enrolled(course_id: str = "python", at: str = NOON, kind: str = "enrolled") -> Event:
    return enrollment_event(str(uuid4()), kind, course_id, at)


def long_course(steps: int, course_id: str = "python") -> dict[str, Any]:
    """A course of some steps, in modules of 25, of all kinds."""
    kinds = ("lesson", "quiz", "assignment", "exercise", "assessment")
    listed = [step(f"s{n}", kind=kinds[n % 5], topics=[f"t{n % 7}"]) for n in range(steps)]
    modules = [module(f"m{n}", *listed[n : n + 25], requires=[]) for n in range(0, steps, 25)]
    return course(*modules, id=course_id)


class Learning:
    """A database with courses and learners."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.catalog = Catalog()

    def publish(self, manifest: Mapping[str, Any], publisher: str | None = None) -> None:
        """Publish a course."""
        publish(self.database, dict(manifest), now=NOW, publisher=publisher)

    def learner(self, name: str = "ada", zone: str = "UTC", **columns: Any) -> Subject:
        """Add a learner."""
        row = {"id": uid(name), "kind": "account", "time_zone": zone, "created_at": NOW, **columns}
        with self.database.transaction() as connection:
            learners.add(connection, row)
        return Subject(row["id"], zone)

    def record(self, who: Subject, *events: Event, received_at: int = NOW) -> Receipt:
        """Record events; every one of them must be taken. The receipt is that of the last chunk."""
        receipt = Receipt([], [], [])
        for n in range(0, len(events), CHUNK):
            sent = Submission(who.learner_id or "", events[n : n + CHUNK], received_at)
            with self.database.transaction() as connection:
                answer = record(connection, self.catalog, [sent])[0]
            assert isinstance(answer, Receipt)
            assert {one.status for one in answer.results} == {"recorded"}
            receipt = answer
        return receipt

    def read(self, view: Callable[..., T], *parameters: Any) -> T:
        """What a view gives."""
        with self.database.read() as connection:
            return view(connection, *parameters)

    def statements(self, view: Callable[..., object], *parameters: Any) -> list[str]:
        """The statements that a view issues."""
        with self.database.read() as connection, counted(connection.engine) as found:
            view(connection, *parameters)
        return found


@contextmanager
def counted(engine: Engine | type[Engine]) -> Iterator[list[str]]:
    """The statements that an engine, or any engine, executes meanwhile."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
