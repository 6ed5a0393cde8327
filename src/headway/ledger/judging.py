"""Judging: read runs whole, and grant whatever the rules of the version in force say is due."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy.engine import Connection

from headway.ledger.batch import Batch
from headway.ledger.granting import Granting, LearnerRun
from headway.ledger.submission import StatusChange
from headway.store import learners
from headway.store.catalog import Catalog
from headway.store.learners import Locked


class Judging(NamedTuple):
    """Why runs are judged, and when (microseconds)."""

    cause: str
    now: int


def judge(batch: Batch, places: Iterable[LearnerRun], why: Judging) -> list[StatusChange]:
    """Grant what is due in runs of the batch's learners; the caller writes the batch."""
    wanted = sorted(places)
    batch.courses |= batch.catalog.in_force(batch.connection, {course_id for _, course_id, _ in wanted})
    batch.read_runs(wanted)
    granting = Granting(batch)
    for place in wanted:
        granting.give_all(place, why.cause, why.now)
    return granting.statuses


def judge_alone(
    connection: Connection, catalog: Catalog, locked: Mapping[str, Locked], places: Iterable[LearnerRun], why: Judging
) -> list[StatusChange]:
    """Grant what is due in runs of locked learners, and write it."""
    batch = Batch(connection, catalog)
    mine = [place for place in places if place[0] in locked]
    batch.enter(locked[learner_id] for learner_id in dict.fromkeys(place[0] for place in mine))
    for learner_id, head in learners.heads(connection, batch.learners).items():
        batch.learners[learner_id].head = head
    statuses = judge(batch, mine, why)
    batch.write()
    return statuses
