"""The tables of notices and reminders."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

from headway.store.columns import Id, derived, learner_key, metadata

# What a learner was told, and when it was read, in order of place: the number of the entry that it was told with, or
# after, and which part of that. A notice follows from that entry or, as far as possible, from its subject.
notice = Table(
    "notice",
    metadata,
    learner_key(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    derived("id", Id),
    derived("type", Text),
    # What it is about: a guest's notice is not moved to an account that was told of the same subject.
    derived("subject", Text),
    derived("at", BigInteger),
    derived("body", Text),
    Column("read_at", BigInteger),
    UniqueConstraint("learner_id", "id"),
    Index(None, "at"),
    sqlite_with_rowid=False,
)

# The time up to which reminders of a kind were given, one row per kind.
reminded = Table(
    "reminded",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("up_to", BigInteger, nullable=False),
)
