"""How large a database is."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection


def size(connection: Connection) -> int:
    """The bytes that the database takes, without SQLite's log."""
    if connection.dialect.name == "sqlite":
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one())
    return int(connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())


def server_version(connection: Connection) -> str:
    """The version of the database software."""
    if connection.dialect.name == "sqlite":
        return str(connection.exec_driver_sql("SELECT sqlite_version()").scalar_one())
    return str(connection.exec_driver_sql("SHOW server_version").scalar_one())
