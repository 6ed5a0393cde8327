"""The runs of a course that a learner began."""

from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.facts import CERTIFIED, COURSE_COMPLETED
from headway.domain.gating import score_of_course
from headway.domain.module_scores import shown_percent
from headway.domain.progress import RunSum
from headway.domain.times import format_time
from headway.store.catalog import Catalog
from headway.store.figures import of_course
from headway.views.course_progress import Run, in_force, run_of
from headway.views.subject import Subject


class RunSummary(Struct):
    """One run: when it began and was completed, its score by the version in force, and its certificate."""

    run: int
    started_at: str
    completed_at: str | None
    score_percent: float
    certificate: str | None


def read_runs(connection: Connection, catalog: Catalog, subject: Subject, course_id: str) -> list[RunSummary]:
    """Return a learner's runs of a course, the newest first; UnknownCourse if there is no such course."""
    _, course = in_force(connection, catalog, course_id)
    if subject.learner_id is None:
        return []
    found = of_course(connection, subject.learner_id, course_id)
    return [
        _summary(run_of(course, key.run, found.steps, found.grants), one)
        for key, one in sorted(found.runs.items(), reverse=True)
    ]


def _summary(run: Run, began: RunSum) -> RunSummary:
    completed, certificate = run.held.get((COURSE_COMPLETED, "")), run.held.get((CERTIFIED, ""))
    score = score_of_course(run.course, run.steps, run.held)
    return RunSummary(
        run.number,
        format_time(began.started_at),
        completed and format_time(completed.at),
        shown_percent(score, run.course.pass_mark),
        certificate and certificate.event_id,
    )
