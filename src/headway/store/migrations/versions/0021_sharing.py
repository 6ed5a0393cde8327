"""Public pages of learners' progress."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Make the table; nobody shares anything yet."""
    op.create_table(
        "share_page",
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("shows", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_share_page_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", name=op.f("pk_share_page")),
        sa.UniqueConstraint("token", name=op.f("uq_share_page_token")),
    )
