"""Statements on the sums: read by keys, written as they now are."""

from collections.abc import Callable, Iterable
from functools import cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from headway.domain.progress import (
    Completion,
    EnrollmentSum,
    PeriodSum,
    Scored,
    StepSum,
)
from headway.domain.sums import DayKey, StepKey, Sums, TopicKey
from headway.store import rows
from headway.store.schema import brought, day_sum, enrollment, step_sum, topic_sum


class Kind(NamedTuple):
    """How one kind of sum lies in its table: its key behind the learner, and its value."""

    table: Table
    read_key: Callable[[rows.Row], Any]
    read_value: Callable[[rows.Row], Any]
    write: Callable[[str, Any, Any], rows.Row]
    held_in: Callable[[Sums], dict[Any, Any]]

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names of the primary key's columns."""
        return tuple(column.name for column in self.table.primary_key)


def _step_value(row: rows.Row) -> StepSum:
    events, attempts, passed, scores, total, best = row[4:10]
    first_at, first_event, first_score, latest_at, latest_event, latest_score = row[10:16]
    at, by, day, version, duration_ms, hints, updated_at = row[16:]
    return StepSum(
        events,
        attempts,
        passed,
        scores,
        total,
        best,
        None if first_at is None else Scored(first_at, first_event, first_score),
        None if latest_at is None else Scored(latest_at, latest_event, latest_score),
        None if at is None else Completion(at, by, day, version),
        duration_ms,
        hints,
        updated_at,
    )


def _step_row(learner_id: str, key: StepKey, one: StepSum) -> rows.Row:
    return (
        learner_id,
        *key,
        *one[:6],
        *(one.first or (None, None, None)),
        *(one.latest or (None, None, None)),
        *(one.completion or (None, None, None, None)),
        one.duration_ms,
        one.hints,
        one.updated_at,
    )


def _flat_row(learner_id: str, key: tuple[Any, ...], one: tuple[Any, ...]) -> rows.Row:
    return (learner_id, *key, *one)


def _period_value(row: rows.Row) -> PeriodSum:
    return PeriodSum._make(row[4:])


def _enrollment_value(row: rows.Row) -> EnrollmentSum:
    return EnrollmentSum(bool(row[2]), row[3], row[4], row[5])


def _enrollment_row(learner_id: str, course_id: str, one: EnrollmentSum) -> rows.Row:
    return (learner_id, course_id, *one)


STEPS = Kind(
    step_sum,
    lambda row: StepKey(*row[1:4]),
    _step_value,
    _step_row,
    lambda sums: sums.steps,
)
DAYS = Kind(
    day_sum,
    lambda row: DayKey._make(row[1:4]),
    _period_value,
    _flat_row,
    lambda sums: sums.days,
)
TOPICS = Kind(
    topic_sum,
    lambda row: TopicKey._make(row[1:4]),
    _period_value,
    _flat_row,
    lambda sums: sums.topics,
)
ENROLLMENTS = Kind(
    enrollment,
    lambda row: row[1],
    _enrollment_value,
    _enrollment_row,
    lambda sums: sums.enrollments,
)
ALL = (STEPS, DAYS, TOPICS, ENROLLMENTS)
# No sum, and part of no standing: where what guests brought lies. It follows from the ledgers as the sums do.
BROUGHT = Kind(brought, lambda row: row[1], lambda row: row[2:4], lambda *one: (*one[:2], *one[2]), lambda _: {})
DERIVED = (*ALL, BROUGHT)


# Of an enrollment two of them say nothing: its key is the first two.
_PRIMARY_KEY: Final = itemgetter(0, 1, 2, 3)


def read(connection: Connection, kind: Kind, keys: Iterable[rows.Row]) -> Iterable[tuple[str, Any, Any]]:
    """(learner, key, value) of those rows with these full primary keys that are there."""
    for row in rows.lookup(connection, kind.table, keys, *kind.table.c.keys(), by=kind.key_names):
        yield row[0], kind.read_key(row), kind.read_value(row)


def read_together(
    connection: Connection, wanted: Iterable[tuple[Kind, Iterable[rows.Row]]]
) -> Iterable[tuple[Kind, Iterable[tuple[str, Any, Any]]]]:
    """For each kind what `read` gives: all in one statement."""
    asked = list(wanted)
    questions = [rows.Question(kind.table, keys, _columns(kind.table), kind.key_names) for kind, keys in asked]
    for (kind, _), found in zip(asked, rows.ask(connection, *questions), strict=True):
        yield kind, [(row[0], kind.read_key(row), kind.read_value(row)) for row in found]


@cache
def _columns(table: Table) -> str:
    return ", ".join(f"t.{column.name}" for column in table.c)


def read_learners(connection: Connection, kind: Kind, learner_ids: Iterable[str]) -> Iterable[tuple[str, Any, Any]]:
    """(learner, key, value) of all rows of these learners."""
    for learner_id, key, row in read_rows(connection, kind, learner_ids):
        yield learner_id, key, kind.read_value(row)


def read_rows(connection: Connection, kind: Kind, learner_ids: Iterable[str]) -> Iterable[tuple[str, Any, rows.Row]]:
    """(learner, key, row as it is stored) of all rows of these learners; `kind.write` gives the row that should be."""
    keys = [(one,) for one in learner_ids]
    for row in rows.lookup(connection, kind.table, keys, *kind.table.c.keys(), by=("learner_id",)):
        yield row[0], kind.read_key(row), tuple(row)


def write(connection: Connection, kind: Kind, changed: Iterable[tuple[str, Any, Any]]) -> None:
    """Put (learner, key, value) in the place of what was, in order of key."""
    rows.upsert(
        connection,
        kind.table,
        sorted((kind.write(*one) for one in changed), key=_PRIMARY_KEY),
    )


def remove(connection: Connection, kind: Kind, keys: Iterable[rows.Row]) -> None:
    """Delete the rows with these full primary keys."""
    rows.delete(connection, kind.table, keys)


def active_days(connection: Connection, learner_ids: Iterable[str]) -> dict[str, set[str]]:
    """Each learner's active days."""
    found: dict[str, set[str]] = {}
    keys = [(one,) for one in learner_ids]
    for learner_id, day, activities in rows.lookup(
        connection, day_sum, keys, "learner_id", "day", "activities", by=("learner_id",)
    ):
        if activities:
            found.setdefault(learner_id, set()).add(day)
    return found
