"""Identity: when guests were moved, tokens as sessions, other ways to sign in, throttles, and erasures."""

from secrets import token_hex
from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Add columns and tables; existing sessions stay."""
    op.add_column("learner", sa.Column("merged_at", sa.BigInteger(), nullable=True))
    op.add_column("learner", sa.Column("merged_after", sa.BigInteger(), nullable=True))
    merged = sa.text("merged_into IS NOT NULL")
    op.create_index(
        op.f("ix_learner_merged_into"), "learner", ["merged_into"], sqlite_where=merged, postgresql_where=merged
    )
    op.create_table(
        "brought",
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("guest_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_brought_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "event_id", name=op.f("pk_brought")),
        sqlite_with_rowid=False,
    )
    _sessions()
    _signing_in()
    _watching()


def _sessions() -> None:
    op.add_column("session", sa.Column("id", ID, nullable=True))
    op.add_column("session", sa.Column("name", sa.String(length=200), nullable=True))
    op.add_column("session", sa.Column("scopes", sa.String(length=64), nullable=True))
    session = sa.table("session", sa.column("id"), sa.column("token_hash"))
    connection = op.get_bind()
    for token_hash in connection.execute(sa.select(session.c.token_hash)).scalars().all():
        connection.execute(sa.update(session).where(session.c.token_hash == token_hash).values(id=str(uuid4())))
    with op.batch_alter_table("session") as batch:
        batch.alter_column("id", existing_type=ID, nullable=False)
        batch.create_unique_constraint(op.f("uq_session_id"), ["id"])
        batch.drop_constraint(op.f("ck_session_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_session_kind"), "kind IN ('guest', 'account', 'token')")


def _signing_in() -> None:
    op.create_table(
        "external_sign_in",
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_external_sign_in_learner_id")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_external_sign_in")),
    )
    op.create_index(op.f("ix_external_sign_in_learner_id"), "external_sign_in", ["learner_id"])
    op.create_table(
        "password_reset",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_password_reset_learner_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_password_reset")),
    )
    op.create_index(op.f("ix_password_reset_learner_id"), "password_reset", ["learner_id"])
    op.create_table(
        "device_sign_in",
        sa.Column("device_code_hash", sa.String(length=64), nullable=False),
        sa.Column("user_code", sa.String(length=16), nullable=False),
        sa.Column("client", sa.String(length=200), nullable=False),
        sa.Column("scopes", sa.String(length=64), nullable=False),
        sa.Column("learner_id", ID, nullable=True),
        sa.Column("denied", sa.Boolean(), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("polled_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_device_sign_in_learner_id")),
        sa.PrimaryKeyConstraint("device_code_hash", name=op.f("pk_device_sign_in")),
        sa.UniqueConstraint("user_code", name=op.f("uq_device_sign_in_user_code")),
    )
    op.create_index(op.f("ix_device_sign_in_learner_id"), "device_sign_in", ["learner_id"])
    op.create_index(op.f("ix_device_sign_in_expires_at"), "device_sign_in", ["expires_at"])


def _watching() -> None:
    op.create_table(
        "throttle",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttle")),
    )
    op.create_index(op.f("ix_throttle_ends_at"), "throttle", ["ends_at"])
    op.create_table(
        "security_event",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("learner_id", ID, nullable=True),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_event")),
    )
    op.create_index(op.f("ix_security_event_at"), "security_event", ["at"])
    op.create_index(op.f("ix_security_event_learner_id"), "security_event", ["learner_id"])
    key = op.create_table(
        "erasure_key",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_erasure_key")),
    )
    op.bulk_insert(key, [{"key": token_hex(32)}])
    op.create_table(
        "erasure",
        sa.Column("learner_hash", sa.String(length=64), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("learner_hash", name=op.f("pk_erasure")),
    )
