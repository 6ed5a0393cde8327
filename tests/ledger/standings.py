"""How a learner stands in a course, as it is stored and as it is shown."""

from typing import NamedTuple

from headway.store.schema import certificate, granted, step_sum
from headway.views.course_progress import CourseProgress, read_course
from headway.views.subject import Subject
from tests.ledger.world import World


class Seen(NamedTuple):
    """How a learner stands, as it is stored and as it is shown."""

    grants: frozenset[tuple[str, str]]
    certificates: int
    steps: frozenset[str]
    shown: CourseProgress


def seen(world: World, learner_id: str, course_id: str) -> Seen:
    rows = [row for row in world.rows(granted, learner_id) if row["course_id"] == course_id]
    steps = [row["step_id"] for row in world.rows(step_sum, learner_id) if row["course_id"] == course_id]
    issued = [row for row in world.rows(certificate, learner_id) if row["course_id"] == course_id]
    with world.database.read() as connection:
        shown = read_course(connection, world.catalog, Subject(learner_id, "UTC"), course_id)
    grants = frozenset((row["kind"], row["module_id"]) for row in rows)
    return Seen(grants, len(issued), frozenset(steps), shown)
