"""The database address as the settings hold it: checked, and with limits on waiting for a dead server."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from headway.domain.errors import HeadwayError

# A server that is gone sends nothing: without these, a query would wait for it a quarter of an hour, and a connection
# that only listens for hours. A living server's kernel acknowledges at once, however long a query takes.
_UNTIL_GONE: Final = {
    "tcp_user_timeout": "30000",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
# Set whatever the address says: a limit on waiting, a name by which operators recognize the session, and text as text:
# that of a SQL_ASCII database, which Debian creates where no locale is set, would be read as bytes.
CONNECTING: Final[Mapping[str, Any]] = {
    "connect_timeout": 10,
    "application_name": "headway",
    "client_encoding": "utf8",
}


class DatabaseUrlInvalid(HeadwayError):
    """The database address cannot be used."""

    code = "invalid-database-url"


def checked(text: str) -> URL:
    """The address; DatabaseUrlInvalid where no such database is supported."""
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
    """A PostgreSQL address with limits by which a dead connection is given up, unless the address sets them itself."""
    return url.update_query_dict({name: value for name, value in _UNTIL_GONE.items() if name not in url.query})
