"""A database's address, as it is written in the settings."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from headway.domain.errors import HeadwayError

# A machine that is gone says nothing: without these, whoever waits for it does so for a quarter of an hour, and whoever
# only listens for hours. Each acknowledges what comes at once, however long its answer takes.
_UNTIL_GONE: Final = {
    "tcp_user_timeout": "30000",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
# Whatever an address says of these: nobody waits for longer, operators know whose a session is, and text is text: what
# a database keeps as SQL_ASCII, as Debian makes them where no language is set, would else be bytes.
CONNECTING: Final[Mapping[str, Any]] = {
    "connect_timeout": 10,
    "application_name": "headway",
    "client_encoding": "utf8",
}


class DatabaseUrlInvalid(HeadwayError):
    """The database address cannot be used."""

    code = "invalid-database-url"


def checked(text: str) -> URL:
    """The address; DatabaseUrlInvalid where there can be no such database."""
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise DatabaseUrlInvalid("the database address must be sqlite:///FILE or postgresql://HOST/NAME") from None
    if url.drivername in ("postgresql", "postgres", "postgresql+psycopg") and (url.port or 0) < 65_536:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise DatabaseUrlInvalid(
            f"this {url.drivername} address is not supported: use sqlite:///FILE or postgresql://HOST/NAME"
        )
    if url.database in (None, "", ":memory:") or url.database.startswith("file:") or "\0" in url.database:
        raise DatabaseUrlInvalid("a SQLite address needs a file, as in sqlite:///headway.db: memory forgets")
    if "?" in text:
        raise DatabaseUrlInvalid(
            "a SQLite address ends with its file, as in sqlite:///headway.db: a ? in a name is written %3F, a % %25"
        )
    return url


def impatient(url: URL) -> URL:
    """A PostgreSQL address by which a connection is given up whose other end is gone, unless it says when itself."""
    return url.update_query_dict({name: value for name, value in _UNTIL_GONE.items() if name not in url.query})
