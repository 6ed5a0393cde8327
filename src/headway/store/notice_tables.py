"""The tables of what learners are told."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

from headway.store.columns import Id, derived, learner_key, metadata

# What a learner was told, and when it was read, in order of place: the number of the entry that it was told with, or
# behind which it was told, and which part of that. It follows from that entry, or as far as it can from what it is of.
notice = Table(
    "notice",
    metadata,
    learner_key(),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    derived("id", Id),
    derived("type", Text),
    # Of what it is: a guest's notice of what its account was told already does not move with it.
    derived("subject", Text),
    derived("at", BigInteger),
    derived("body", Text),
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
