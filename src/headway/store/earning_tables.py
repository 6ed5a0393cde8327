"""The tables of levels in topics, of early and late activities, and of what is practiced each day."""

from sqlalchemy import BigInteger, Column, Integer, String, Table

from headway.store.columns import Id, derived, learner_key, metadata

# The levels that a learner was told of, once each; a level once reached stays.
topic_level = Table(
    "topic_level",
    metadata,
    learner_key(),
    Column("topic", String(200), primary_key=True),
    Column("level", String(16), primary_key=True),
    derived("at", BigInteger),
    derived("event_id", Id),
    derived("previous", String(16)),
    sqlite_with_rowid=False,
)

# Attempts and completions in the early morning or late at night, local time; other hours have no row.
day_part = Table(
    "day_part",
    metadata,
    learner_key(),
    Column("part", String(16), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    derived("activities", BigInteger),
    sqlite_with_rowid=False,
)

# Attempts at a step on a day; reviews become due by these.
step_day = Table(
    "step_day",
    metadata,
    learner_key(),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    Column("step_id", String(200), primary_key=True),
    Column("day", String(10), primary_key=True),
    derived("attempts", BigInteger),
    derived("passed_attempts", BigInteger),
    derived("unscored", BigInteger),
    derived("hints", BigInteger),
    sqlite_with_rowid=False,
)
