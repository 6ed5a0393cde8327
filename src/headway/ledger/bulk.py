"""Record many events at once, for commands: about a thousand events in a transaction, one transaction after another."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from headway.ledger.boards import count_all_in
from headway.ledger.commit import commit
from headway.ledger.grading import grade_answers
from headway.ledger.portions import portions
from headway.ledger.record import Answer
from headway.ledger.submission import Submission
from headway.store import learners
from headway.store.catalog import Catalog
from headway.store.database import Database

EVENTS_A_TRANSACTION: Final = 1000


def add_learners(database: Database, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add learners, all or none; columns left out are empty."""
    with database.transaction() as connection:
        learners.add(connection, *rows)


def record_all(
    database: Database, catalog: Catalog, submissions: Iterable[Submission], size: int = EVENTS_A_TRANSACTION
) -> Iterator[Answer]:
    """Record submissions of any number in order, about `size` events a transaction; answers come after each commit."""
    yield from record_portions(database, catalog, portions(submissions, lambda one: len(one.events), size))


def record_portions(database: Database, catalog: Catalog, chunks: Iterable[Sequence[Submission]]) -> Iterator[Answer]:
    """Record submissions in order, those of a portion in one transaction; answers come after each commit."""
    for chunk in chunks:
        # A running server waits for this transaction; it need not wait for graders as well.
        verdicts = grade_answers(database, catalog, (event for one in chunk for event in one.events))
        yield from commit(database, catalog, [one._replace(verdicts=verdicts) for one in chunk] if verdicts else chunk)
    # A running server would count these in, but there need not be one; and readers of boards add what waits.
    count_all_in(database, now=time.time_ns() // 1000)
