"""The tables of webhooks: where to send, what is still to be sent, and what was."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from headway.store.columns import Id, metadata

# Whoever made an endpoint answers for it, and it goes with them. With a course it is sent what comes of that alone;
# `types` are the changes that it is sent, by spaces, all where there are none. The secret is sealed as keys are.
# `failures` are those since something was taken last, `failing_since` the first of them.
webhook = Table(
    "webhook",
    metadata,
    Column("id", Id, primary_key=True),
    Column("learner_id", Id, ForeignKey("learner.id"), nullable=False, index=True),
    Column("course_id", String(200)),
    Column("url", Text, nullable=False),
    Column("types", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False, index=True),
    Column("failures", Integer, nullable=False),
    Column("failing_since", BigInteger),
    Column("retry_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("disabled_why", Text),
)

# What is to be sent: a change, by the place where a learner was told it. Of a learner's, an endpoint is sent the first.
# While one is being sent, `due_at` is when others may take it up. No references: rows outlive nothing for long.
webhook_due = Table(
    "webhook_due",
    metadata,
    Column("webhook_id", Id, primary_key=True),
    Column("learner_id", Id, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("due_at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Index(None, "webhook_id", "due_at"),
    sqlite_with_rowid=False,
)

# What was sent, or was tried to be: `status` is what the receiver answered, `error` why there was no answer.
webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("id", Id, primary_key=True),
    Column("webhook_id", Id, nullable=False),
    Column("learner_id", Id, nullable=False, index=True),
    Column("seq", BigInteger, nullable=False),
    Column("n", Integer, nullable=False),
    Column("message_id", String(64), nullable=False),
    Column("type", Text, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
    Column("took_ms", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Index(None, "webhook_id", "at"),
)
