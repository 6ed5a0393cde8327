"""Record what people say of a learner's step as an entry: who said it, when and why; once, under the learner's lock."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar
from unicodedata import category
from uuid import uuid4

from sqlalchemy.engine import Connection

from headway.domain.course import Course, Module, Policy, Step
from headway.domain.errors import Busy, HeadwayError, IdentityGone, Invalid, UnknownCourse
from headway.domain.progress import GivenGrade, StepSum
from headway.domain.recording import GRADED
from headway.domain.sums import StepKey
from headway.domain.times import format_time
from headway.ledger.commit import committed, log_statuses
from headway.ledger.record import Answer, record
from headway.ledger.submission import Receipt, StatusChange, Submission, TouchedStep
from headway.store import learners, pseudonyms, sums
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Entry
from headway.store.learners import Locked

T = TypeVar("T")
# A transaction's work; it adds status changes to the list, to be logged after the commit.
Work: TypeAlias = Callable[[Connection, list[StatusChange]], T]

FEEDBACK_MAX: Final = 5_000
REASON_MAX: Final = 1_000
# How often a learner may be moved into an account while somebody grades.
_MOVES_MAX: Final = 3


class NobodyThere(HeadwayError):
    """There is no such learner, or nothing of theirs here."""

    code = "not-found"


class LearnerMoved(NamedTuple):
    """The learner is part of an account now, and the work is to be done on that account."""

    account_id: str


class _Rehearsed(Exception):
    """A dry run has done all its work, which is to be rolled back."""


def carry_out(database: Database, work: Work[T], *, dry_run: bool = False) -> T:
    """Return what `work` returns in a transaction that is committed, or with `dry_run` rolled back at the end."""
    statuses: list[StatusChange] = []
    made: list[T] = []

    def run(connection: Connection) -> None:
        made[:] = [work(connection, statuses)]
        if dry_run:
            raise _Rehearsed

    try:
        committed(database, run)
    except _Rehearsed:
        return made[0]
    log_statuses(statuses)
    return made[0]


def on_learner(
    database: Database, learner_id: str, work_on: Callable[[str], Work[T | LearnerMoved]], *, dry_run: bool = False
) -> T:
    """Do work under a learner's lock, or under that of the account into which the learner was moved meanwhile."""
    for _ in range(_MOVES_MAX):
        made = carry_out(database, work_on(learner_id), dry_run=dry_run)
        if not isinstance(made, LearnerMoved):
            return made
        learner_id = made.account_id
    raise Busy("the learner is being moved into an account; try again in a moment")


def lock(connection: Connection, learner_id: str) -> Locked | LearnerMoved:
    """Lock the learner and return them, or the account they were moved into; NobodyThere if they are gone."""
    locked = learners.lock(connection, [learner_id]).get(learner_id)
    if locked is None or locked.erased_at is not None:
        raise NobodyThere("there is no such learner", field="learner")
    return locked if locked.merged_into is None else LearnerMoved(locked.merged_into)


def tell(
    connection: Connection, catalog: Catalog, told: Sequence[Submission], statuses: list[StatusChange]
) -> list[Receipt]:
    """Record entries that the server adds, all or none."""
    receipts = [_receipt(answer) for answer in record(connection, catalog, told, tried=list(statuses))]
    statuses[:] = (change for one in receipts for change in one.statuses)
    return receipts


def _receipt(answer: Answer) -> Receipt:
    if not isinstance(answer, Receipt):
        raise answer or NobodyThere("there is no such learner", field="learner")
    problem = next((one.problem for one in answer.results if one.problem is not None), None)
    if problem is not None:
        raise problem.with_traceback(None)
    return answer


class InForce(NamedTuple):
    """A step and its module in the version of the course in force, and the number of that version."""

    version: int
    module: Module
    step: Step

    @property
    def policy(self) -> Policy:
        """Which of the step's scores counts."""
        return self.module.policies.of(self.step.kind)


def course_in_force(connection: Connection, catalog: Catalog, course_id: str) -> Course:
    """The version of a course in force; UnknownCourse where there is none."""
    return _in_force(connection, catalog, course_id)[1]


def step_in_force(connection: Connection, catalog: Catalog, course_id: str, step_id: str) -> InForce:
    """Return a step of the version in force, by any id it ever had; UnknownCourse or UnknownStep if there is none."""
    version, course = _in_force(connection, catalog, course_id)
    return InForce(version, *course.place_named(step_id))


def _in_force(connection: Connection, catalog: Catalog, course_id: str) -> tuple[int, Course]:
    found = catalog.in_force(connection, [course_id]).get(course_id)
    if found is None:
        raise UnknownCourse("there is no course of that name", field="course")
    return found


def step_now(connection: Connection, catalog: Catalog, learner_id: str, key: StepKey) -> TouchedStep:
    """Return a learner's current figures of a step, for when nothing was recorded."""
    _, course = catalog.in_force(connection, [key.course])[key.course]
    found = sums.read(connection, sums.STEPS, [(learner_id, *key)])
    return TouchedStep.of(course, key, next((one for _, _, one in found), StepSum()))


def grade_of(connection: Connection, catalog: Catalog, attempt: Entry, given: GivenGrade | None) -> dict[str, Any]:
    """Return what a grade records about its attempt: where it was made, and its score before."""
    then = catalog.load(connection, [(attempt.course_id, attempt.version)])[attempt.course_id, attempt.version]
    return {
        "course": attempt.course_id,
        "run": attempt.run,
        "attempt": attempt.event_id,
        "attempted_at": format_time(attempt.at),
        "day": attempt.day,
        "topics": then.step_by_key(attempt.step_id).topics,
        "before": attempt.score if given is None else given.score,
        "passed_before": bool(attempt.passed) if given is None else given.passed,
        "waited": given is None and attempt.score is None and attempt.trust == GRADED,
    }


def signed(connection: Connection, said: Mapping[str, Any], account_id: str | None) -> dict[str, Any]:
    """Return `said` with the account that says it, under its pseudonym, made on first use; None stands for operators.

    Erasing the account removes the pseudonym and leaves others' ledgers unchanged. Raise IdentityGone if the account is
    gone.
    """
    if account_id is None:
        return dict(said)
    found = pseudonyms.of(connection, account_id)
    if found is None:
        pseudonyms.add(connection, account_id, str(uuid4()))
        found = pseudonyms.of(connection, account_id)
    if found is None:
        raise IdentityGone("there is no such account any more")
    return {**said, "by": found}


def check_text(sent: str, field: str, longest: int, *, may_be_empty: bool = False) -> str:
    """Return a text for people, stripped; Invalid if it is empty, too long, or has control characters."""
    text = sent.strip()
    odd = any(category(one) in ("Cc", "Cs") and one not in "\n\r\t" for one in text)
    if len(text) > longest or odd or not (text or may_be_empty):
        least = 0 if may_be_empty else 1
        raise Invalid(f"{field} must be a text of {least} to {longest:,} characters, none for control", field=field)
    return text
