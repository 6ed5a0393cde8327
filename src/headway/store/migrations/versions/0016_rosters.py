"""Rosters and counters of courses; enrolled learners are added at once, and computed when a server starts."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")
NAME = sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql")
SORTED_BY = ("name", "steps_completed", "score", "active_at")
# Version 0 says that nothing of a learner is in the counters yet.
ENROLLED = """
INSERT INTO roster
SELECT e.learner_id, e.course_id, 0, '', coalesce(e.first_enrolled_at, 0), 0, '', 0, 0, 0, 0, 0, 'open'
FROM enrollment e JOIN learner l ON l.id = e.learner_id
WHERE e.enrolled AND l.kind <> 'guest' AND l.erased_at IS NULL AND l.merged_into IS NULL
"""
ACTIVE = """
UPDATE course_run SET active_at = found.active_at
FROM (
    SELECT coalesce(o.merged_into, o.id) AS learner_id, l.course_id, l.run, max(l.at) AS active_at
    FROM ledger l JOIN learner o ON o.id = l.learner_id
    WHERE l.type IN ('opened', 'worked', 'attempted', 'completed')
    GROUP BY coalesce(o.merged_into, o.id), l.course_id, l.run
) AS found
WHERE found.learner_id = course_run.learner_id AND found.course_id = course_run.course_id AND found.run = course_run.run
"""


def upgrade() -> None:
    """Make the tables, and add enrolled learners."""
    op.add_column("course_run", _column("active_at", sa.BigInteger(), server_default="0"))
    _make_roster()
    _make_counters()
    op.execute(ACTIVE)
    op.execute(ENROLLED)


def _make_roster() -> None:
    op.create_table(
        "roster",
        _column("learner_id", ID),
        _column("course_id", sa.String(length=200)),
        _column("version", sa.Integer()),
        _column("name", NAME),
        _column("enrolled_at", sa.BigInteger()),
        _column("steps_completed", sa.Integer()),
        _column("last_step", sa.String(length=200)),
        _column("score_total", sa.BigInteger()),
        _column("granted_score", sa.Integer()),
        _column("score", sa.Integer()),
        _column("active_at", sa.BigInteger()),
        _column("completed_at", sa.BigInteger()),
        _column("status", sa.String(length=32)),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_roster_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "course_id", name=op.f("pk_roster")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_roster_version", "roster", ["course_id", "version", "learner_id"])
    for name in SORTED_BY:
        op.create_index(f"ix_roster_{name}", "roster", ["course_id", "status", name, "learner_id"])


def _make_counters() -> None:
    figures = ("learners", "attempts", "passed_attempts", "completed", "scored", "best_total")
    op.create_table(
        "step_counter",
        _column("course_id", sa.String(length=200)),
        _column("step_id", sa.String(length=200)),
        _column("slot", sa.SmallInteger()),
        *(_column(name, sa.BigInteger()) for name in figures),
        sa.PrimaryKeyConstraint("course_id", "step_id", "slot", name=op.f("pk_step_counter")),
        sqlite_with_rowid=False,
    )
    key = ("course_id", "figure", "item", "value", "slot")
    op.create_table(
        "course_counter",
        _column("course_id", sa.String(length=200)),
        _column("figure", sa.String(length=32)),
        _column("item", sa.String(length=200)),
        _column("value", sa.BigInteger()),
        _column("slot", sa.SmallInteger()),
        _column("learners", sa.BigInteger()),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_course_counter")),
        sqlite_with_rowid=False,
    )


def _column(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **more)
