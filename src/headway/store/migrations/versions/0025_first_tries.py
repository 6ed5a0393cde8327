"""The version of its course by which a step was first scored."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column; `rebuild` fills it for what was recorded before."""
    op.add_column("step_sum", sa.Column("first_version", sa.Integer(), nullable=True))
