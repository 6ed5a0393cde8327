"""An index of the ledger by day: reads what was done in a period, and all scores, without reading all entries."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    op.create_index("ix_ledger_day", "ledger", ["learner_id", "day", "type", "score", "duration_ms"])
