"""Resets: which parts of learners' ledgers no longer count."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Make the table: nobody has reset anything yet."""
    op.create_table(
        "progress_reset",
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("ledger_id", sa.String(length=36), nullable=False),
        sa.Column("course_id", sa.String(length=200), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("up_to", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_progress_reset_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "ledger_id", "course_id", "run", name=op.f("pk_progress_reset")),
        sqlite_with_rowid=False,
    )
