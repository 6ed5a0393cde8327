"""Answers are graded before they are handed in: whoever writes must not wait for a grader."""

import time
from collections.abc import Iterable
from typing import NamedTuple

from headway.domain.course import Step
from headway.domain.errors import HeadwayError
from headway.domain.events import Event
from headway.graders.registry import grade, is_plugins
from headway.ledger.submission import Judged, Verdicts
from headway.store import courses
from headway.store.catalog import Catalog
from headway.store.database import Database


class TooMuchToGrade(HeadwayError):
    """Grading the answers of this request takes too long."""

    code = "too-large"


class PluginAsked(Exception):
    """An answer is for a plugin, and whoever grades here must ask none."""


class _Asked(NamedTuple):
    version: int
    step: Step
    event: Event


def is_answer(event: Event) -> bool:
    """Whether a grader may have to judge an event; whether its step has one is for the course to say."""
    return event.response is not None and event.type == "attempted" and event.score is None


def grade_answers(
    database: Database, catalog: Catalog, events: Iterable[Event], seconds: float | None = None, by_plugins: bool = True
) -> Verdicts:
    """Verdicts on the answers among events, by the courses in force now; TooMuchToGrade beyond the processor's seconds.

    PluginAsked, before anything is graded, where that takes plugins and `by_plugins` says not to ask any.

    The processor's, not the clock's: the same answers are not refused because others are at work. The first is always
    graded, so that whoever sends less at a time gets through.
    """
    answers = [event for event in events if is_answer(event)]
    verdicts: dict[tuple[int, str], Judged] = {}
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
) -> Judged | None:
    """The verdict on an answer by the version that judged it; None where that had no grader. PluginAsked as above.

    `place` is (course, version, key of the step): the event may name the step as it is called now.
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
    """The answers to steps that have a grader. The snapshot is given back before the first is graded."""
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


def _judged(step: Step, event: Event) -> Judged:
    try:
        return grade(step.grader or {}, event.response)
    except HeadwayError as refusal:
        return refusal
