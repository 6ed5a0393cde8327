"""Counting texts, or noting what they stand for, in bounded memory: what does not fit goes to a temporary file."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_MEMORY_KB: Final = 16_000
_COUNT: Final = "INSERT INTO seen VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET said = said + 1 RETURNING said"
_STAND: Final = "INSERT INTO seen VALUES (?, ?) ON CONFLICT (key) DO NOTHING"
_STANDS: Final = "SELECT said FROM seen WHERE key = ?"


class Tally:
    """How often each text was seen, or what it stands for; use only one of the two for a text.

    Texts are stored as 64-bit hashes: of n texts, two are taken for the same with a probability of about n² / 2**65.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.distinct = 0

    def count(self, text: str) -> int:
        """Count a text once more; return how often it was seen, this time included."""
        times: int = self._connection.execute(_COUNT, (_number(text),)).fetchone()[0]
        self.distinct += times == 1
        return times

    def stands_for(self, text: str, content: str) -> bool | None:
        """Whether a text stands for this content; None where it was new, and stands for it from now on."""
        key, number = _number(text), _number(content)
        if self._connection.execute(_STAND, (key, number)).rowcount:
            return None
        return bool(self._connection.execute(_STANDS, (key,)).fetchone()[0] == number)


@contextmanager
def tally() -> Iterator[Tally]:
    """A tally to use inside; it shares nothing with any database of learners."""
    connection = sqlite3.connect("", isolation_level=None)
    try:
        connection.execute(f"PRAGMA cache_size = -{_MEMORY_KB}")
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("CREATE TABLE seen (key INTEGER PRIMARY KEY, said INTEGER NOT NULL)")
        connection.execute("BEGIN")
        yield Tally(connection)
    finally:
        connection.close()


def _number(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
