"""The status of a step, a module or a course."""

from typing import Final

from headway.domain.course import Step
from headway.domain.progress import StepSum

LOCKED, OPEN, IN_PROGRESS = "locked", "open", "in_progress"
SUBMITTED, COMPLETED = "submitted", "completed"
# The type of grader that has a person grade.
MANUAL: Final = "manual"


def is_manual(step: Step) -> bool:
    """Whether a person grades the answers to the step."""
    return step.grader is not None and step.grader["type"] == MANUAL


def step_status(step: Step, one: StepSum) -> str:
    """The status of a step, locks aside; `submitted` while it is not completed and an attempt waits for a grade.

    Where this version has a grader of the server's instead, nothing is `submitted`: the learner can answer anew.
    """
    if one.completion is not None:
        return COMPLETED
    if one.unscored and is_manual(step):
        return SUBMITTED
    return IN_PROGRESS if one.events else OPEN


def status_of(completed: bool, begun: bool) -> str:
    """The status of a module or a course that is not locked."""
    return COMPLETED if completed else IN_PROGRESS if begun else OPEN
