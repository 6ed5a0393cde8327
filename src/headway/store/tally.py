"""Counting how often something was seen, in bounded memory: what does not fit goes to a temporary file."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_MEMORY_KB: Final = 16_000
_COUNT: Final = "INSERT INTO seen VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1 RETURNING times"


class Tally:
    """How often each text was seen; different texts share a count with a probability of about n² / 2**65."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.distinct = 0

    def count(self, text: str) -> int:
        """Count a text once more, and return how often it was seen with this time."""
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        times: int = self._connection.execute(_COUNT, (int.from_bytes(digest, "big", signed=True),)).fetchone()[0]
        self.distinct += times == 1
        return times


@contextmanager
def tally() -> Iterator[Tally]:
    """A tally for as long as it is needed; it shares nothing with any database of learners."""
    connection = sqlite3.connect("", isolation_level=None)
    try:
        connection.execute(f"PRAGMA cache_size = -{_MEMORY_KB}")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("CREATE TABLE seen (key INTEGER PRIMARY KEY, times INTEGER NOT NULL)")
        connection.execute("BEGIN")
        yield Tally(connection)
    finally:
        connection.close()
