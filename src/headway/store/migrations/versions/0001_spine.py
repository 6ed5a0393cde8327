"""The spine: learners, sessions, courses, the ledger and its sums.

Written against the schema of its time; later revisions bring about what `schema.py` has since.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(36).with_variant(UUID(as_uuid=False), "postgresql")


def upgrade() -> None:
    """Make the tables, and close the ledger."""
    _people()
    _courses()
    _ledger()
    _step_sums()
    _day_sums()
    _topic_sums()
    if op.get_bind().dialect.name == "sqlite":
        _close_in_sqlite()
    else:
        _close_in_postgresql()


def _people() -> None:
    op.create_table(
        "learner",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("display_name", sa.String(length=200), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("roles", sa.String(length=64), server_default="", nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("merged_into", ID, nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('guest', 'account', 'imported')", name=op.f("ck_learner_kind")),
        sa.ForeignKeyConstraint(["merged_into"], ["learner.id"], name=op.f("fk_learner_merged_into")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learner")),
        sa.UniqueConstraint("email", name=op.f("uq_learner_email")),
        sa.UniqueConstraint("external_id", name=op.f("uq_learner_external_id")),
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('guest', 'account')", name=op.f("ck_session_kind")),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_session_learner_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_learner_id"), "session", ["learner_id"], unique=False)


def _courses() -> None:
    op.create_table(
        "course",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["learner.id"], name=op.f("fk_course_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
    )
    op.create_table(
        "course_version",
        sa.Column("course_id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("published_by", ID, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("step_keys", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_course_version_course_id")),
        sa.ForeignKeyConstraint(["published_by"], ["learner.id"], name=op.f("fk_course_version_published_by")),
        sa.PrimaryKeyConstraint("course_id", "version", name=op.f("pk_course_version")),
    )
    op.create_table(
        "enrollment",
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("course_id", sa.String(length=200), nullable=False),
        sa.Column("enrolled", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", ID, nullable=False),
        sa.Column("first_enrolled_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_enrollment_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "course_id", name=op.f("pk_enrollment")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_enrollment_course_id_enrolled"), "enrollment", ["course_id", "enrolled"], unique=False)


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("clock_skew", sa.BigInteger(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("course_id", sa.String(length=200), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("trust", sa.String(length=16), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("hints", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("learner_id", "seq", name=op.f("pk_ledger")),
        sa.UniqueConstraint("learner_id", "event_id", name=op.f("uq_ledger_learner_id_event_id")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_opened",
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("reason", name=op.f("pk_ledger_opened")),
    )


def _step_sums() -> None:
    op.create_table(
        "step_sum",
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("course_id", sa.String(length=200), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.String(length=200), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("passed_attempts", sa.BigInteger(), nullable=False),
        sa.Column("scores", sa.BigInteger(), nullable=False),
        sa.Column("score_total", sa.BigInteger(), nullable=False),
        sa.Column("best_score", sa.Integer(), nullable=True),
        sa.Column("first_at", sa.BigInteger(), nullable=True),
        sa.Column("first_event", ID, nullable=True),
        sa.Column("first_score", sa.Integer(), nullable=True),
        sa.Column("latest_at", sa.BigInteger(), nullable=True),
        sa.Column("latest_event", ID, nullable=True),
        sa.Column("latest_score", sa.Integer(), nullable=True),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("completed_by", ID, nullable=True),
        sa.Column("completed_on", sa.String(length=10), nullable=True),
        sa.Column("completed_version", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("hints", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_step_sum_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "course_id", "run", "step_id", name=op.f("pk_step_sum")),
        sqlite_with_rowid=False,
    )


def _day_sums() -> None:
    op.create_table(
        "day_sum",
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("course_id", sa.String(length=200), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("passed_attempts", sa.BigInteger(), nullable=False),
        sa.Column("scores", sa.BigInteger(), nullable=False),
        sa.Column("score_total", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("hints", sa.BigInteger(), nullable=False),
        sa.Column("activities", sa.BigInteger(), nullable=False),
        sa.Column("steps_completed", sa.BigInteger(), nullable=False),
        sa.Column("exercises_completed", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_day_sum_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "day", "course_id", "run", name=op.f("pk_day_sum")),
        sqlite_with_rowid=False,
    )


def _topic_sums() -> None:
    op.create_table(
        "topic_sum",
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("course_id", sa.String(length=200), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("passed_attempts", sa.BigInteger(), nullable=False),
        sa.Column("scores", sa.BigInteger(), nullable=False),
        sa.Column("score_total", sa.BigInteger(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("hints", sa.BigInteger(), nullable=False),
        sa.Column("activities", sa.BigInteger(), nullable=False),
        sa.Column("steps_completed", sa.BigInteger(), nullable=False),
        sa.Column("exercises_completed", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_topic_sum_learner_id")),
        sa.PrimaryKeyConstraint("learner_id", "topic", "course_id", "run", name=op.f("pk_topic_sum")),
        sqlite_with_rowid=False,
    )


def _close_in_sqlite() -> None:
    refusal = (
        "WHEN NOT EXISTS (SELECT 1 FROM ledger_opened) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    )
    op.execute(f"CREATE TRIGGER ledger_refuses_update BEFORE UPDATE ON ledger {refusal}")
    op.execute(f"CREATE TRIGGER ledger_refuses_delete BEFORE DELETE ON ledger {refusal}")


def _close_in_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF EXISTS (SELECT 1 FROM ledger_opened) THEN RETURN COALESCE(NEW, OLD); END IF;"
        " RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_refuses_change BEFORE UPDATE OR DELETE ON ledger"
        " FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
    )
    # TRUNCATE fires no row trigger.
    op.execute(
        "CREATE TRIGGER ledger_refuses_truncate BEFORE TRUNCATE ON ledger"
        " FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"
    )
