"""A large course and its learners: some learn, the others are copies of them, row by row, under ids of their own."""

import itertools
import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.events import Event, enrollment_event, parse_event
from headway.domain.times import MINUTE, SECOND, format_time
from headway.ledger import boards
from headway.ledger.backfill import backfill_pending
from headway.ledger.bulk import add_learners, record_all
from headway.ledger.definitions import install, shipped
from headway.ledger.submission import Submission
from headway.store import sums
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.schema import board_row, course_counter, learner, ledger, step_counter

KINDS: Final = ("lesson", "quiz", "exercise", "assignment")
TEMPLATES: Final = 100
EVENTS_A_REQUEST: Final = 200
# Certificates have ids of their own in the whole database: none of these learners has any.
_KINDS: Final = tuple(kind.table for kind in (*sums.ALL, sums.ROSTER) if kind is not sums.CERTIFICATES)
_COPIED: Final = (learner, ledger, *_KINDS, board_row)


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
    """So many enrolled learners on their way through a course, each as far as chance took them; the ids of some.

    They are a multiple of the templates. Whatever a server would still have to do for them is done.
    """
    ids = [str(uuid.uuid4()) for _ in range(min(TEMPLATES, learners))]
    times, left = divmod(learners, len(ids))
    assert not left, "learners are a multiple of the templates"
    # Before anybody is there: a server that starts would give them all what they meet, beside what is measured.
    install(database, shipped())
    backfill_pending(database, Catalog(), now=lambda: now)
    add_learners(database, [{"id": one, "kind": "account", "time_zone": "UTC", "created_at": now} for one in ids])
    submissions = [Submission(one, part, now) for one in ids for part in parts(_walk(manifest, random.random(), now))]
    for answer in record_all(database, Catalog(), submissions):
        assert not isinstance(answer, Exception), answer
    boards.work_out(database, Catalog(), now=now)
    with database.transaction() as connection:
        copy(connection, _COPIED, ids, times, {manifest["id"]})
    with database.transaction() as connection:
        boards.recount(connection)
        connection.exec_driver_sql("ANALYZE")
    return ids


def _walk(manifest: Mapping[str, Any], share: float, now: int) -> Iterator[Event]:
    """A learner's way through a share of the course: enrolled, and each step once or twice, mostly well."""
    steps = step_ids(manifest)
    yield enrollment_event(str(uuid.uuid4()), "enrolled", manifest["id"], format_time(now - MINUTE * len(steps)))
    for n, step in enumerate(steps[: max(1, int((len(steps) - 1) * share))]):
        for _ in range(random.choice((1, 1, 1, 2))):
            yield attempt(manifest, step, now - (len(steps) - n) * SECOND, random.randint(75, 100) / 100)


def parts(events: Iterable[Event]) -> Iterator[tuple[Event, ...]]:
    """Events as some requests send them."""
    events = iter(events)
    while part := tuple(itertools.islice(events, EVENTS_A_REQUEST)):
        yield part


def copy(
    connection: Connection,
    tables: Iterable[sa.Table],
    ids: Sequence[str],
    times: int,
    courses: Iterable[str],
    value: Callable[[sa.Table, str], str] = lambda _, name: f"t.{name}",
) -> None:
    """Every template so many times in all; the counters of their courses, which count nobody else, as often.

    A column of a copy is `value` of the template's row `t`; `p.ago` is a random time up to a week, in microseconds.
    """
    copies = [one for one in ids for _ in range(times - 1)]
    if not copies:
        return
    pairs = [{"src": one, "dst": str(uuid.uuid4()), "ago": random.randrange(10_000) * MINUTE} for one in copies]
    kind = "uuid" if connection.dialect.name == "postgresql" else "text"
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE pairs (src {kind} NOT NULL, dst {kind} NOT NULL, ago bigint)")
    connection.execute(sa.text("INSERT INTO pairs VALUES (:src, :dst, :ago)"), pairs)
    for table in tables:
        key, *others = table.c.keys()
        names, values = ", ".join((key, *others)), ", ".join(("p.dst", *(value(table, name) for name in others)))
        found = (
            f"SELECT {values} FROM pairs p CROSS JOIN {table.name} t WHERE t.{key} = p.src"  # names of our own tables
        )
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) {found}")
    for counter in (step_counter, course_counter):
        by = {name: counter.c[name] * times for name, column in counter.c.items() if not column.primary_key}
        connection.execute(sa.update(counter).where(counter.c.course_id.in_(list(courses))).values(by))
    connection.exec_driver_sql("DROP TABLE pairs")
