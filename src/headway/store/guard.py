"""The guard of the ledger: its triggers refuse every change unless a row of `ledger_opened` gives the reason."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store.schema import ledger_opened


@contextmanager
def opened(connection: Connection, reason: str) -> Iterator[None]:
    """Allow changes to the ledger inside, for this transaction alone; an error inside must end the transaction."""
    connection.execute(sa.insert(ledger_opened).values(reason=reason))
    yield
    shut(connection)


def standing_open(connection: Connection) -> list[str]:
    """The reasons for which the ledger is open to everybody; empty unless somebody bypassed Headway."""
    return list(connection.execute(sa.select(ledger_opened.c.reason).order_by(ledger_opened.c.reason)).scalars())


def shut(connection: Connection) -> None:
    """Make the ledger refuse changes again."""
    connection.execute(sa.delete(ledger_opened))
