"""The tables. Every key of a learner's table begins with the learner; times are whole microseconds since 1970 UTC.

A column marked derived follows from facts: `audit` recomputes it from them, and `rebuild` corrects it.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from headway.store.achievement_tables import achievement, achievement_definition, achievement_set
from headway.store.archive_tables import archive_portion
from headway.store.board_tables import board, board_move, board_row, board_state, board_tally
from headway.store.claim_tables import claim_code
from headway.store.columns import DERIVED, Id, derived, learner_key, metadata, only
from headway.store.doors import (
    device_sign_in,
    erasure,
    erasure_key,
    external_sign_in,
    password_reset,
    security_event,
    session,
    signing_key,
    throttle,
)
from headway.store.earning_tables import day_part, step_day, topic_level
from headway.store.mailing_tables import confirmed_address, notice_mail, notice_preference
from headway.store.notice_tables import notice, reminded
from headway.store.reset_tables import imported_streak, progress_reset
from headway.store.roster_tables import course_counter, roster, step_counter
from headway.store.sharing_tables import share_page
from headway.store.upkeep import upkeep
from headway.store.webhook_tables import webhook, webhook_delivery, webhook_due

__all__ = [
    "OF_LEARNER",
    "Id",
    "achievement",
    "achievement_definition",
    "achievement_set",
    "archive_portion",
    "attempt_grade",
    "board",
    "board_move",
    "board_row",
    "board_state",
    "board_tally",
    "brought",
    "certificate",
    "claim_code",
    "confirmed_address",
    "course",
    "course_counter",
    "course_run",
    "course_version",
    "day_part",
    "day_sum",
    "device_sign_in",
    "enrollment",
    "erasure",
    "erasure_key",
    "external_sign_in",
    "granted",
    "imported_day",
    "imported_streak",
    "learner",
    "ledger",
    "ledger_opened",
    "metadata",
    "notice",
    "notice_mail",
    "notice_preference",
    "password_reset",
    "progress_reset",
    "pseudonym",
    "reminded",
    "roster",
    "security_event",
    "session",
    "share_page",
    "signing_key",
    "step_counter",
    "step_day",
    "step_sum",
    "streak_pause",
    "throttle",
    "topic_level",
    "topic_sum",
    "upkeep",
    "webhook",
    "webhook_delivery",
    "webhook_due",
]

_NameKey = String(400).with_variant(String(400, collation="C"), "postgresql")
learner = Table(
    "learner",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("email", String(320), unique=True),
    Column("password_hash", Text),
    Column("display_name", String(200)),
    Column("time_zone", String(64), nullable=False),
    Column("roles", String(64), nullable=False, server_default=""),
    Column("external_id", String(255), unique=True),
    Column("created_at", BigInteger, nullable=False),
    # The account that a guest was moved into, when, and after which entry of the account's ledger (0: before the
    # first). The guest keeps its own ledger; its sums became the account's.
    Column("merged_into", Id, ForeignKey("learner.id")),
    Column("merged_at", BigInteger),
    Column("merged_after", BigInteger),
    Column("erased_at", BigInteger),
    # The name in the form that admins search by: case folded, and sorted byte by byte by both databases.
    Column("name_key", _NameKey, nullable=False, server_default="", info=DERIVED),
    # Raised whenever the learner's sums move without an entry in the ledger, so that servers that remember sums reread
    # them.
    Column("epoch", Integer, nullable=False, server_default="0"),
    # The name by which leaderboards show the learner, if not the display name; and whether they show the learner at
    # all.
    Column("leaderboard_alias", String(200)),
    Column("leaderboard_opt_out", Boolean, nullable=False, server_default=false()),
    CheckConstraint("kind IN ('guest', 'account', 'imported')", name="kind"),
    Index(None, "merged_into", **only("merged_into IS NOT NULL")),
    Index("ix_learner_name_key", "name_key", "id"),
    Index("ix_learner_roles", "roles", **only("roles <> ''")),
)

course = Table(
    "course",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("owner_id", Id, ForeignKey("learner.id")),
    Column("created_at", BigInteger, nullable=False),
    derived("version", Integer),
    derived("title", Text),
    # The version by which all learners were judged, and the learner up to whom a sweep in progress has come.
    Column("judged_version", Integer, nullable=False, server_default="0"),
    Column("judged_up_to", Id),
)

course_version = Table(
    "course_version",
    metadata,
    Column("course_id", String(200), ForeignKey("course.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("published_at", BigInteger, nullable=False),
    Column("published_by", Id, ForeignKey("learner.id")),
    derived("title", Text),
    Column("manifest", Text, nullable=False),
    # The key of each step and module, by every id that it has or had in this version and all before it.
    derived("step_keys", Text),
    Column("module_keys", Text, nullable=False, server_default="{}", info=DERIVED),
)

ledger = Table(
    "ledger",
    metadata,
    # Without foreign keys: the recording transaction has both rows at hand, every entry comes with a sum that has one,
    # and checking them again for each event would be a fifth of PostgreSQL's work.
    Column("learner_id", Id, primary_key=True),
    # Numbered for each learner, under the learner's lock: without gaps, and in the order of commits.
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Id, nullable=False),
    Column("body", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("clock_skew", BigInteger, nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("source", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    derived("type", String(16)),
    derived("course_id", String(200)),
    derived("run", Integer),
    derived("step_id", String(200)),
    derived("at", BigInteger),
    derived("day", String(10)),
    derived("trust", String(16)),
    derived("score", Integer, nullable=True),
    derived("passed", Boolean),
    derived("duration_ms", BigInteger),
    derived("hints", Integer),
    derived("changes", Text, nullable=True),
    # The rules by which streaks were told; null for the standard ones. The default is for rows from before this column.
    Column("streak_rules", String(16), server_default="before"),
    UniqueConstraint("learner_id", "event_id"),
    # What was done in a period; scores of all attempts are read from the index alone.
    Index("ix_ledger_day", "learner_id", "day", "type", "score", "duration_ms"),
    sqlite_with_rowid=False,
)

# The events of guests that count as an account's, and where they lie, as the account's own ledger does not hold them.
# A repeated event is looked up here by one read, however many guests there were.
brought = Table(
    "brought",
    metadata,
    learner_key(),
    Column("event_id", Id, primary_key=True),
    derived("guest_id", Id),
    derived("seq", BigInteger),
    sqlite_with_rowid=False,
)

# No row here is ever committed: a row seen only by its own transaction opens the ledger to that transaction.
ledger_opened = Table("ledger_opened", metadata, Column("reason", String(64), primary_key=True))

step_sum = Table(
    "step_sum",
    metadata,
    learner_key(),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    Column("step_id", String(200), primary_key=True),
    derived("events", BigInteger),
    derived("attempts", BigInteger),
    derived("passed_attempts", BigInteger),
    derived("scores", BigInteger),
    derived("score_total", BigInteger),
    derived("best_score", Integer, nullable=True),
    derived("first_at", BigInteger, nullable=True),
    derived("first_event", Id, nullable=True),
    derived("first_score", Integer, nullable=True),
    derived("latest_at", BigInteger, nullable=True),
    derived("latest_event", Id, nullable=True),
    derived("latest_score", Integer, nullable=True),
    derived("completed_at", BigInteger, nullable=True),
    derived("completed_by", Id, nullable=True),
    derived("completed_on", String(10), nullable=True),
    derived("completed_version", Integer, nullable=True),
    derived("duration_ms", BigInteger),
    derived("hints", BigInteger),
    derived("updated_at", BigInteger),
    Column("unscored", BigInteger, nullable=False, server_default="0", info=DERIVED),
    derived("graded_best", Integer, nullable=True),
    # The override in force, as JSON; rarely set.
    derived("override", Text, nullable=True),
    # The version by which the first score was given; null in rows from before this column.
    derived("first_version", Integer, nullable=True),
    sqlite_with_rowid=False,
)


def _period_sums() -> list[Column[Any]]:
    names = (
        "attempts",
        "passed_attempts",
        "scores",
        "score_total",
        "duration_ms",
        "hints",
        "activities",
    )
    return [derived(name, BigInteger) for name in (*names, "steps_completed", "exercises_completed", "points")]


day_sum = Table(
    "day_sum",
    metadata,
    learner_key(),
    Column("day", String(10), primary_key=True),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    *_period_sums(),
    sqlite_with_rowid=False,
)

# How many of a day's attempts and completions were imported; a day of imports alone earns no freezes.
imported_day = Table(
    "imported_day",
    metadata,
    learner_key(),
    Column("day", String(10), primary_key=True),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    derived("activities", BigInteger),
    sqlite_with_rowid=False,
)

# From which day to which a learner's streak rests; a pause that was called off ends before it begins.
streak_pause = Table(
    "streak_pause",
    metadata,
    learner_key(),
    Column("id", Id, primary_key=True),
    derived("first_on", String(10)),
    derived("last_on", String(10)),
    sqlite_with_rowid=False,
)

topic_sum = Table(
    "topic_sum",
    metadata,
    learner_key(),
    Column("topic", String(200), primary_key=True),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    *_period_sums(),
    sqlite_with_rowid=False,
)

enrollment = Table(
    "enrollment",
    metadata,
    learner_key(),
    Column("course_id", String(200), primary_key=True),
    derived("enrolled", Boolean),
    derived("changed_at", BigInteger),
    derived("changed_by", Id),
    derived("first_enrolled_at", BigInteger, nullable=True),
    Index(None, "course_id", "enrolled"),
    sqlite_with_rowid=False,
)

# The runs of a course that a learner began; the highest is the current one.
course_run = Table(
    "course_run",
    metadata,
    learner_key(),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    derived("started_at", BigInteger),
    # The learner's last activity in the run; 0 where only others did anything.
    Column("active_at", BigInteger, nullable=False, server_default="0", info=DERIVED),
    Index(None, "course_id", "learner_id"),
    sqlite_with_rowid=False,
)

# The grants of a run, once each: modules opened or completed, the course and its certificate (without a module).
granted = Table(
    "granted",
    metadata,
    learner_key(),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("module_id", String(200), primary_key=True),
    derived("at", BigInteger),
    derived("event_id", Id),
    derived("score", Integer, nullable=True),
    derived("version", Integer),
    sqlite_with_rowid=False,
)

# By the id that anybody can verify; after a move, a run may have two, because both were issued.
certificate = Table(
    "certificate",
    metadata,
    learner_key(),
    Column("id", Id, primary_key=True, unique=True),
    derived("course_id", String(200)),
    derived("run", Integer),
    derived("issued_at", BigInteger, nullable=True),
    derived("score", Integer, nullable=True),
    derived("version", Integer, nullable=True),
    derived("revoked_at", BigInteger, nullable=True),
    derived("revoked_by", Id, nullable=True),
    derived("revoked_reason", Text, nullable=True),
    Index(None, "course_id", "learner_id"),
    sqlite_with_rowid=False,
)

# Attempts that a person grades, and those whose score was raised since; used by regrades, and listed for creators.
attempt_grade = Table(
    "attempt_grade",
    metadata,
    learner_key(),
    Column("attempt_id", Id, primary_key=True),
    derived("course_id", String(200)),
    derived("run", Integer),
    derived("step_id", String(200)),
    derived("at", BigInteger),
    derived("waited", Boolean),
    derived("score", Integer, nullable=True),
    derived("passed", Boolean, nullable=True),
    derived("graded_at", BigInteger, nullable=True),
    derived("graded_by", Id, nullable=True),
    Index("ix_attempt_grade_handed_in", "course_id", "at", "attempt_id", **only("waited")),
    Index("ix_attempt_grade_waiting", "course_id", "at", "attempt_id", **only("waited AND score IS NULL")),
    sqlite_with_rowid=False,
)

# What stands for an account in the ledgers of learners whom it grades; deleted with the account, its grades stay,
# nobody's.
pseudonym = Table("pseudonym", metadata, learner_key(), Column("id", Id, nullable=False, unique=True))

# The tables of everything else that is a learner's, deleted with the learner; the append-only ledger is opened for
# that.
OF_LEARNER = tuple(table for table in metadata.sorted_tables if "learner_id" in table.c and table is not ledger)
