"""How far a learner is with a step, a module or a course, in one word."""

from typing import Final

from headway.domain.course import Step
from headway.domain.progress import StepSum

LOCKED, OPEN, IN_PROGRESS = "locked", "open", "in_progress"
SUBMITTED, COMPLETED = "submitted", "completed"
# The grader that is a person.
MANUAL: Final = "manual"


def is_manual(step: Step) -> bool:
    """Whether answers to the step wait for a person who grades them."""
    return step.grader is not None and step.grader["type"] == MANUAL


def step_status(step: Step, one: StepSum) -> str:
    """`submitted` while an attempt waits for its grade and the step is not completed; what is locked is not said here.

    A step that this version has graded by itself waits for nobody: the learner can answer it anew.
    """
    if one.completion is not None:
        return COMPLETED
    if one.unscored and is_manual(step):
        return SUBMITTED
    return IN_PROGRESS if one.events else OPEN


def status_of(completed: bool, begun: bool) -> str:
    """The status of what is open, be it a module or a course."""
    return COMPLETED if completed else IN_PROGRESS if begun else OPEN
