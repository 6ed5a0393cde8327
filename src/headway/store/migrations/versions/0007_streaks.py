"""Streaks: imported activities by day, pauses, and the rules by which streaks were told."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")

# Summed as entries are: events of guests count for the account to which they were brought.
_IMPORTED = """
    INSERT INTO imported_day (learner_id, day, course_id, run, activities)
    SELECT coalesce(b.learner_id, e.learner_id), e.day, e.course_id, e.run, count(*)
    FROM ledger e LEFT JOIN brought b ON b.guest_id = e.learner_id AND b.seq = e.seq
    WHERE e.source = 'imported' AND e.type IN ('attempted', 'completed') GROUP BY 1, 2, 3, 4"""


def upgrade() -> None:
    """Make the tables, and fill in what follows from the ledger; streaks told so far knew no freezes."""
    # The default gives existing rows a value without rewriting them; new rows are always written with their own.
    op.add_column("ledger", sa.Column("streak_rules", sa.String(length=16), nullable=True, server_default="before"))
    days = ("day", sa.String(length=10)), ("course_id", sa.String(length=200)), ("run", sa.Integer())
    _table("imported_day", days, [sa.Column("activities", sa.BigInteger(), nullable=False)])
    ends = [sa.Column(name, sa.String(length=10), nullable=False) for name in ("first_on", "last_on")]
    _table("streak_pause", [("id", ID)], ends)
    op.execute(_IMPORTED)


def _table(name: str, key: Any, columns: list[sa.Column[Any]]) -> None:
    op.create_table(
        name,
        sa.Column("learner_id", ID, nullable=False),
        *(sa.Column(column, kind, nullable=False) for column, kind in key),
        *columns,
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f(f"fk_{name}_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", *(column for column, _ in key), name=op.f(f"pk_{name}")),
        sqlite_with_rowid=False,
    )
