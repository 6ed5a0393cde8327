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
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# Text in SQLite, so that ids read there as they read everywhere else.
Id: TypeEngine[str] = String(36).with_variant(UUID(as_uuid=False), "postgresql")
_DERIVED = {"derived": True}


def _learner_key() -> Column[str]:
    return Column("learner_id", Id, ForeignKey("learner.id"), primary_key=True)


def _derived(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]], *, nullable: bool = False) -> Column[Any]:
    return Column(name, kind, nullable=nullable, info=_DERIVED)


def _only(condition: str) -> dict[str, Any]:
    """An index of those rows alone."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


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
    # Raised by whatever moves the learner's sums without an entry of the ledger: who remembers them reads them again.
    Column("epoch", Integer, nullable=False, server_default="0"),
    CheckConstraint("kind IN ('guest', 'account', 'imported')", name="kind"),
    Index(None, "merged_into", **_only("merged_into IS NOT NULL")),
)

# Whatever opens the door to a learner: a guest's secret, an account's sign-in, a personal access token. One indexed
# read finds it. `name` is for people (a browser, a token's purpose); `scopes` limits a token, and is empty for others.
session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("id", Id, nullable=False, unique=True),
    Column("learner_id", Id, ForeignKey("learner.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("name", String(200)),
    Column("scopes", String(64)),
    CheckConstraint("kind IN ('guest', 'account', 'token')", name="kind"),
)

# Who signs in at another provider, by its issuer and its name for them.
external_sign_in = Table(
    "external_sign_in",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("learner_id", Id, ForeignKey("learner.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
)

password_reset = Table(
    "password_reset",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("learner_id", Id, ForeignKey("learner.id"), nullable=False, index=True),
    Column("expires_at", BigInteger, nullable=False),
)

# RFC 8628. Approved where there is a learner, refused where denied, else pending.
device_sign_in = Table(
    "device_sign_in",
    metadata,
    Column("device_code_hash", String(64), primary_key=True),
    Column("user_code", String(16), nullable=False, unique=True),
    Column("client", String(200), nullable=False),
    Column("scopes", String(64), nullable=False),
    Column("learner_id", Id, ForeignKey("learner.id"), index=True),
    Column("denied", Boolean, nullable=False),
    Column("interval_s", Integer, nullable=False),
    Column("polled_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

# How often something was tried in a window of time; the key is a hash, for it is made of addresses.
throttle = Table(
    "throttle",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("ends_at", BigInteger, nullable=False, index=True),
)

# Sign-ins, refusals, changes of roles and of passwords. No foreign keys: it outlives whom it speaks of.
security_event = Table(
    "security_event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("learner_id", Id, index=True),
    Column("actor_id", Id),
    Column("address", String(64)),
    Column("detail", String(200)),
)

# The key of the hashes below, one row: made with the table, it goes along in every backup, and in no list.
erasure_key = Table("erasure_key", metadata, Column("key", String(64), primary_key=True))

# Who was erased, to be erased again after a restore: a keyed hash of the id that they had.
erasure = Table(
    "erasure",
    metadata,
    Column("learner_hash", String(64), primary_key=True),
    Column("erased_at", BigInteger, nullable=False),
)

# The keys that sign certificates' credentials, by their public halves. `secret` is the private half, sealed where the
# operator gave a secret to seal it by, and gone once another key signs; `signs` is true of the one that does, and
# empty of the others, so that there cannot be two.
signing_key = Table(
    "signing_key",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("secret", Text),
    Column("signs", Boolean, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("retired_at", BigInteger),
    CheckConstraint("signs", name="signs"),
)

course = Table(
    "course",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("owner_id", Id, ForeignKey("learner.id")),
    Column("created_at", BigInteger, nullable=False),
    _derived("version", Integer),
    _derived("title", Text),
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
    Column("title", Text, nullable=False),
    Column("manifest", Text, nullable=False),
    Column("step_keys", Text, nullable=False),
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
    _derived("type", String(16)),
    _derived("course_id", String(200)),
    _derived("run", Integer),
    _derived("step_id", String(200)),
    _derived("at", BigInteger),
    _derived("day", String(10)),
    _derived("trust", String(16)),
    _derived("score", Integer, nullable=True),
    _derived("passed", Boolean),
    _derived("duration_ms", BigInteger),
    _derived("hints", Integer),
    _derived("changes", Text, nullable=True),
    UniqueConstraint("learner_id", "event_id"),
    sqlite_with_rowid=False,
)

# Which events of guests count as an account's, and where they lie: the account's own ledger does not hold them, and
# whatever is sent is looked up here as it is there, in however many guests there were.
brought = Table(
    "brought",
    metadata,
    _learner_key(),
    Column("event_id", Id, primary_key=True),
    _derived("guest_id", Id),
    _derived("seq", BigInteger),
    sqlite_with_rowid=False,
)

# In this table nothing is ever committed: a row in it, seen by its own transaction alone, opens the ledger to it.
ledger_opened = Table("ledger_opened", metadata, Column("reason", String(64), primary_key=True))

step_sum = Table(
    "step_sum",
    metadata,
    _learner_key(),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    Column("step_id", String(200), primary_key=True),
    _derived("events", BigInteger),
    _derived("attempts", BigInteger),
    _derived("passed_attempts", BigInteger),
    _derived("scores", BigInteger),
    _derived("score_total", BigInteger),
    _derived("best_score", Integer, nullable=True),
    _derived("first_at", BigInteger, nullable=True),
    _derived("first_event", Id, nullable=True),
    _derived("first_score", Integer, nullable=True),
    _derived("latest_at", BigInteger, nullable=True),
    _derived("latest_event", Id, nullable=True),
    _derived("latest_score", Integer, nullable=True),
    _derived("completed_at", BigInteger, nullable=True),
    _derived("completed_by", Id, nullable=True),
    _derived("completed_on", String(10), nullable=True),
    _derived("completed_version", Integer, nullable=True),
    _derived("duration_ms", BigInteger),
    _derived("hints", BigInteger),
    _derived("updated_at", BigInteger),
    Column("unscored", BigInteger, nullable=False, server_default="0", info=_DERIVED),
    _derived("graded_best", Integer, nullable=True),
    # What a person said that the step counts for, as JSON: rarely anything.
    _derived("override", Text, nullable=True),
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
    return [_derived(name, BigInteger) for name in (*names, "steps_completed", "exercises_completed", "points")]


day_sum = Table(
    "day_sum",
    metadata,
    _learner_key(),
    Column("day", String(10), primary_key=True),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    *_period_sums(),
    sqlite_with_rowid=False,
)

topic_sum = Table(
    "topic_sum",
    metadata,
    _learner_key(),
    Column("topic", String(200), primary_key=True),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    *_period_sums(),
    sqlite_with_rowid=False,
)

enrollment = Table(
    "enrollment",
    metadata,
    _learner_key(),
    Column("course_id", String(200), primary_key=True),
    _derived("enrolled", Boolean),
    _derived("changed_at", BigInteger),
    _derived("changed_by", Id),
    _derived("first_enrolled_at", BigInteger, nullable=True),
    Index(None, "course_id", "enrolled"),
    sqlite_with_rowid=False,
)

# The runs of a course that a learner began; the highest is the one that they are in.
course_run = Table(
    "course_run",
    metadata,
    _learner_key(),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    _derived("started_at", BigInteger),
    Index(None, "course_id", "learner_id"),
    sqlite_with_rowid=False,
)

# What a run was granted, each once: modules that opened or were completed, the course (then there is no module).
granted = Table(
    "granted",
    metadata,
    _learner_key(),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("module_id", String(200), primary_key=True),
    _derived("at", BigInteger),
    _derived("event_id", Id),
    _derived("score", Integer, nullable=True),
    _derived("version", Integer),
    sqlite_with_rowid=False,
)

# By the id that anybody may verify; after a move there may be two of one run, and both were given out.
certificate = Table(
    "certificate",
    metadata,
    _learner_key(),
    Column("id", Id, primary_key=True, unique=True),
    _derived("course_id", String(200)),
    _derived("run", Integer),
    _derived("issued_at", BigInteger, nullable=True),
    _derived("score", Integer, nullable=True),
    _derived("version", Integer, nullable=True),
    _derived("revoked_at", BigInteger, nullable=True),
    _derived("revoked_by", Id, nullable=True),
    _derived("revoked_reason", Text, nullable=True),
    Index(None, "course_id", "learner_id"),
    sqlite_with_rowid=False,
)

# Attempts that a person grades, and those whose score was raised since: regrades go by them, and creators look through.
attempt_grade = Table(
    "attempt_grade",
    metadata,
    _learner_key(),
    Column("attempt_id", Id, primary_key=True),
    _derived("course_id", String(200)),
    _derived("run", Integer),
    _derived("step_id", String(200)),
    _derived("at", BigInteger),
    _derived("waited", Boolean),
    _derived("score", Integer, nullable=True),
    _derived("passed", Boolean, nullable=True),
    _derived("graded_at", BigInteger, nullable=True),
    _derived("graded_by", Id, nullable=True),
    Index("ix_attempt_grade_handed_in", "course_id", "at", "attempt_id", **_only("waited")),
    Index("ix_attempt_grade_waiting", "course_id", "at", "attempt_id", **_only("waited AND score IS NULL")),
    sqlite_with_rowid=False,
)

# By what an account stands in the ledgers of those whom it grades: the row goes with it, and what it gave is nobody's.
pseudonym = Table("pseudonym", metadata, _learner_key(), Column("id", Id, nullable=False, unique=True))

# Whatever else is a learner's own: it goes with the learner. The ledger, which is append-only, is opened for that.
OF_LEARNER = tuple(table for table in metadata.sorted_tables if "learner_id" in table.c and table is not ledger)
