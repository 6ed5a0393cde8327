"""How processes on one PostgreSQL database call each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection

from headway.store.address import CONNECTING, impatient

if TYPE_CHECKING:
    import psycopg

# A call holds 8,000 bytes.
LEARNERS_A_CALL: Final = 200
Listening: TypeAlias = "psycopg.Connection[Any]"
_CHANNEL: Final = "headway_told"


class Lost(Exception):
    """There is no connection to be had, or none any more."""


def call(connection: Connection, learner_ids: list[str]) -> None:
    """Call learners' ids once this transaction is committed."""
    told = {"channel": _CHANNEL, "payload": ",".join(learner_ids)}
    connection.execute(sa.text("SELECT pg_notify(:channel, :payload)"), told)


@contextmanager
def listening(url: URL) -> Iterator[Listening]:
    """A connection on which calls arrive; Lost where there is none, inside as well."""
    import psycopg  # noqa: PLC0415  # only where PostgreSQL is used

    # As an engine reads an address: libpq reads some otherwise, several hosts and spaces among them.
    places, options = url.get_dialect()().create_connect_args(impatient(url))
    try:
        with psycopg.connect(*places, **{**options, **CONNECTING, "autocommit": True}) as connection:
            connection.execute(f"LISTEN {_CHANNEL}".encode())
            yield connection
    except psycopg.Error as error:
        raise Lost(type(error).__name__) from error


def heard(connection: Listening) -> Iterator[set[str]]:
    """The ids of the calls that have arrived."""
    for one in connection.notifies(timeout=0):
        yield {*one.payload.split(",")}
