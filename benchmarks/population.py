"""A large course and its learners: some learn, the others are copies of them, row by row, under ids of their own."""

import itertools
import random
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.events import Event, parse_event
from headway.domain.times import SECOND, format_time
from headway.ledger.bulk import add_learners, record_all
from headway.ledger.submission import Submission
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.schema import course_run, day_sum, enrollment, granted, learner, ledger, step_sum, topic_sum

KINDS: Final = ("lesson", "quiz", "exercise", "assignment")
TEMPLATES: Final = 100
EVENTS_A_REQUEST: Final = 200
_COPIED: Final = (learner, ledger, step_sum, day_sum, topic_sum, enrollment, course_run, granted)


def course(course_id: str, modules: int, steps: int) -> dict[str, Any]:
    """A course in which each module waits for the one before it, with the steps spread over the modules."""
    sizes = [steps // modules + (number < steps % modules) for number in range(modules)]
    parts = [
        {"id": f"m{n}", "title": f"Module {n}", "steps": [_step(n, i) for i in range(size)]}
        for n, size in enumerate(sizes)
    ]
    return {"id": course_id, "title": course_id, "modules": parts}


def _step(module: int, number: int) -> dict[str, Any]:
    name = f"s{module}-{number}"
    return {"id": name, "kind": KINDS[number % len(KINDS)], "title": name, "topics": [f"t{number % 8}"]}


def step_ids(manifest: Mapping[str, Any]) -> list[str]:
    """A course's steps, in order."""
    return [step["id"] for module in manifest["modules"] for step in module["steps"]]


def attempt(manifest: Mapping[str, Any], step: str, at: int, score: float) -> Event:
    """A new attempt at a time (microseconds)."""
    said = {"id": str(uuid.uuid4()), "type": "attempted", "course": manifest["id"], "step": step}
    return parse_event({**said, "occurred_at": format_time(at), "score": score})


def populate(database: Database, manifest: Mapping[str, Any], learners: int, *, now: int) -> list[str]:
    """So many learners on their way through a course, each as far as chance took them; the ids of some."""
    ids = [str(uuid.uuid4()) for _ in range(min(TEMPLATES, learners))]
    add_learners(database, [{"id": one, "kind": "account", "time_zone": "UTC", "created_at": now} for one in ids])
    submissions = [Submission(one, part, now) for one in ids for part in _parts(_walk(manifest, random.random(), now))]
    for answer in record_all(database, Catalog(), submissions):
        assert not isinstance(answer, Exception), answer
    with database.transaction() as connection:
        _copy(connection, ids, learners - len(ids))
    return ids


def _walk(manifest: Mapping[str, Any], share: float, now: int) -> Iterator[Event]:
    """A learner's way through a share of the course: each step once or twice, mostly well."""
    steps = step_ids(manifest)
    for n, step in enumerate(steps[: max(1, int(len(steps) * share))]):
        for _ in range(random.choice((1, 1, 1, 2))):
            yield attempt(manifest, step, now - (len(steps) - n) * SECOND, random.randint(75, 100) / 100)


def _parts(events: Iterable[Event]) -> Iterator[tuple[Event, ...]]:
    events = iter(events)
    while part := tuple(itertools.islice(events, EVENTS_A_REQUEST)):
        yield part


def _copy(connection: Connection, ids: Sequence[str], count: int) -> None:
    pairs = [{"src": src, "dst": str(uuid.uuid4())} for src in itertools.islice(itertools.cycle(ids), count)]
    kind = "uuid" if connection.dialect.name == "postgresql" else "text"
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE pairs (src {kind} NOT NULL, dst {kind} NOT NULL)")
    connection.execute(sa.text("INSERT INTO pairs VALUES (:src, :dst)"), pairs)
    for table in _COPIED:
        key, *others = table.c.keys()
        names, values = ", ".join((key, *others)), ", ".join(("p.dst", *(f"t.{name}" for name in others)))
        found = (
            f"SELECT {values} FROM pairs p CROSS JOIN {table.name} t WHERE t.{key} = p.src"  # names of our own tables
        )
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) {found}")
    connection.exec_driver_sql("DROP TABLE pairs")
