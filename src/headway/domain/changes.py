"""What an event brought about: the difference between before and after, told to the learner and kept with the event."""

from typing import Any, TypeAlias

from headway.domain.progress import EnrollmentSum, StepSum
from headway.domain.times import format_time

Change: TypeAlias = dict[str, Any]


def step_completed(course: str, step: str, before: StepSum, after: StepSum) -> list[Change]:
    """Whether a step came to be completed; a completion that an earlier event moves is none."""
    if before.completion is not None or after.completion is None:
        return []
    at = format_time(after.completion.at)
    return [{"type": "step_completed", "course": course, "step": step, "completed_at": at}]


def streak_extended(day: str, before: int, after: int) -> list[Change]:
    """Whether the current streak grew; `day` is the day that joined it."""
    return [{"type": "streak_extended", "current": after, "day": day}] if after > before else []


def enrollment_changed(course: str, before: EnrollmentSum, after: EnrollmentSum) -> list[Change]:
    """Whether the learner came into the course or went."""
    if before.enrolled == after.enrolled:
        return []
    return [{"type": "enrolled" if after.enrolled else "left", "course": course}]
