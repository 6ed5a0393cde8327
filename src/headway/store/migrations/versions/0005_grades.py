"""Grades that people give, and the pseudonyms of those who give them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")
_HANDED_IN = "waited"
_WAITING = "waited AND score IS NULL"


def upgrade() -> None:
    """Make the tables; no attempt waits yet, as those without a score were sent without one."""
    op.create_table(
        "attempt_grade",
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("attempt_id", ID, nullable=False),
        sa.Column("course_id", sa.String(length=200), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("waited", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("graded_at", sa.BigInteger(), nullable=True),
        sa.Column("graded_by", ID, nullable=True),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_attempt_grade_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "attempt_id", name=op.f("pk_attempt_grade")),
        sqlite_with_rowid=False,
    )
    for name, condition in (("handed_in", _HANDED_IN), ("waiting", _WAITING)):
        op.create_index(
            f"ix_attempt_grade_{name}",
            "attempt_grade",
            ["course_id", "at", "attempt_id"],
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
    op.create_table(
        "pseudonym",
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_pseudonym_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", name=op.f("pk_pseudonym")),
        sa.UniqueConstraint("id", name=op.f("uq_pseudonym_id")),
    )
    op.execute("UPDATE step_sum SET unscored = 0 WHERE unscored <> 0")
