"""Grade answers before they are handed to the writer, which must not wait for a grader."""

import time
from collections.abc import Iterable
from typing import NamedTuple

from headway.domain.course import Step
from headway.domain.errors import HeadwayError
from headway.domain.events import Event
from headway.graders.registry import grade, is_plugins
from headway.ledger.submission import GradingOutcome, Verdicts
from headway.store import courses
from headway.store.catalog import Catalog
from headway.store.database import Database


class TooMuchToGrade(HeadwayError):
    """Grading the answers of this request takes too long."""

    code = "too-large"


class PluginAsked(Exception):
    """An answer is to be graded by a plugin, and the caller must not ask any."""


class _Asked(NamedTuple):
    version: int
    step: Step
    event: Event


def is_answer(event: Event) -> bool:
    """Return whether an event may need a grader; the course says whether its step has one."""
    return event.response is not None and event.type == "attempted" and event.score is None


def grade_answers(
    database: Database, catalog: Catalog, events: Iterable[Event], seconds: float | None = None, by_plugins: bool = True
) -> Verdicts:
    """Return verdicts on the answers among events, by the courses in force now.

    Raise TooMuchToGrade once grading has taken `seconds` of processor time: not of the clock's, so that the same
    answers are not refused because the server is busy. The first answer is always graded, so that smaller requests get
    through. Raise PluginAsked, before anything is graded, if that takes plugins and `by_plugins` is false.
    """
    answers = [event for event in events if is_answer(event)]
    verdicts: dict[tuple[int, str], GradingOutcome] = {}
    if not answers:
        return verdicts
    start = time.thread_time()
    asked = _asked(database, catalog, answers)
    _see_who_grades([one.step for one in asked], by_plugins)
    for version, step, event in asked:
        if (version, event.body) in verdicts:
            continue
        if verdicts and seconds is not None and time.thread_time() - start > seconds:
            raise TooMuchToGrade(
                "grading every response of this request takes too long; nothing of it was saved: send fewer events at"
                " a time",
                field="response",
            )
        verdicts[version, event.body] = _judged(step, event)
    return verdicts


def grade_by(
    database: Database, catalog: Catalog, event: Event, place: tuple[str, int, str], by_plugins: bool = True
) -> GradingOutcome | None:
    """Return the verdict on an answer by the version that judged it; None if that had no grader.

    `place` is (course, version, key of the step): the event may name the step as it is called now. Raise PluginAsked as
    `grade_answers` does.
    """
    course, version, key = place
    with database.read() as connection:
        step = catalog.load(connection, [(course, version)])[course, version].step_by_key(key)
    _see_who_grades([step], by_plugins)
    return _judged(step, event) if step.grader is not None else None


def _see_who_grades(steps: Iterable[Step], by_plugins: bool) -> None:
    if not by_plugins and any(step.grader is not None and is_plugins(step.grader) for step in steps):
        raise PluginAsked


def _asked(database: Database, catalog: Catalog, answers: Iterable[Event]) -> list[_Asked]:
    """Return the answers to steps that have a grader. The snapshot is released before the first is graded."""
    with database.read() as connection:
        in_force = courses.versions(connection, {event.course for event in answers})
        found, _ = catalog.undamaged(connection, in_force.items())  # recording refuses what is damaged
    asked = []
    for event in answers:
        version = in_force.get(event.course, 0)
        course = found.get((event.course, version))
        step = course.step(event.step or "") if course else None
        if step is not None and step.grader is not None:
            asked.append(_Asked(version, step, event))
    return asked


def _judged(step: Step, event: Event) -> GradingOutcome:
    try:
        return grade(step.grader or {}, event.response)
    except HeadwayError as refusal:
        return refusal
