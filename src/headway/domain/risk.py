"""Which learners a course may lose, and why: nobody who has completed it."""

from typing import Final

from headway.domain.enrolled import Enrolled
from headway.domain.times import DAY

NOT_STARTED: Final = "not_started"
INACTIVE: Final = "inactive"
BEHIND: Final = "behind"
# Microseconds, as all times.
STARTED_WITHIN: Final = 7 * DAY
ACTIVE_WITHIN: Final = 14 * DAY


def risk(one: Enrolled, now: int, median_steps: float) -> str | None:
    """Why a learner may be lost; None where nothing suggests it. `now` is in microseconds.

    Not started a week after enrolling, inactive for two weeks, or, two weeks after enrolling, at less than half of the
    median of completed steps.
    """
    if one.completed_at:
        return None
    if not one.active_at:
        return NOT_STARTED if now - one.enrolled_at > STARTED_WITHIN else None
    if now - one.active_at > ACTIVE_WITHIN:
        return INACTIVE
    return BEHIND if one.steps_completed * 2 < median_steps and now - one.enrolled_at > ACTIVE_WITHIN else None
