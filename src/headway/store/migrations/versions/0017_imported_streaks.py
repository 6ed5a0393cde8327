"""Streaks that other systems recorded."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Make the table: nothing of the kind was kept so far."""
    op.create_table(
        "imported_streak",
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("longest", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_imported_streak_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "id", name=op.f("pk_imported_streak")),
        sqlite_with_rowid=False,
    )
