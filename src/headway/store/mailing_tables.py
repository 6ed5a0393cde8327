"""The tables of learners' preferences for notices, of confirmed addresses, and of notices mailed."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table

from headway.store.columns import Id, learner_key, metadata, only

# A kind without a row is told in the list and on the stream, and not by mail. `mailed_since` is when the learner asked
# for mails of the kind, null where they get none: what was told before is not mailed.
notice_preference = Table(
    "notice_preference",
    metadata,
    learner_key(),
    Column("kind", String(32), primary_key=True),
    Column("in_app", Boolean, nullable=False),
    Column("stream", Boolean, nullable=False),
    Column("mailed_since", BigInteger),
    sqlite_with_rowid=False,
)

# An account's address, once somebody has shown that they read its mail, and when. Mails that a learner asks for go to
# no other address.
confirmed_address = Table(
    "confirmed_address",
    metadata,
    learner_key(),
    Column("email", String(320), nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# A notice to be mailed, or already mailed: one row per notice, so that none is mailed twice. While a mail is being
# sent, `due_at` is when others may take it up; it is null once sending is over, and `outcome` says how it ended.
notice_mail = Table(
    "notice_mail",
    metadata,
    learner_key(),
    Column("notice_id", Id, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("due_at", BigInteger),
    Column("tries", Integer, nullable=False),
    Column("outcome", String(16)),
    Column("ended_at", BigInteger),
    Index("ix_notice_mail_due_at", "due_at", **only("due_at IS NOT NULL")),
    sqlite_with_rowid=False,
)
