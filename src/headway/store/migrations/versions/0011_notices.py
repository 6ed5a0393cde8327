"""Notices: what learners are told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Make the table; what was told before is in the ledger, and is not told again."""
    op.create_table(
        "notice",
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_notice_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "seq", "n", name=op.f("pk_notice")),
        sa.UniqueConstraint("learner_id", "id", name=op.f("uq_notice_learner_id_id")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_notice_at"), "notice", ["at"])
