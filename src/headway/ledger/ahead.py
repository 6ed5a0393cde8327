"""Reading ahead: the database works at what comes next while what came is worked at."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Generator[T, None, None]) -> Generator[T, None, None]:
    """The same items in the same order, none of them None: each is made by a thread while the one before is in use."""
    with ThreadPoolExecutor(1, "headway-ahead") as thread:
        coming = thread.submit(next, items, None)
        try:
            while (found := coming.result()) is not None:
                coming = thread.submit(next, items, None)
                yield found
        finally:
            # What they hold open can be closed by the thread alone that opened it, as SQLite can.
            thread.submit(items.close)
