"""What people say of steps counts in rosters: whoever is in a course of which anything was said is counted anew."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TOLD_OF = "course_id IN (SELECT course_id FROM step_sum WHERE override IS NOT NULL)"


def upgrade() -> None:
    """Say that nobody there was counted by any version yet; the next server, or `rebuild`, counts them."""
    op.execute(f"UPDATE roster SET version = 0 WHERE {TOLD_OF}")  # noqa: S608  # our own words
    op.execute(f"DELETE FROM step_counter WHERE {TOLD_OF}")  # noqa: S608  # our own words
    op.execute(f"DELETE FROM course_counter WHERE {TOLD_OF}")  # noqa: S608  # our own words
