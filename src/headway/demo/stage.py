"""Setting the demo up in a database: accounts, the course, and all that the simulated learners did."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from random import Random
from typing import Any, Final, NamedTuple

from headway.demo.content import answers, course_manifest
from headway.demo.people import CREATOR_EMAIL, DAYS, new_id
from headway.demo.simulation import LEARNERS, SimulatedLearner, simulate
from headway.domain.errors import HeadwayError
from headway.domain.times import DAY
from headway.ledger.audit import AuditReport, audit
from headway.ledger.backfill import backfill_pending
from headway.ledger.bulk import add_learners, record_portions
from headway.ledger.definitions import install, shipped
from headway.ledger.publish import publish
from headway.ledger.submission import RECORDED, Submission
from headway.store.catalog import Catalog
from headway.store.database import Database

CREATOR_NAME: Final = "Kim Orchardson"
_DAYS_APART: Final = 7


class Staged(NamedTuple):
    """What was put into the database; `results` counts events by what became of them."""

    course_id: str
    learners: int
    results: Counter[str]

    @property
    def recorded(self) -> int:
        """The number of events in the ledger."""
        return self.results[RECORDED]


def stage(
    database: Database, *, now: int, password_hashes: Mapping[str, str], seed: int = 1, count: int = LEARNERS
) -> Staged:
    """Fill a database that is migrated and empty. `password_hashes` are those of the accounts that can sign in."""
    creator = _creator(seed, now, password_hashes)
    add_learners(database, [creator])
    course = publish(database, course_manifest(), now=creator["created_at"], publisher=creator["id"]).course
    # Before anybody does anything, so that achievements have the dates of what earned them.
    install(database, shipped())
    backfill_pending(database, Catalog(), now=lambda: now)
    cast = list(simulate(course, answers(), now=now, seed=seed, count=count))
    add_learners(database, [_row(one, password_hashes) for one in cast])
    results: Counter[str] = Counter()
    for answer in record_portions(database, Catalog(), _spans(cast, now)):
        if answer is None or isinstance(answer, HeadwayError):
            raise answer or AssertionError("unreachable: nobody else records here")
        results.update(result.status for result in answer.results)
    return Staged(course.id, len(cast), results)


def prove(database: Database) -> AuditReport:
    """Work all figures out again from the ledger, and compare."""
    return audit(database, Catalog())


def _spans(cast: list[SimulatedLearner], now: int) -> Iterator[list[Submission]]:
    """The submissions in order of arrival, a week in each transaction, and a day in each for the last week.

    An achievement gets the time of the last event in its transaction. A day in each throughout would take twice as
    long.
    """

    def span(one: Submission) -> int:
        days_ago = (now // DAY) - one.received_at // DAY
        return -days_ago if days_ago < _DAYS_APART else -_DAYS_APART - days_ago // 7

    submissions = sorted((each for one in cast for each in one.submissions), key=lambda one: one.received_at)
    for _, found in groupby(submissions, key=span):
        yield list(found)


def _creator(seed: int, now: int, password_hashes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": new_id(Random(f"{seed}/creator")),  # noqa: S311  # a play, and always the same one
        "kind": "account",
        "email": CREATOR_EMAIL,
        "password_hash": password_hashes.get(CREATOR_EMAIL),
        "display_name": CREATOR_NAME,
        "time_zone": "UTC",
        "roles": "creator",
        "created_at": now - (DAYS + 5) * DAY,
    }


def _row(one: SimulatedLearner, password_hashes: Mapping[str, str]) -> Mapping[str, Any]:
    person = one.person
    return {
        "id": person.id,
        "kind": person.kind,
        "email": person.email,
        "password_hash": password_hashes.get(person.email or ""),
        "display_name": person.name,
        "time_zone": person.zone,
        "created_at": one.created_at,
    }
