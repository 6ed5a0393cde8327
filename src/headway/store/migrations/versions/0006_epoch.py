"""Writers remember sums by the end of a ledger; the epoch counts changes of sums without an entry."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the epoch."""
    op.add_column("learner", sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"))
