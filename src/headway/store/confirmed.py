"""Statements on addresses of accounts whose mail somebody has shown to read."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store import rows
from headway.store.mailing_tables import confirmed_address
from headway.store.schema import learner

# Beside the learner's row: the address that was confirmed is the one that they have.
IS_CONFIRMED = (confirmed_address.c.learner_id == learner.c.id) & (confirmed_address.c.email == learner.c.email)


def is_confirmed(connection: Connection, learner_id: str) -> bool:
    """Whether somebody has shown that they read the mail of an account's address."""
    wanted = sa.select(learner.c.id).join(confirmed_address, IS_CONFIRMED).where(learner.c.id == learner_id)
    return connection.execute(wanted).first() is not None


def put(connection: Connection, learner_id: str, email: str, at: int) -> None:
    """Note that somebody reads the mail of an account's address."""
    rows.upsert(connection, confirmed_address, [(learner_id, email, at)])


def forget(connection: Connection, learner_id: str) -> None:
    """Have an account's address be one that nothing was shown of."""
    connection.execute(sa.delete(confirmed_address).where(confirmed_address.c.learner_id == learner_id))
