"""The table of public pages of learners' progress."""

from sqlalchemy import BigInteger, Column, String, Table

from headway.store.columns import learner_key, metadata

# At most one page per learner. The token is the page's address; it is no secret otherwise, and its owner can read it.
share_page = Table(
    "share_page",
    metadata,
    learner_key(),
    Column("token", String(64), nullable=False, unique=True),
    # The names of what it shows, separated by commas.
    Column("shows", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
