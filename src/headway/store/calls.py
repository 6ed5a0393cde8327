"""How processes on one PostgreSQL database call each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection

# A call holds 8,000 bytes.
LEARNERS_A_CALL: Final = 200
Listening: TypeAlias = "psycopg.Connection[Any]"
Lost: Final = psycopg.Error
_CHANNEL: Final = "headway_told"


def call(connection: Connection, learner_ids: list[str]) -> None:
    """Call learners' ids once this transaction is committed."""
    told = {"channel": _CHANNEL, "payload": ",".join(learner_ids)}
    connection.execute(sa.text("SELECT pg_notify(:channel, :payload)"), told)


@contextmanager
def listening(url: URL) -> Iterator[Listening]:
    """A connection on which calls arrive; Lost where there is none to be had."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True, connect_timeout=10) as connection:
        connection.execute(f"LISTEN {_CHANNEL}".encode())
        yield connection


def heard(connection: Listening) -> Iterator[set[str]]:
    """The ids of the calls that have arrived; Lost where the connection is."""
    for one in connection.notifies(timeout=0):
        yield {*one.payload.split(",")}
