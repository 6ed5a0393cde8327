"""What is looked at behind the server's back: the ledger's rows, the sums' rows, and the operator's audit."""

import json
from collections import Counter
from typing import Any

import sqlalchemy as sa

from headway.store.database import Database
from tests.torture.server import Command


def query(database: str, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """All rows of a statement, read in a snapshot of its own."""
    opened = Database(database)
    try:
        with opened.read() as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement), parameters)]
    finally:
        opened.close()


def ledger_ids(database: str) -> Counter[tuple[str, str]]:
    """How often each (learner, event id) that was sent stands in the ledger; what was granted is the server's own."""
    sent = "SELECT learner_id, event_id FROM ledger WHERE source <> 'server'"
    return Counter((row[0], row[1]) for row in query(database, sent))


def grants(database: str) -> Counter[str]:
    """How many grants the ledger holds, by their types."""
    found = "SELECT type, count(*) FROM ledger WHERE source = 'server' GROUP BY type"
    return Counter({row[0]: row[1] for row in query(database, found)})


def attempts_by_step(database: str) -> Counter[tuple[str, str]]:
    """The attempts that the sums hold, by learner and step."""
    rows = query(database, "SELECT learner_id, step_id, SUM(attempts) FROM step_sum GROUP BY learner_id, step_id")
    return Counter({(learner, step): int(attempts) for learner, step, attempts in rows})


def assert_audit_is_clean(database: str) -> dict[str, Any]:
    """Run `headway audit --json`: it must find nothing."""
    done = Command("audit", "--json", "--database", database, patience_s=100)
    assert done.code == 0, str(done)
    report: dict[str, Any] = json.loads(done.out)
    assert report["found"] == 0, str(done)
    return report


def events_proved(database: str) -> int:
    """How many events that were sent the operator's audit looked at, and found to be all right with what is granted."""
    return int(assert_audit_is_clean(database)["events"]) - grants(database).total()
