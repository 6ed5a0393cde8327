"""Sweeping: after a version was published, every learner of the course is judged by it, some in a transaction."""

from typing import Final

from sqlalchemy.engine import Connection

from headway.domain.course import Course
from headway.ledger.commit import committed, log_statuses
from headway.ledger.judging import Judging, judge_alone
from headway.ledger.submission import StatusChange
from headway.store import courses, learners, runs
from headway.store.catalog import Catalog
from headway.store.database import Database

LEARNERS_A_TRANSACTION: Final = 50


def sweep(database: Database, catalog: Catalog, course_id: str, *, now: int) -> list[StatusChange]:
    """Judge all learners of a course by its version in force, and tell what they came to.

    Where an earlier sweep broke off it goes on; where all were judged nothing is done.
    """
    found: list[StatusChange] = []
    while True:
        portion = committed(database, lambda connection: _portion(connection, catalog, course_id, now))
        if portion is None:
            return found
        log_statuses(portion)
        found += portion


def _portion(connection: Connection, catalog: Catalog, course_id: str, now: int) -> list[StatusChange] | None:
    """Judge the next learners; None where there are none left."""
    row = courses.find(connection, course_id)
    if row is None or row["judged_version"] == row["version"]:
        return None
    page = runs.page(connection, course_id, row["judged_up_to"] or "", LEARNERS_A_TRANSACTION)
    if not page:
        courses.note_judged(connection, course_id, row["version"], None)
        return []
    locked = learners.lock(connection, [learner_id for learner_id, _ in page])
    places = [(learner_id, course_id, run) for learner_id, run in page]
    why = Judging(f"version:{row['version']}", now, now, _before(connection, catalog, course_id, row["judged_version"]))
    statuses = judge_alone(connection, catalog, locked, places, why)
    courses.note_judged(connection, course_id, row["version"], page[-1][0])
    return statuses


def _before(connection: Connection, catalog: Catalog, course_id: str, version: int) -> Course | None:
    return catalog.load(connection, [(course_id, version)]).get((course_id, version)) if version else None
