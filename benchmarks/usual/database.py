"""The opponent's engine, set up the way that each database likes best."""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

# As many as FastAPI's pool has threads: on PostgreSQL no request waits for a connection.
POSTGRESQL_POOL = 40
# One writes at a time whatever their number: 1, 5 and 40 were tried and came out alike.
SQLITE_POOL = 5


def open_engine(url: str) -> Engine:
    """An engine with a pool, for `sqlite:///FILE` or `postgresql://…` (by psycopg)."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_size=POSTGRESQL_POOL, max_overflow=0)


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, pool_size=SQLITE_POOL, max_overflow=0, pool_timeout=60, connect_args={"timeout": 60})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, not where the driver thinks they should
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A reader cannot become a writer when another wrote meanwhile: whoever will write says so at once.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
