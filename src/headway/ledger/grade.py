"""Grading: a person gives a waiting attempt its score, or raises the score it was given; a grade never lowers."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.errors import GradedStep, HeadwayError, IdReused
from headway.domain.events import Event, fact_event, read_event
from headway.domain.facts import GRADED
from headway.domain.progress import AttemptGrade, GivenGrade
from headway.domain.recording import SERVER
from headway.domain.sums import StepKey
from headway.domain.times import format_time
from headway.ledger.by_hand import (
    LearnerMoved,
    NobodyThere,
    Work,
    course_in_force,
    grade_of,
    lock,
    on_learner,
    signed,
    step_in_force,
    step_now,
    tell,
)
from headway.ledger.submission import DUPLICATE, Receipt, Result, StatusChange, Submission
from headway.store import grades, sums
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Entry

KEPT: Final = "kept"
_SAME: Final = (DUPLICATE, None)
NO_ATTEMPT: Final = "there is no such attempt of such a learner in this course"


class GradeAsked(NamedTuple):
    """A grade for a learner's attempt: `score` in millionths; `by` is an account, None the operator.

    `entry_id` is the grade's own id: sent twice, it counts once.
    """

    course_id: str
    learner_id: str
    attempt_id: str
    score: int
    feedback: str
    by: str | None
    entry_id: str


class GradeGiven(NamedTuple):
    """The result of a grade: recorded, duplicate, or kept, where the attempt `had` a higher score (millionths)."""

    learner_id: str
    receipt: Receipt
    had: int | None = None


def give_grade(database: Database, catalog: Catalog, asked: GradeAsked, *, now: int) -> GradeGiven:
    """Give an attempt its grade, and whatever the learner is due by it, in one transaction.

    NobodyThere where the learner has no such attempt in the course, GradedStep where no person grades it, UnknownStep
    where the version in force has dropped its step.
    """

    def of(learner_id: str) -> Work[GradeGiven | LearnerMoved]:
        return partial(_give, catalog=catalog, asked=asked._replace(learner_id=learner_id), now=now)

    return on_learner(database, asked.learner_id, of)


def _give(
    connection: Connection, statuses: list[StatusChange], *, catalog: Catalog, asked: GradeAsked, now: int
) -> GradeGiven | LearnerMoved:
    locked = lock(connection, asked.learner_id)
    if isinstance(locked, LearnerMoved):
        return locked
    rows = sums.read(connection, sums.GRADES, [(asked.learner_id, asked.attempt_id)])
    grade: AttemptGrade | None = next((one for _, _, one in rows), None)
    if grade is None or grade.course != asked.course_id or not grade.waited:
        raise _not_to_be_graded(connection, asked)
    wanted = {asked.entry_id, asked.attempt_id, *([grade.given.event_id] if grade.given else [])}
    entries = grades.entries_by_id(connection, asked.learner_id, wanted)
    again = entries.get(asked.entry_id)
    unchanged = None if again is not None else _unchanged(asked, grade.given, entries)
    if unchanged == _SAME and _passes_now(connection, catalog, grade):
        unchanged = None
    if unchanged is not None:
        status, had = unchanged
        step = step_now(connection, catalog, asked.learner_id, StepKey(*grade[:3]))
        return GradeGiven(asked.learner_id, Receipt([Result(asked.entry_id, status)], [step], []), had)
    event = (
        _same(asked, again) if again else _new(connection, catalog, asked, grade.given, entries[asked.attempt_id], now)
    )
    (receipt,) = tell(connection, catalog, [Submission(asked.learner_id, (event,), now, source=SERVER)], statuses)
    return GradeGiven(asked.learner_id, receipt)


def _not_to_be_graded(connection: Connection, asked: GradeAsked) -> HeadwayError:
    """Why there is nothing to grade: no such attempt, or one that had its score when it was recorded."""
    attempt = grades.entries_by_id(connection, asked.learner_id, [asked.attempt_id]).get(asked.attempt_id)
    if attempt is None or (attempt.course_id, attempt.type) != (asked.course_id, "attempted"):
        return NobodyThere(NO_ATTEMPT, field="attempt")
    return GradedStep("this attempt waits for no grade; override its step to have it count otherwise", field="attempt")


def _unchanged(
    asked: GradeAsked, given: GivenGrade | None, entries: Mapping[str, Entry]
) -> tuple[str, int | None] | None:
    """Return the outcome of a grade that is not recorded: it would lower the score, or is the one that stands."""
    if given is None or asked.score > given.score:
        return None
    if asked.score == given.score:
        standing = entries.get(given.event_id)
        feedback = json.loads(standing.body).get("feedback", "") if standing else ""
        return _SAME if feedback == asked.feedback else None
    return KEPT, given.score


def _passes_now(connection: Connection, catalog: Catalog, grade: AttemptGrade) -> bool:
    """Return whether a failing grade passes by the mark in force, lowered since: then the grade is recorded again."""
    if grade.given is None or grade.given.passed:
        return False
    step = course_in_force(connection, catalog, grade.course).step(grade.step)
    return step is not None and grade.given.score >= step.pass_mark


def _same(asked: GradeAsked, known: Entry) -> Event:
    """Return the grade recorded under this id, to be answered again; IdReused if it is a different one."""
    said = json.loads(known.body)
    about = (said.get("attempt"), said.get("score"), said.get("feedback", ""))
    if about != (asked.attempt_id, asked.score, asked.feedback):
        raise IdReused("this id was used for something else; make a new UUID for each grade", field="id")
    return read_event(known.event_id, known.body)


def _new(
    connection: Connection,
    catalog: Catalog,
    asked: GradeAsked,
    given: GivenGrade | None,
    attempt: Entry,
    now: int,
) -> Event:
    step = step_in_force(connection, catalog, attempt.course_id, attempt.step_id).step
    # The grade that is given last must be the latest, whatever the servers' clocks say.
    at = now if given is None else max(now, given.at + 1)
    said = grade_of(connection, catalog, attempt, given) | {"step": step.id, "score": asked.score}
    said |= {"feedback": asked.feedback} if asked.feedback else {}
    return fact_event(asked.entry_id, GRADED, format_time(at), signed(connection, said, asked.by))
