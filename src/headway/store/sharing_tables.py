"""The table of public pages of learners' progress."""

from sqlalchemy import BigInteger, Column, String, Table

from headway.store.columns import learner_key, metadata

# One page a learner at most. The token is the page's address, which its owner can look up again: no secret beyond it.
share_page = Table(
    "share_page",
    metadata,
    learner_key(),
    Column("token", String(64), nullable=False, unique=True),
    # Names of what it shows, between commas.
    Column("shows", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
