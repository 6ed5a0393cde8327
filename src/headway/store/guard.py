"""The guard of the ledger: its triggers refuse every change but where a row says why the ledger stands open."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store.schema import ledger_opened


@contextmanager
def opened(connection: Connection, reason: str) -> Iterator[None]:
    """Have the ledger stand open within, to this transaction alone; what fails within ends the transaction."""
    connection.execute(sa.insert(ledger_opened).values(reason=reason))
    yield
    shut(connection)


def standing_open(connection: Connection) -> list[str]:
    """The reasons why the ledger stands open to everybody: none, where nobody reached past Headway."""
    return list(connection.execute(sa.select(ledger_opened.c.reason).order_by(ledger_opened.c.reason)).scalars())


def shut(connection: Connection) -> None:
    """Have the ledger refuse to be changed again."""
    connection.execute(sa.delete(ledger_opened))
