"""Webhooks: endpoints, messages due, and deliveries."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    _make_endpoints()
    _make_due()
    _make_deliveries()


def _make_endpoints() -> None:
    op.create_table(
        "webhook",
        _column("id", ID),
        _column("learner_id", ID),
        sa.Column("course_id", sa.String(length=200), nullable=True),
        _column("url", sa.Text()),
        _column("types", sa.Text()),
        _column("secret", sa.Text()),
        _column("created_at", sa.BigInteger()),
        _column("active", sa.Boolean()),
        _column("failures", sa.Integer()),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        _column("retry_at", sa.BigInteger()),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled_why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_webhook_learner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_index(op.f("ix_webhook_learner_id"), "webhook", ["learner_id"])
    op.create_index(op.f("ix_webhook_active"), "webhook", ["active"])


def _make_due() -> None:
    op.create_table(
        "webhook_due",
        _column("webhook_id", ID),
        _column("learner_id", ID),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        _column("due_at", sa.BigInteger()),
        _column("tries", sa.Integer()),
        sa.PrimaryKeyConstraint("webhook_id", "learner_id", "seq", "n", name=op.f("pk_webhook_due")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_webhook_due_due_at"), "webhook_due", ["due_at"])


def _make_deliveries() -> None:
    op.create_table(
        "webhook_delivery",
        _column("id", ID),
        _column("webhook_id", ID),
        _column("learner_id", ID),
        _column("seq", sa.BigInteger()),
        _column("n", sa.Integer()),
        _column("message_id", sa.String(length=64)),
        _column("type", sa.Text()),
        _column("at", sa.BigInteger()),
        _column("took_ms", sa.Integer()),
        _column("attempt", sa.Integer()),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
    )
    op.create_index(op.f("ix_webhook_delivery_learner_id"), "webhook_delivery", ["learner_id"])
    op.create_index(op.f("ix_webhook_delivery_at"), "webhook_delivery", ["at"])
    op.create_index(op.f("ix_webhook_delivery_webhook_id_at"), "webhook_delivery", ["webhook_id", "at"])


def _column(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
