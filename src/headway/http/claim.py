"""Ensures that a SQLite file has only one server: writers of two would wait for each other at every commit."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from headway.domain.errors import HeadwayError
from headway.store.database import Database

_held: Final[set[Path]] = set()


class AnotherServer(HeadwayError):
    """The server cannot start."""

    code = "cannot-serve"


@contextmanager
def claimed(database: Database) -> Iterator[None]:
    """Hold a SQLite file as its one server; AnotherServer if another process holds it. Within a process it nests."""
    lock = database.server_lock()
    if lock is None or lock.path.resolve() in _held:
        yield
        return
    descriptor = lock.take()
    if descriptor is None:
        raise AnotherServer(
            f"another server is at work on {database.path}: stop it first, or use PostgreSQL, which takes several"
        )
    path = lock.path.resolve()
    _held.add(path)
    try:
        yield
    finally:
        _held.discard(path)
        os.close(descriptor)
