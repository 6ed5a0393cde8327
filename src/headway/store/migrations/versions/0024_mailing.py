"""The channels by which learners want each kind of notice, notices to be mailed, and confirmed addresses."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Make the tables: nobody has chosen anything, and nothing is mailed until somebody does."""
    _make_preferences()
    _make_mails()
    _make_confirmed()


def _make_preferences() -> None:
    op.create_table(
        "notice_preference",
        _column("learner_id", ID),
        _column("kind", sa.String(length=32)),
        _column("in_app", sa.Boolean()),
        _column("stream", sa.Boolean()),
        sa.Column("mailed_since", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_notice_preference_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "kind", name=op.f("pk_notice_preference")),
        sqlite_with_rowid=False,
    )


def _make_mails() -> None:
    op.create_table(
        "notice_mail",
        _column("learner_id", ID),
        _column("notice_id", ID),
        _column("kind", sa.String(length=32)),
        _column("at", sa.BigInteger()),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        _column("tries", sa.Integer()),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_notice_mail_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "notice_id", name=op.f("pk_notice_mail")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_notice_mail_at"), "notice_mail", ["at"])
    waiting = sa.text("due_at IS NOT NULL")
    op.create_index("ix_notice_mail_due_at", "notice_mail", ["due_at"], sqlite_where=waiting, postgresql_where=waiting)


def _make_confirmed() -> None:
    """Make the table; of existing accounts, those whose address a provider verified count as confirmed."""
    op.create_table(
        "confirmed_address",
        _column("learner_id", ID),
        _column("email", sa.String(length=320)),
        _column("at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_confirmed_address_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", name=op.f("pk_confirmed_address")),
        sqlite_with_rowid=False,
    )
    # Without a password it was a provider that verified the address: one with a password was never joined to any.
    op.execute(
        "INSERT INTO confirmed_address (learner_id, email, at) SELECT id, email, created_at FROM learner"
        " WHERE email IS NOT NULL AND password_hash IS NULL AND erased_at IS NULL"
        " AND EXISTS (SELECT 1 FROM external_sign_in e WHERE e.learner_id = learner.id)"
    )


def _column(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
