"""The tables of achievements: what can be earned, and what each learner earned."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Integer, String, Table, Text

from headway.store.columns import Id, derived, learner_key, metadata

# What a learner earned, once each; `points` are those of the definition at the time, and count on `day`.
achievement = Table(
    "achievement",
    metadata,
    learner_key(),
    Column("achievement_id", String(64), primary_key=True),
    derived("at", BigInteger),
    derived("event_id", Id),
    derived("day", String(10)),
    derived("points", Integer),
    sqlite_with_rowid=False,
)

# The definitions. `origin` is `shipped` (with Headway) or `site` (made or changed there); `version` is that of the
# whole set at the definition's last change. A retired one can no longer be earned, and stays with those who have it.
achievement_definition = Table(
    "achievement_definition",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("category", String(16), nullable=False),
    Column("metric", String(32), nullable=False),
    Column("threshold", BigInteger, nullable=False),
    Column("points", Integer, nullable=False),
    Column("tier", String(16), nullable=False),
    Column("hidden", Boolean, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("retired", Boolean, nullable=False),
)

# One row: the version of the definitions, the version that all learners were given by a backfill, and the learner up to
# whom a backfill in progress has come.
achievement_set = Table(
    "achievement_set",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("given_version", Integer, nullable=False),
    Column("given_up_to", Id),
    CheckConstraint("id = 1", name="one"),
)
