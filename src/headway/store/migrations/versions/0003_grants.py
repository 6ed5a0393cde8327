"""Gates: runs of courses, their grants, certificates; and what decides a step's score besides its attempts."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")

_RUNS = """
    INSERT INTO course_run (learner_id, course_id, run, started_at)
    SELECT coalesce(l.merged_into, e.learner_id), e.course_id, e.run, min(e.at)
    FROM ledger e JOIN learner l ON l.id = e.learner_id
    WHERE e.step_id <> '' GROUP BY 1, 2, 3"""
# Summed as entries are: events of guests count for the account to which they were brought.
_STEPS = """
    UPDATE step_sum SET unscored = f.unscored, graded_best = f.best
    FROM (
        SELECT coalesce(b.learner_id, e.learner_id) AS owner, e.course_id, e.run, e.step_id,
            sum(CASE WHEN e.type = 'attempted' AND e.score IS NULL THEN 1 ELSE 0 END) AS unscored,
            max(CASE WHEN e.trust = 'graded' THEN e.score END) AS best
        FROM ledger e LEFT JOIN brought b ON b.guest_id = e.learner_id AND b.seq = e.seq
        WHERE e.step_id <> '' GROUP BY 1, 2, 3, 4
    ) AS f
    WHERE f.owner = step_sum.learner_id AND f.course_id = step_sum.course_id
        AND f.run = step_sum.run AND f.step_id = step_sum.step_id"""


def upgrade() -> None:
    """Make the tables, and fill in what follows from the ledger; what is due to learners is judged afterwards."""
    op.add_column("course", sa.Column("judged_version", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("course", sa.Column("judged_up_to", ID, nullable=True))
    op.add_column("step_sum", sa.Column("unscored", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("step_sum", sa.Column("graded_best", sa.Integer(), nullable=True))
    op.add_column("step_sum", sa.Column("override", sa.Text(), nullable=True))
    _tables()
    op.execute(_RUNS)
    op.execute(_STEPS)


def _tables() -> None:
    op.create_table(
        "course_run",
        *_of_learner("course_run", "course_id", "run"),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_course_run_course_id_learner_id"), "course_run", ["course_id", "learner_id"])
    op.create_table(
        "granted",
        *_of_learner("granted", "course_id", "run", "kind", "module_id"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "certificate",
        *_of_learner("certificate", "id"),
        sa.Column("course_id", sa.String(length=200), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", ID, nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=True),
        sa.UniqueConstraint("id", name=op.f("uq_certificate_id")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_certificate_course_id_learner_id"), "certificate", ["course_id", "learner_id"])


def _of_learner(table: str, *key: str) -> list[sa.schema.SchemaItem]:
    kinds: dict[str, Any] = {"run": sa.Integer(), "id": ID, "kind": sa.String(length=16)}
    return [
        sa.Column("learner_id", ID, nullable=False),
        *(sa.Column(name, kinds.get(name, sa.String(length=200)), nullable=False) for name in key),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f(f"fk_{table}_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", *key, name=op.f(f"pk_{table}")),
    ]
