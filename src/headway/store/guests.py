"""Statements on guests who have long done nothing, and their removal."""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store import entries, rows
from headway.store.schema import (
    OF_LEARNER,
    learner,
)

_LAST: Final = "(SELECT max(m.seq) FROM ledger m WHERE m.learner_id = t.id)"
# A guest who was moved is part of an account. One without a session may still have recorded lately. And any other kind
# of entry, above all a certificate, somebody may need.
_IDLE: Final = """
    AND t.kind = 'guest' AND t.merged_into IS NULL AND t.erased_at IS NULL AND t.created_at < {before}
    AND NOT EXISTS (SELECT 1 FROM session s WHERE s.learner_id = t.id AND s.last_used_at >= {before})
    AND NOT EXISTS (SELECT 1 FROM ledger e WHERE e.learner_id = t.id AND e.received_at >= {before}
        AND e.seq = (SELECT max(m.seq) FROM ledger m WHERE m.learner_id = t.id))
    AND NOT EXISTS (SELECT 1 FROM learner g WHERE g.merged_into = t.id)
    AND NOT EXISTS (SELECT 1 FROM ledger e WHERE e.learner_id = t.id
        AND e.type NOT IN ('opened', 'worked', 'attempted', 'completed', 'enrolled', 'left', 'run_started',
            'module_unlocked', 'module_completed', 'course_completed'))"""


class Idle(NamedTuple):
    """A guest who has done nothing since a time, and the number of entries in its ledger."""

    id: str
    entries: int


def idle(connection: Connection, learner_ids: Iterable[str], before: int) -> list[Idle]:
    """Which of the learners are guests who have done nothing since a time (microseconds)."""
    keys = [(one,) for one in learner_ids]
    what = f"t.id, coalesce({_LAST}, 0)"
    found = rows.select(connection, learner, keys, what, ("id",), _IDLE.format(before=int(before)))
    return [Idle(*row) for row in found]


def remove(connection: Connection, learner_ids: Collection[str], reason: str) -> None:
    """Delete learners and all their rows, entries of the ledger included."""
    entries.remove(connection, learner_ids, reason)
    for table in OF_LEARNER:
        connection.execute(sa.delete(table).where(table.c.learner_id.in_(learner_ids)))
    connection.execute(sa.delete(learner).where(learner.c.id.in_(learner_ids)))
