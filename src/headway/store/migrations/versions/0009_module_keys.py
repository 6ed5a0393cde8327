"""Modules keep their key when renamed, as steps do; so far none had a former id."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the keys of modules by every id that they had."""
    op.add_column("course_version", sa.Column("module_keys", sa.Text(), nullable=False, server_default="{}"))
