"""The tables of webhooks: endpoints, messages due, and deliveries."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from headway.store.columns import Id, metadata

# An endpoint belongs to the account that made it, and is deleted with it. With a course it is sent that course's
# changes alone; `types` are the types of changes that it is sent, separated by spaces, all where empty. The secret is
# sealed as signing keys are. `failures` are those since something was last taken, `failing_since` is the time of the
# first.
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

# A message due: a change, by the place where a learner was told it. An endpoint is sent each learner's first one first.
# While it is being sent, `due_at` is when others may take it up. Without foreign keys: orphans are soon deleted.
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

# A delivery, or a failed try: `status` is the receiver's answer, `error` why there was none.
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
