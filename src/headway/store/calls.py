"""Notifications between the processes on one PostgreSQL database (NOTIFY and LISTEN)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection

from headway.store.address import CONNECTING, impatient

if TYPE_CHECKING:
    import psycopg

# The payload of a notification holds less than 8,000 bytes.
LEARNERS_A_CALL: Final = 200
Listening: TypeAlias = "psycopg.Connection[Any]"
_CHANNEL: Final = "headway_told"


class Lost(Exception):
    """The connection could not be made, or was lost."""


def call(connection: Connection, learner_ids: list[str]) -> None:
    """Send learners' ids to all listeners once this transaction is committed; at most LEARNERS_A_CALL."""
    told = {"channel": _CHANNEL, "payload": ",".join(learner_ids)}
    connection.execute(sa.text("SELECT pg_notify(:channel, :payload)"), told)


@contextmanager
def listening(url: URL) -> Iterator[Listening]:
    """A connection that receives calls; Lost where it cannot be made, or breaks while in use."""
    import psycopg  # noqa: PLC0415  # only where PostgreSQL is used

    # Read the address as an engine does: libpq reads some differently, such as those with several hosts or spaces.
    places, options = url.get_dialect()().create_connect_args(impatient(url))
    try:
        with psycopg.connect(*places, **{**options, **CONNECTING, "autocommit": True}) as connection:
            connection.execute(f"LISTEN {_CHANNEL}".encode())
            yield connection
    except psycopg.Error as error:
        raise Lost(type(error).__name__) from error


def heard(connection: Listening) -> Iterator[set[str]]:
    """The learners' ids of each call that has arrived; does not wait."""
    for one in connection.notifies(timeout=0):
        yield {*one.payload.split(",")}
