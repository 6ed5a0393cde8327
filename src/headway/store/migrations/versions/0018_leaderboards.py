"""Leaderboards, and learners' choices about being shown on them."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Make the tables; where there are learners already, the next server computes their standings."""
    op.add_column("learner", sa.Column("leaderboard_alias", sa.String(length=200)))
    op.add_column("learner", _column("leaderboard_opt_out", sa.Boolean(), server_default=sa.false()))
    op.create_table(
        "board_move",
        _column("learner_id", ID),
        _column("move_id", ID),
        _column("course_id", sa.String(length=200)),
        _column("at", sa.BigInteger()),
        _column("place", sa.BigInteger()),
        sa.PrimaryKeyConstraint("learner_id", "move_id", name=op.f("pk_board_move")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "board_row",
        _column("learner_id", ID),
        _column("course_id", sa.String(length=200)),
        _column("period", sa.String(length=10)),
        _column("place", sa.BigInteger()),
        _column("shown", sa.Boolean()),
        sa.PrimaryKeyConstraint("learner_id", "course_id", "period", name=op.f("pk_board_row")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_board_row_rank", "board_row", ["course_id", "period", "shown", "place", "learner_id"])
    op.create_table(
        "board_tally",
        _column("course_id", sa.String(length=200)),
        _column("period", sa.String(length=10)),
        _column("level", sa.Integer(), autoincrement=False),
        _column("place", sa.BigInteger(), autoincrement=False),
        _column("learners", sa.BigInteger()),
        sa.PrimaryKeyConstraint("course_id", "period", "level", "place", name=op.f("pk_board_tally")),
        sqlite_with_rowid=False,
    )
    _keep()
    op.execute(
        "INSERT INTO board_state (id, time_zone, kept_from, is_built)"
        " SELECT 1, 'UTC', '', NOT EXISTS (SELECT 1 FROM step_sum)"
    )


def _keep() -> None:
    """Make the tables of boards and their state."""
    op.create_table(
        "board",
        _column("course_id", sa.String(length=200)),
        _column("period", sa.String(length=10)),
        _column("mark", sa.BigInteger()),
        sa.PrimaryKeyConstraint("course_id", "period", name=op.f("pk_board")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "board_state",
        _column("id", sa.Integer(), autoincrement=False),
        _column("time_zone", sa.String(length=64)),
        _column("kept_from", sa.String(length=10)),
        _column("is_built", sa.Boolean()),
        sa.CheckConstraint("id = 1", name=op.f("ck_board_state_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_state")),
    )


def _column(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **more)
