"""Achievements: definitions, and what each learner earned."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Make the tables; a starting server adds the definitions, and gives learners those that they meet."""
    op.create_table(
        "achievement",
        _column("learner_id", ID),
        _column("achievement_id", sa.String(length=64)),
        _column("at", sa.BigInteger()),
        _column("event_id", ID),
        _column("day", sa.String(length=10)),
        _column("points", sa.Integer()),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_achievement_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "achievement_id", name=op.f("pk_achievement")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "achievement_definition",
        _column("id", sa.String(length=64)),
        _column("title", sa.Text()),
        _column("description", sa.Text()),
        _column("category", sa.String(length=16)),
        _column("metric", sa.String(length=32)),
        _column("threshold", sa.BigInteger()),
        _column("points", sa.Integer()),
        _column("tier", sa.String(length=16)),
        _column("hidden", sa.Boolean()),
        _column("origin", sa.String(length=16)),
        _column("version", sa.Integer()),
        _column("retired", sa.Boolean()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_achievement_definition")),
    )
    op.create_table(
        "achievement_set",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        _column("version", sa.Integer()),
        _column("given_version", sa.Integer()),
        sa.Column("given_up_to", ID, nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_achievement_set_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_achievement_set")),
    )
    op.execute("INSERT INTO achievement_set (id, version, given_version) VALUES (1, 0, 0)")


def _column(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
