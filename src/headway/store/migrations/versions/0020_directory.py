"""What admins search learners by (case-folded names, roles), and codes for claiming imported learners."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")
NAME = sa.String(400).with_variant(sa.String(400, collation="C"), "postgresql")
_AT_ONCE = 1_000


def upgrade() -> None:
    """Make the column, the indexes and the table, and fill in existing names."""
    op.add_column("learner", sa.Column("name_key", NAME, nullable=False, server_default=""))
    _fill()
    op.create_index("ix_learner_name_key", "learner", ["name_key", "id"])
    some = sa.text("roles <> ''")
    op.create_index("ix_learner_roles", "learner", ["roles"], sqlite_where=some, postgresql_where=some)
    op.create_table(
        "claim_code",
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_claim_code_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", name=op.f("pk_claim_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_claim_code_code_hash")),
    )


def _fill() -> None:
    """Fill in the name keys in Python, because no database folds case as it does."""
    learner = sa.table("learner", sa.column("id", ID), sa.column("display_name"), sa.column("name_key"))
    connection, last = op.get_bind(), ""
    wanted = sa.select(learner.c.id, learner.c.display_name).where(learner.c.display_name.is_not(None))
    while True:
        behind = wanted.where(learner.c.id > last) if last else wanted
        found = connection.execute(behind.order_by(learner.c.id).limit(_AT_ONCE)).all()
        if not found:
            return
        set_key = sa.update(learner).where(learner.c.id == sa.bindparam("of")).values(name_key=sa.bindparam("key"))
        connection.execute(set_key, [{"of": row[0], "key": row[1].casefold()[:400]} for row in found])
        last = found[-1][0]
