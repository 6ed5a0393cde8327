"""The tables of identity: sessions and ways of signing in, throttles, security events, erasures and signing keys."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Integer, String, Table, Text

from headway.store.columns import Id, metadata

# Sessions: a guest's secret, an account's sign-in, or a personal access token, found by one indexed read. `name` is for
# people to read (a browser, a token's purpose); `scopes` limits a token, and is empty for the others.
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

# An account's sign-in at another provider: the provider's issuer, and its subject for the person.
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

# Sign-ins, refusals, changes of roles and of passwords. Without foreign keys: it outlives the learners in it.
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

# The key of the hashes below, one row: created with the table, it is part of every backup, and never listed.
erasure_key = Table("erasure_key", metadata, Column("key", String(64), primary_key=True))

# Learners who were erased, as keyed hashes of their ids, so that they are erased again after a restore.
erasure = Table(
    "erasure",
    metadata,
    Column("learner_hash", String(64), primary_key=True),
    Column("erased_at", BigInteger, nullable=False),
)

# The keys that sign certificates' credentials; `id` is derived from the public half. `secret` is the private half,
# sealed if the operator gave a secret to seal it by, and null once another key signs. `signs` is true for the key that
# signs and null for the others, so that there cannot be two.
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
