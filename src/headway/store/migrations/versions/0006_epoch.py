"""Writers remember sums by the end of a ledger; what changes them without an entry of it is counted beside it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the count."""
    op.add_column("learner", sa.Column("epoch", sa.Integer(), nullable=False, server_default="0"))
