"""Addresses of databases: two kinds are taken, anything else is refused in words that help."""

from pathlib import Path

import pytest

from headway.store.address import DatabaseUrlInvalid
from headway.store.database import Database


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "headway.db",
        "nonsense",
        "://",
        "sqlite",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file::memory:?uri=true",
        "sqlite:///file:x?mode=memory&uri=true",
        "sqlite:///head?way.db",
        "sqlite:///headway.db?mode=ro",
        "sqlite+aiosqlite:///headway.db",
        "mysql://localhost/headway",
        "postgresql+asyncpg://localhost/headway",
        "postgresql+psycopg2://localhost/headway",
        "postgresql://localhost:port/headway",
        "postgresql://localhost:99999999999999999999999/headway",
        "oracle://x",
        "https://example.org/headway.db",
        "redis://localhost",
        "sqlite:///head\0way.db",
    ],
)
def test_a_bad_address_is_refused(url: str) -> None:
    with pytest.raises(DatabaseUrlInvalid) as refusal:
        Database(url)
    assert refusal.value.code == "invalid-database-url"
    assert "sqlite:///" in refusal.value.detail


def test_a_refusal_does_not_show_the_password() -> None:
    for url in ("mysql://jo:hunter2@localhost/x", "postgresql://jo:hunter2@localhost:port/x", "jo:hunter2@localhost"):
        with pytest.raises(DatabaseUrlInvalid) as refusal:
            Database(url)
        assert "hunter2" not in refusal.value.detail


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_is_known_by_all_its_names(scheme: str) -> None:
    database = Database(f"{scheme}://jo:hunter2@localhost:5433/headway?connect_timeout=1")
    assert (database.dialect, database.path, database.url.port) == ("postgresql", None, 5433)
    assert database.url.query["connect_timeout"] == "1"
    assert "hunter2" not in database.shown
    database.close()


def test_sqlite_is_a_file(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path}/a b.db", f"sqlite+pysqlite:///{tmp_path}/ü.db"):
        database = Database(url)
        assert (database.dialect, database.path) == ("sqlite", Path(database.url.database or ""))
        with database.transaction() as connection:
            connection.exec_driver_sql("CREATE TABLE made (id integer)")
        assert database.path is not None
        assert database.path.stat().st_size > 0
        database.close()
    assert Database("sqlite:///headway.db").path == Path("headway.db")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql:///db?user=jo&password=hunter2", "postgresql:///db"),
        ("postgresql:///db?host=/run/pg&port=5433&sslpassword=hunter2", "postgresql:///db?host=%2Frun%2Fpg&port=5433"),
        ("postgresql://jo:hunter2@db.example.org/db?password=hunter3", "postgresql://jo:***@db.example.org/db"),
    ],
)
def test_no_password_is_shown_wherever_it_stands(url: str, shown: str) -> None:
    database = Database(url)
    assert database.shown == shown
    database.close()
