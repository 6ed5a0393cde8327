"""Levels that learners were told of, and activities in the early morning or late at night."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Make the tables; levels reached so far are told to nobody, but count for achievements."""
    op.create_table(
        "topic_level",
        _column("learner_id", ID),
        _column("topic", sa.String(length=200)),
        _column("level", sa.String(length=16)),
        _column("at", sa.BigInteger()),
        _column("event_id", ID),
        _column("previous", sa.String(length=16)),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_topic_level_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "topic", "level", name=op.f("pk_topic_level")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "day_part",
        _column("learner_id", ID),
        _column("part", sa.String(length=16)),
        _column("day", sa.String(length=10)),
        _column("course_id", sa.String(length=200)),
        _column("run", sa.Integer()),
        _column("activities", sa.BigInteger()),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_day_part_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "part", "day", "course_id", "run", name=op.f("pk_day_part")),
        sqlite_with_rowid=False,
    )
    # A backfill gives the levels reached before, as it does achievements.
    op.execute("UPDATE achievement_set SET given_version = version - 1, given_up_to = NULL WHERE version > 0")


def _column(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
