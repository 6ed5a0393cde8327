"""From an event to what it adds: the judgment that record, audit and rebuild share."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from headway.domain.course import Course, Step
from headway.domain.errors import GradedStep, UnknownStep
from headway.domain.events import ENROLLMENT_TYPES, SCORED_TYPES, Event, EventInvalid, under_name
from headway.domain.facts import Achieved, Graded, Leveled, Overridden
from headway.domain.filed import digest_of, is_body, read_reference
from headway.domain.overrides import is_lifting
from headway.domain.progress import FIRST_RUN, Contribution, EnrollmentSum, Worth
from headway.domain.streaks import STANDARD, StreakRules
from headway.domain.times import MINUTE, local_day, local_hour, offset_day, parse_time

GRADED, REPORTED, IMPORTED, ERASED = "graded", "reported", "imported", "erased"
# Who says so where the server itself writes an entry.
SERVER = "server"
AHEAD_MAX = 5 * MINUTE
DURATION_MS_MAX = 3_600_000
EARLY, LATE = "early", "late"
# Hours of the learner's own clock.
EARLY_FROM, EARLY_UNTIL, LATE_FROM = 4, 8, 22
# The score of an answer in millionths; None where a person is to give it.
Grade: TypeAlias = Callable[[Mapping[str, Any], Any], int | None]


class Circumstances(NamedTuple):
    """What the server knew when it recorded an event; kept beside what was sent.

    `clock_skew` (microseconds) is what the client's clock was behind the server's, 0 where it was right or unsaid;
    of an enrollment that the server itself times, what this server's clock was behind the enrollment before it.
    `source` is reported or imported: who says so; an answer that the server grades is graded whoever brings it.
    It is erased where whoever did it was erased: the event then says itself which score it was given.
    `run` is the run of the course that the learner was in, `rules` those by which streaks were told of.
    """

    received_at: int
    clock_skew: int
    time_zone: str
    source: str
    version: int
    run: int = FIRST_RUN
    rules: StreakRules = STANDARD


def contribute(event: Event, known: Circumstances, course: Course, grade: Grade) -> Contribution:
    """What an event adds; UnknownStep, GradedStep or EventInvalid where it cannot be recorded."""
    if event.fact is not None:
        return _contribute_fact(event, known, course)
    at = effective_at(event, known)
    day = offset_day(at, event.offset) if event.offset else local_day(at, known.time_zone)
    if event.step is None:
        return Contribution(
            event.id, event.type, event.course, FIRST_RUN, "", known.version, at, day, None, False, 0, 0, ()
        )
    step = course.step(event.step)
    if step is None:
        raise UnknownStep(f"course {course.id} has no step {event.step!r}; its outline lists them", field="step")
    score = event.score if known.source == ERASED else _score(event, step, grade)
    return Contribution(
        event.id,
        event.type,
        event.course,
        known.run,
        step.key,
        known.version,
        at,
        day,
        score,
        event.type == "attempted" and score is not None and _has_passed(event, known, score >= step.pass_mark),
        _counted_duration_ms(event.duration_ms),
        event.hints,
        step.topics,
        # Whoever is erased waits for no grade.
        trust_of(event, known.source, step) == GRADED and not (score is None and known.source == ERASED),
        None,
        known.source == IMPORTED,
        _part(event, known, at),
    )


def _part(event: Event, known: Circumstances, at: int) -> str:
    """The part of the day that an activity counts in; of somebody erased no time of day is left."""
    if event.type not in SCORED_TYPES or known.source == ERASED:
        return ""
    return part_of_day(local_hour(at, event.offset or known.time_zone))


def part_in(body: str, at: int, time_zone: str) -> str:
    """The part of the day of an activity that was recorded, by what was sent, its effective time and the zone then."""
    said = json.loads(body).get("occurred_at")
    offset = 0 if said is None else parse_time(said)[1]
    return part_of_day(local_hour(at, offset or time_zone))


def part_of_day(hour: int) -> str:
    """The part of the day that achievements count: early from 4 to 8, late from 22 to 4, else none."""
    if EARLY_FROM <= hour < EARLY_UNTIL:
        return EARLY
    return LATE if hour >= LATE_FROM or hour < EARLY_FROM else ""


def _has_passed(event: Event, known: Circumstances, reached: bool) -> bool:
    """Of somebody erased, what a grade said; else whether the mark is reached."""
    return reached if event.passed is None or known.source != ERASED else event.passed


def _contribute_fact(event: Event, known: Circumstances, course: Course) -> Contribution:
    step = None if event.step is None else course.step(event.step)
    if event.step is not None and step is None:
        raise UnknownStep(f"course {course.id} has no step {event.step!r}", field="step")
    at, passed = event.occurred_at or 0, step is not None and _passes(event, step)
    day = event.fact.day if isinstance(event.fact, Achieved | Leveled) else None
    return Contribution(
        event.id,
        event.type,
        event.course,
        event.run,
        step.key if step else "",
        known.version,
        at,
        day or local_day(at, known.time_zone),
        event.score,
        passed,
        0,
        0,
        step.topics if step else (),
        step is not None,
        event.fact,
    )


def _passes(event: Event, step: Step) -> bool:
    """A waiver passes, and an attempt that passed once does however high the mark is by now; what lifts never does."""
    fact, score = event.fact, event.score
    if isinstance(fact, Overridden) and (fact.waived or is_lifting(score, final=fact.final, waived=fact.waived)):
        return fact.waived
    if isinstance(fact, Graded) and fact.passed_before:
        return True
    return score is not None and score >= step.pass_mark


def effective_at(event: Event, known: Circumstances) -> int:
    """When the event counts as having happened: never after it was received."""
    if is_timed_here(event):
        return known.received_at + known.clock_skew
    at = known.received_at if event.occurred_at is None else event.occurred_at + known.clock_skew
    return max(0, min(at, known.received_at))


def is_timed_here(event: Event) -> bool:
    """Whether the event is an enrollment without a time of its own: it happens where it stands in the ledger."""
    return event.occurred_at is None and event.type in ENROLLMENT_TYPES


def set_after(known: Circumstances, enrollment: EnrollmentSum) -> Circumstances:
    """The circumstances in which an enrollment that is timed here comes after all that is stored of its course.

    Servers' clocks differ: by its clock alone, a `left` could come to lie before the `enrolled` that it ends.
    """
    return known._replace(clock_skew=max(0, enrollment.changed_at + 1 - known.received_at))


def is_repeat(event: Event, body: str, key: str, course: Course | None) -> bool:
    """Whether an event is the one that is stored, by its body and its step's key, be it under another name of the step.

    A client sends again what it sent, but a single-event call has the step's name from its path, and steps are renamed.
    A body that lies in the archive is told by its digests.
    """
    if is_body(body, event.body):
        return True
    step = course.step(event.step) if course is not None and event.step is not None else None
    if step is None or step.key != key:
        return False
    filed = read_reference(body)
    if filed is not None:
        return filed.named == digest_of(under_name(event.body, step=key))
    return event.body == under_name(body, step=event.step or "")


def is_ahead(event: Event, received_at: int, clock_skew: int) -> bool:
    """Whether the client's clock was so far ahead that the event is taken as now."""
    return event.occurred_at is not None and event.occurred_at + clock_skew > received_at + AHEAD_MAX


def trust_of(event: Event, source: str, step: Step | None) -> str:
    """Who vouches for an event on a step of its course."""
    if event.fact is not None and step is not None:
        return GRADED
    return GRADED if step is not None and step.grader is not None and event.type == "attempted" else source


def worth_of(course: Course, key: str) -> Worth:
    """What completing a step is worth in a version of its course."""
    step = course.step_by_key(key)
    vouched = course.evidence == "graded" and step.kind != "lesson"
    return Worth(step.points, step.is_exercise, step.topics, step.pass_mark if vouched else None)


class Versions(dict[tuple[str, int], Course]):
    """Courses by id and version.

    Standings ask this what steps are worth, not what holds them: amid circles of references what was recorded stays in
    memory until a search for such circles, and that costs more the more there is.
    """

    def worth_of(self, course_id: str, version: int, step: str) -> Worth:
        """What completing a step is worth in a version of its course."""
        return worth_of(self[course_id, version], step)


def _score(event: Event, step: Step, grade: Grade) -> int | None:
    if step.grader is None:
        return event.score
    if event.type == "completed" or event.score is not None:
        raise GradedStep(
            f"step {step.id} is graded by the server: send the answer as response, without a score", field="score"
        )
    if event.type != "attempted":
        return None
    if event.response is None:
        raise EventInvalid(f"response is missing: step {step.id} is graded from the answer", field="response")
    return grade(step.grader, event.response)


def _counted_duration_ms(sent_ms: int) -> int:
    """What of a duration counts: at most an hour an event, so that a forgotten tab adds nothing absurd."""
    return min(sent_ms, DURATION_MS_MAX)
