"""Statements on the runs of a course."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store.schema import course_run, learner


def page(connection: Connection, course_id: str, after: str, limit: int) -> list[tuple[str, int]]:
    """(learner, current run) of learners, not erased nor moved, who began the course; by id, after the given one."""
    statement = (
        sa.select(course_run.c.learner_id, sa.func.max(course_run.c.run))
        .join(learner, learner.c.id == course_run.c.learner_id)
        .where(course_run.c.course_id == course_id, learner.c.erased_at.is_(None), learner.c.merged_into.is_(None))
        .group_by(course_run.c.learner_id)
        .order_by(course_run.c.learner_id)
        .limit(limit)
    )
    if after:
        statement = statement.where(course_run.c.learner_id > after)
    return [(row[0], row[1]) for row in connection.execute(statement)]
