"""The table of claim codes: by which whoever has an account proves that an imported learner is them."""

from sqlalchemy import BigInteger, Column, String, Table

from headway.store.columns import learner_key, metadata

# One a learner: a new code takes the place of the old one. The code itself is nowhere.
claim_code = Table(
    "claim_code",
    metadata,
    learner_key(),
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("expires_at", BigInteger, nullable=False),
)
