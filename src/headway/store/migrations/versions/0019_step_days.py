"""Attempts at each step by day, by which reviews become due."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")
FIGURES = ("attempts", "passed_attempts", "unscored", "hints")


def upgrade() -> None:
    """Make the table; `rebuild` fills it for what was recorded before."""
    op.create_table(
        "step_day",
        _column("learner_id", ID),
        _column("course_id", sa.String(length=200)),
        _column("run", sa.Integer()),
        _column("step_id", sa.String(length=200)),
        _column("day", sa.String(length=10)),
        *(_column(name, sa.BigInteger()) for name in FIGURES),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_step_day_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "course_id", "run", "step_id", "day", name=op.f("pk_step_day")),
        sqlite_with_rowid=False,
    )


def _column(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
