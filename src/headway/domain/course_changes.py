"""What a version of a course changes against the one before."""

from typing import NamedTuple

from headway.domain.course import Course


class StepsChanged(NamedTuple):
    """Ids of steps in the order of their course; the renamed as (before, after)."""

    added: list[str]
    removed: list[str]
    renamed: list[tuple[str, str]]


def steps_changed(before: Course | None, after: Course) -> StepsChanged:
    """The difference between two versions, by the keys that progress is kept under."""
    was = {step.key: step.id for step in before.steps} if before else {}
    now = {step.key: step.id for step in after.steps}
    return StepsChanged(
        [step_id for key, step_id in now.items() if key not in was],
        [step_id for key, step_id in was.items() if key not in now],
        [(step_id, now[key]) for key, step_id in was.items() if key in now and now[key] != step_id],
    )
