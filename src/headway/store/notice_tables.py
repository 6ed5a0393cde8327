"""The tables of what learners are told."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

from headway.store.columns import Id, learner_key, metadata

# What a learner was told, and when it was read: facts, for what has been told is not told again in other words.
# In order of place: the number of the entry that it was told with, or behind which it was told, and which part of that.
notice = Table(
    "notice",
    metadata,
    learner_key(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("id", Id, nullable=False),
    Column("type", Text, nullable=False),
    # Of what it is: a guest's notice of what its account was told already does not move with it.
    Column("subject", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("read_at", BigInteger),
    UniqueConstraint("learner_id", "id"),
    Index(None, "at"),
    sqlite_with_rowid=False,
)

# Up to which time reminders of each kind were given: a row a kind.
reminded = Table(
    "reminded",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("up_to", BigInteger, nullable=False),
)
