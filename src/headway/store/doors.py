"""The tables of identity: whatever opens the door to a learner, how often it was tried, who was erased, who signs."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Integer, String, Table, Text

from headway.store.columns import Id, metadata

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
