"""What learners handed in for people to grade: waiting, or graded."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Raw, Struct
from sqlalchemy.engine import Connection

from headway.domain.course import Course
from headway.domain.progress import AttemptGrade
from headway.domain.scores import fraction
from headway.domain.step_status import is_manual
from headway.domain.times import format_time
from headway.store import grades, pseudonyms, sums
from headway.store.grades import AttemptQuery, Submitted
from headway.views.people import Person, Said, decode_said, person

Status: TypeAlias = Literal["waiting", "graded", "all"]
_WAITING: Final[Mapping[Status, bool | None]] = {"waiting": True, "graded": False, "all": None}


class Submission(Struct):
    """An attempt that a person grades. The score is 0 to 1, and null while it waits.

    `graded_by` is null while it waits, and if the operator graded it, or somebody since erased; `attempts` is how many
    the learner made on the step in that run.
    """

    attempt: str
    learner: Person
    step: str
    title: str
    run: int
    submitted_at: str
    response: Any
    attempts: int
    score: float | None
    passed: bool
    feedback: str | None
    graded_by: Person | None
    graded_at: str | None


class SubmissionQuery(NamedTuple):
    """Which attempts are wanted, and after which place."""

    step: str | None = None
    learner_id: str | None = None
    status: Status = "waiting"
    behind: tuple[int, str, str] | None = None
    limit: int = 50


class Page(NamedTuple):
    """Submissions, the oldest first; where the page ends if there are more; and the steps' guides for graders."""

    items: list[Submission]
    next_place: tuple[int, str, str] | None
    guides: dict[str, str]


class _Sent(Struct):
    response: Raw


_decode_sent: Final = msgspec.json.Decoder(_Sent).decode


def check_step(course: Course, step_id: str | None) -> None:
    """Raise UnknownStep if a step is given and a version has none of that id."""
    _keys(course, step_id)


def read_submissions(connection: Connection, course: Course, asked: SubmissionQuery) -> Page:
    """Return a page of what was handed in at the steps of a version; UnknownStep if it has none of that id."""
    wanted = AttemptQuery(_keys(course, asked.step), asked.learner_id, _WAITING[asked.status], asked.behind)
    found = grades.submitted(connection, course.id, wanted, asked.limit + 1)
    shown = found[: asked.limit]
    said = [decode_said(one.graded) if one.graded else Said() for one in shown]
    people = pseudonyms.names(connection, {one.by for one in said if one.by})
    items = [_submission(course, one, *pair) for one, pair in zip(shown, _with_people(said, people), strict=True)]
    return Page(items, shown[-1].place if found[asked.limit :] else None, _guides(course, items))


class Given(NamedTuple):
    """The score of an attempt, 0 to 1, whether it passed, and its feedback."""

    score: float | None
    passed: bool
    feedback: str


def grade_now(connection: Connection, learner_id: str, attempt_id: str) -> Given | None:
    """The grade that an attempt was given since it was recorded; None where it has none."""
    rows = sums.read(connection, sums.GRADES, [(learner_id, attempt_id)])
    grade: AttemptGrade | None = next((one for _, _, one in rows), None)
    given = grade.given if grade else None
    if given is None:
        return None
    entry = grades.entries_by_id(connection, learner_id, [given.event_id]).get(given.event_id)
    said = decode_said(entry.body).feedback if entry else None
    return Given(fraction(given.score), given.passed, said or "")


def _keys(course: Course, step_id: str | None) -> list[str]:
    if step_id is None:
        return [step.key for step in course.steps]
    return [course.step_named(step_id).key]


def _with_people(
    said: Iterable[Said], people: Mapping[str, tuple[str, str | None]]
) -> Iterable[tuple[Said, Person | None]]:
    return ((one, person(one.by, people)) for one in said)


def _submission(course: Course, one: Submitted, said: Said, by: Person | None) -> Submission:
    step = course.step_by_key(one.step_id)
    return Submission(
        attempt=one.attempt_id,
        learner=Person(one.learner_id, one.display_name),
        step=step.id,
        title=step.title,
        run=one.run,
        submitted_at=format_time(one.at),
        response=_decode_sent(one.sent).response,
        attempts=one.attempts,
        score=fraction(one.score),
        passed=bool(one.passed),
        feedback=said.feedback,
        graded_by=by,
        graded_at=None if one.graded_at is None else format_time(one.graded_at),
    )


def _guides(course: Course, items: Iterable[Submission]) -> dict[str, str]:
    shown = {one.step for one in items}
    manual = (step for step in course.steps if step.id in shown and is_manual(step))
    return {step.id: step.grader["guide"] for step in manual if step.grader and step.grader.get("guide")}
