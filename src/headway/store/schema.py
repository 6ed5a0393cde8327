"""The tables. Every key of a learner's table begins with the learner; times are whole microseconds since 1970 UTC.

A column marked derived can be worked out again from the others: `audit` does, and `rebuild` mends it.
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
    # The account that a guest was moved into, when, and behind which entry of the account's ledger (0: before the
    # first). The guest's ledger stays its own, its sums are the account's.
    Column("merged_into", Id, ForeignKey("learner.id")),
    Column("merged_at", BigInteger),
    Column("merged_after", BigInteger),
    Column("erased_at", BigInteger),
    # The name as admins look it up: in one case, and sorted byte by byte by both databases.
    Column("name_key", _NameKey, nullable=False, server_default="", info=DERIVED),
    # Raised by whatever moves the learner's sums without an entry of the ledger: who remembers them reads them again.
    Column("epoch", Integer, nullable=False, server_default="0"),
    # By what name leaderboards show the learner, where it is not the display name; and whether they do at all.
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
    # Up to which version all learners were judged, and behind whom the judging stopped where it goes on.
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
    # Under which key each step and module stands, by every id that it has or had in this version and all before it.
    derived("step_keys", Text),
    Column("module_keys", Text, nullable=False, server_default="{}", info=DERIVED),
)

ledger = Table(
    "ledger",
    metadata,
    # No foreign keys here: the recording transaction has both rows at hand, every entry comes with a sum that has one,
    # and looking them up again for each event is a fifth of what PostgreSQL does.
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
    # The rules by which streaks were told of; none are the standard ones. The default is for rows of before the column.
    Column("streak_rules", String(16), server_default="before"),
    UniqueConstraint("learner_id", "event_id"),
    # What was done in a period; scores of all attempts are read from the index alone.
    Index("ix_ledger_day", "learner_id", "day", "type", "score", "duration_ms"),
    sqlite_with_rowid=False,
)

# Which events of guests count as an account's, and where they lie: the account's own ledger does not hold them, and
# whatever is sent is looked up here as it is there, in however many guests there were.
brought = Table(
    "brought",
    metadata,
    learner_key(),
    Column("event_id", Id, primary_key=True),
    derived("guest_id", Id),
    derived("seq", BigInteger),
    sqlite_with_rowid=False,
)

# In this table nothing is ever committed: a row in it, seen by its own transaction alone, opens the ledger to it.
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
    # What a person said that the step counts for, as JSON: rarely anything.
    derived("override", Text, nullable=True),
    # By which version the first score was given; rows of before lack it.
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

# Of a day's attempts and completions those that were imported: they earn no freezes.
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

# The runs of a course that a learner began; the highest is the one that they are in.
course_run = Table(
    "course_run",
    metadata,
    learner_key(),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    derived("started_at", BigInteger),
    # When the learner last did anything in it; 0 where what is known of it came from others alone.
    Column("active_at", BigInteger, nullable=False, server_default="0", info=DERIVED),
    Index(None, "course_id", "learner_id"),
    sqlite_with_rowid=False,
)

# What a run was granted, each once: modules that opened or were completed, the course (then there is no module).
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

# By the id that anybody may verify; after a move there may be two of one run, and both were given out.
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

# Attempts that a person grades, and those whose score was raised since: regrades go by them, and creators look through.
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

# By what an account stands in the ledgers of those whom it grades: the row goes with it, and what it gave is nobody's.
pseudonym = Table("pseudonym", metadata, learner_key(), Column("id", Id, nullable=False, unique=True))

# Whatever else is a learner's own: it goes with the learner. The ledger, which is append-only, is opened for that.
OF_LEARNER = tuple(table for table in metadata.sorted_tables if "learner_id" in table.c and table is not ledger)
