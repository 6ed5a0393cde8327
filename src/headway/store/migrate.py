"""Bring a database to the newest schema: run at every start, by any number of processes at once."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.errors import HeadwayError
from headway.store.database import Database

_VERSIONS = Path(__file__).with_name("migrations") / "versions"
_LOCK = 0x4EAD3A1  # any number, as long as all Headways agree on it


class SchemaTooNew(HeadwayError):
    """The database was written by a newer Headway."""

    code = "schema-too-new"


class EncodingUnfit(HeadwayError):
    """The database cannot keep all letters."""

    code = "encoding-unfit"


def newest() -> str:
    """The newest revision that this Headway knows; files are named after their revision."""
    return max(revisions())


def current(connection: Connection) -> str | None:
    """The revision of a database; None where it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


def migrate(database: Database) -> tuple[str | None, str]:
    """Migrate the database to the newest revision; return the revisions (before, after)."""
    database.make_file()
    with database.read() as connection:
        before = current(connection)
    if before is not None and before > newest():
        raise SchemaTooNew(
            f"the database is at revision {before}, this Headway knows {newest()}: install the newer Headway"
        )
    if before != newest():
        with database.transaction() as connection:
            upgrade(connection, newest())
    return before, newest()


def revisions() -> set[str]:
    """All revisions that this Headway knows."""
    return {path.stem.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py")}


def upgrade(connection: Connection, revision: str) -> None:
    """Migrate the database to a revision within this transaction, which excludes all others from migrating."""
    from alembic import command  # noqa: PLC0415  # slow to import, and seldom needed
    from alembic.config import Config  # noqa: PLC0415  # as above

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SET LOCAL lock_timeout = 0"))  # whoever starts second waits for the first
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        _check_encoding(connection)
    config = Config()
    config.set_main_option("script_location", str(_VERSIONS.parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _check_encoding(connection: Connection) -> None:
    """Refuse a database being set up without UTF-8; one already in use continues, and `doctor` reports it."""
    encoding = connection.execute(sa.text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8" and current(connection) is None:
        raise EncodingUnfit(
            f"the database keeps text as {encoding}, which does not hold all letters: make it anew, by"
            " CREATE DATABASE … ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0"
        )
