"""What a server gives out of a learner's ledger can be imported elsewhere, and comes to the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headway.domain.events import enrollment_event, parse_event
from headway.domain.times import parse_time
from headway.importers.learners import enlisted
from headway.ledger.publish import publish
from headway.ledger.record import record
from headway.ledger.submission import Receipt, Submission
from headway.store import sums
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.migrate import migrate
from headway.views.events import read_events
from headway.views.subject import Subject
from tests.importers.conftest import PYTHON, import_into
from tests.importers.test_own_events import jsonl, table

NOW = parse_time("2026-06-01T00:00:00Z")[0]
SENT: tuple[dict[str, Any], ...] = (
    {"type": "opened", "step": "loops", "occurred_at": "2026-03-01T08:00:00Z"},
    {"type": "worked", "step": "loops", "occurred_at": "2026-03-01T08:10:00Z", "duration_s": 600.5},
    {"type": "attempted", "step": "loops", "occurred_at": "2026-03-01T23:30:00-05:00", "score": {"raw": 1, "max": 3}},
    {"type": "attempted", "step": "loops", "occurred_at": "2026-03-03T21:00:00+09:00", "score": 1, "hints": 2},
    {"type": "attempted", "step": "essay", "occurred_at": "2026-03-04T06:30:00+14:00", "score": None},
    {"type": "completed", "step": "essay", "occurred_at": "2026-03-05T10:00:00.123456Z", "score": 0.795},
    {"type": "attempted", "step": "graded", "occurred_at": "2026-03-06T10:00:00Z", "response": "a"},
    {"type": "attempted", "step": "graded", "occurred_at": "2026-03-06T10:01:00Z", "response": "b"},
)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'other.db'}")
    migrate(made)
    publish(made, PYTHON, now=0)
    yield made
    made.close()


def learn(database: Database) -> str:
    """Someone learns; their id."""
    learner_id = enlisted(database, ["someone"], NOW)["someone"]
    events = [
        parse_event({**one, "id": f"00000000-0000-4000-8000-{n:012}", "course": "python"}) for n, one in enumerate(SENT)
    ]
    for n, kind in enumerate(("enrolled", "left", "enrolled")):
        event_id = f"00000000-0000-4000-8001-{n:012}"
        events.append(enrollment_event(event_id, kind, "python", f"2026-03-01T07:0{n}:00.000000Z"))
    with database.transaction() as connection:
        (answer,) = record(connection, Catalog(), [Submission(learner_id, tuple(events), NOW)])
    assert isinstance(answer, Receipt)
    assert {result.status for result in answer.results} == {"recorded"}
    return learner_id


def given_out(database: Database, learner_id: str) -> list[dict[str, Any]]:
    with database.read() as connection:
        page = read_events(connection, Catalog(), Subject(learner_id, "UTC"), limit=200)
    return [{**row, "learner": "someone"} for row in msgspec.json.decode(msgspec.json.encode(page.items))]


def stored(database: Database, learner_id: str) -> list[Any]:
    """All that follows from the events; grants are entries of each server's own, under ids of their own.

    Which days were imported is left out: here they were learned on, and elsewhere they earn no freeze. So are mornings
    and nights: what is given out is in UTC, and says nothing of the clock on the learner's wall.
    """
    with database.read() as connection:
        found = {kind: list(sums.read_learners(connection, kind, [learner_id])) for kind in sums.ALL}
    grants = sorted((key, one.at, one.score, one.version) for _, key, one in found.pop(sums.GRANTS))
    del found[sums.IMPORTED_DAYS], found[sums.PARTS]
    return [grants, *(sorted(map(repr, rows)) for rows in found.values())]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_what_a_server_gives_out_comes_to_the_same_elsewhere(
    database: Database, other: Database, tmp_path: Path, form: str
) -> None:
    learner_id = learn(database)
    rows = given_out(database, learner_id)
    granted = [row["type"] for row in rows if row["trust"] == "server"]
    assert granted == ["course_completed", "module_completed"]
    if form == "jsonl":
        path = jsonl(tmp_path / "file", *rows)
    else:
        path = table(tmp_path / "file", *({**row, "changes": json.dumps(row["changes"])} for row in rows))
    summary = import_into(other, form, path)
    assert (summary.recorded, summary.rejects) == (len(SENT) + 3, [])
    assert summary.left_out == {"of-a-server": len(granted)}
    assert enlisted(other, ["someone"], NOW)["someone"] == learner_id  # the id follows from the name
    assert stored(other, learner_id) == stored(database, learner_id)
    assert import_into(other, form, path).duplicates == len(SENT) + 3
