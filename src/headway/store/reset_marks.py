"""Statements on what learners reset: which entries of the ledger no longer count."""

from collections.abc import Iterable
from functools import cache
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.resets import Marks, ResetKey, ResetMark
from headway.store import sums
from headway.store.entries import Entry
from headway.store.schema import progress_reset

NO_MARKS: Final[Marks] = {}


def any_of(connection: Connection, learner_id: str) -> bool:
    """Whether a learner ever reset anything, so that some entries of the ledger may no longer count."""
    found = sa.select(progress_reset.c.learner_id).where(progress_reset.c.learner_id == learner_id).limit(1)
    return connection.execute(found).first() is not None


def of_learners(connection: Connection, learner_ids: Iterable[str]) -> dict[str, dict[ResetKey, ResetMark]]:
    """What each of these learners reset; learners who never did are left out."""
    found: dict[str, dict[ResetKey, ResetMark]] = {}
    for learner_id, key, mark in sums.read_learners(connection, sums.RESETS, learner_ids):
        found.setdefault(learner_id, {})[key] = mark
    return found


def counts(marks: Marks, entry: Entry, account_id: str) -> bool:
    """Whether an entry on a step, of the account's own or of a guest moved into it, still counts."""
    ledger = "" if entry.learner_id == account_id else entry.learner_id
    mark = marks.get(ResetKey(ledger, entry.course_id, entry.run)) if entry.step_id else None
    return mark is None or entry.at > mark.up_to


@cache
def condition(ledger: str) -> str:
    """An SQL condition for an entry `e` of the learner `:learner` to count; `ledger` is the SQL of its `ledger_id`."""
    return (
        f"NOT EXISTS (SELECT 1 FROM progress_reset p WHERE p.learner_id = :learner AND p.ledger_id = {ledger}"  # noqa: S608  # our own words
        " AND p.course_id = e.course_id AND p.run = e.run AND e.at <= p.up_to)"
    )
