"""From an event to its contribution: the judgment that record, audit and rebuild share."""

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
# The source of entries that the server itself writes.
SERVER = "server"
AHEAD_MAX = 5 * MINUTE
DURATION_MS_MAX = 3_600_000
EARLY, LATE = "early", "late"
# Hours of the learner's local time.
EARLY_FROM, EARLY_UNTIL, LATE_FROM = 4, 8, 22
# Returns the score of an answer in millionths; None where a person is to grade it.
Grade: TypeAlias = Callable[[Mapping[str, Any], Any], int | None]


class Circumstances(NamedTuple):
    """What the server knew when it recorded an event; kept beside what was sent.

    `clock_skew` (microseconds) is how far the client's clock was behind the server's, 0 where it was right or unknown;
    for an enrollment that the server itself times, how far this server's clock was behind the enrollment before it.
    `source` is who vouches for the event, before a grader does: reported, imported, server; or erased, once the learner
    was: then the event itself holds the score that it was given.
    `run` is the run of the course that the learner was in, `rules` the rules by which streaks were told.
    """

    received_at: int
    clock_skew: int
    time_zone: str
    source: str
    version: int
    run: int = FIRST_RUN
    rules: StreakRules = STANDARD


def contribute(event: Event, known: Circumstances, course: Course, grade: Grade) -> Contribution:
    """An event's contribution; UnknownStep, GradedStep or EventInvalid where it cannot be recorded."""
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
        # An erased learner's attempt waits for no grade.
        trust_of(event, known.source, step) == GRADED and not (score is None and known.source == ERASED),
        None,
        known.source == IMPORTED,
        _part(event, known, at),
    )


def _part(event: Event, known: Circumstances, at: int) -> str:
    """The part of day that an activity counts in; of an erased learner's, no time of day is kept."""
    if event.type not in SCORED_TYPES or known.source == ERASED:
        return ""
    return part_of_day(local_hour(at, event.offset or known.time_zone))


def part_in(body: str, at: int, time_zone: str) -> str:
    """The part of day of a recorded activity, from its body, its effective time and the learner's time zone then."""
    said = json.loads(body).get("occurred_at")
    offset = 0 if said is None else parse_time(said)[1]
    return part_of_day(local_hour(at, offset or time_zone))


def part_of_day(hour: int) -> str:
    """The part of day that achievements count, by the hour: early from 4 to 8, late from 22 to 4, else ""."""
    if EARLY_FROM <= hour < EARLY_UNTIL:
        return EARLY
    return LATE if hour >= LATE_FROM or hour < EARLY_FROM else ""


def _has_passed(event: Event, known: Circumstances, reached: bool) -> bool:
    """Whether the event passed: of an erased learner's, as its body says where it does; else by the mark."""
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
    """Whether the step passes: by a waiver, by an attempt that passed before (whatever the mark now), or by score.

    An override that only lifts the one before never passes, whatever the pass mark.
    """
    fact, score = event.fact, event.score
    if isinstance(fact, Overridden) and (fact.waived or is_lifting(score, final=fact.final, waived=fact.waived)):
        return fact.waived
    if isinstance(fact, Graded) and fact.passed_before:
        return True
    return score is not None and score >= step.pass_mark


def effective_at(event: Event, known: Circumstances) -> int:
    """The effective time of an event (microseconds): never after it was received, nor before 1970."""
    if is_timed_here(event):
        return known.received_at + known.clock_skew
    at = known.received_at if event.occurred_at is None else event.occurred_at + known.clock_skew
    return max(0, min(at, known.received_at))


def is_timed_here(event: Event) -> bool:
    """Whether the event is an enrollment without a time of its own: the server sets it when recording."""
    return event.occurred_at is None and event.type in ENROLLMENT_TYPES


def set_after(known: Circumstances, enrollment: EnrollmentSum) -> Circumstances:
    """The circumstances with a clock skew that dates an enrollment timed here after the course's stored ones.

    Servers' clocks differ: by its own clock alone, a server could date a `left` before the `enrolled` that it ends.
    """
    return known._replace(clock_skew=max(0, enrollment.changed_at + 1 - known.received_at))


def is_repeat(event: Event, body: str, key: str, course: Course | None) -> bool:
    """Whether an event is the stored one of its id, by body and step's key, even if it calls the step by another id.

    A client repeats what it sent, but a single-event call takes the step's id from its path, and steps are renamed. A
    body that lies in the archive is compared by its digests.
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
    """Who vouches for an event: graded where the step has a grader or the server wrote the entry, else its source."""
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

    Standings ask this object for the worth of steps, and do not hold its owner: in a reference cycle, what was recorded
    would stay in memory until the garbage collector's next search, which costs more the more there is.
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
    """The part of a duration that counts: at most an hour per event, so that a forgotten tab adds nothing absurd."""
    return min(sent_ms, DURATION_MS_MAX)
