"""Messages due are looked up by endpoint, so that the backlog of one is not read for all others."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace one index by another."""
    op.create_index(op.f("ix_webhook_due_webhook_id_due_at"), "webhook_due", ["webhook_id", "due_at"])
    op.drop_index(op.f("ix_webhook_due_due_at"), "webhook_due")
