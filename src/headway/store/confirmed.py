"""Statements on confirmed addresses: accounts' addresses whose mail somebody has shown that they read."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store import rows
from headway.store.mailing_tables import confirmed_address
from headway.store.schema import learner

# Joins the learner's row: the confirmed address is still the account's address.
IS_CONFIRMED = (confirmed_address.c.learner_id == learner.c.id) & (confirmed_address.c.email == learner.c.email)


def is_confirmed(connection: Connection, learner_id: str) -> bool:
    """Whether the account's present address is confirmed."""
    wanted = sa.select(learner.c.id).join(confirmed_address, IS_CONFIRMED).where(learner.c.id == learner_id)
    return connection.execute(wanted).first() is not None


def put(connection: Connection, learner_id: str, email: str, at: int) -> None:
    """Note that an account's address is confirmed."""
    rows.upsert(connection, confirmed_address, [(learner_id, email, at)])


def forget(connection: Connection, learner_id: str) -> None:
    """Delete the confirmation of an account's address."""
    connection.execute(sa.delete(confirmed_address).where(confirmed_address.c.learner_id == learner_id))
