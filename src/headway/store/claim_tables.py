"""The table of claim codes, by which the owner of an account proves to be an imported learner."""

from sqlalchemy import BigInteger, Column, String, Table

from headway.store.columns import learner_key, metadata

# One per learner: a new code replaces the old one. Only the code's hash is stored.
claim_code = Table(
    "claim_code",
    metadata,
    learner_key(),
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("expires_at", BigInteger, nullable=False),
)
