"""Read ahead: the database prepares the next items while the current ones are in use."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Generator[T, None, None]) -> Generator[T, None, None]:
    """Yield the same items in the same order, none of them None; a thread makes each while the one before is in use."""
    with ThreadPoolExecutor(1, "headway-ahead") as thread:
        coming = thread.submit(next, items, None)
        try:
            while (found := coming.result()) is not None:
                coming = thread.submit(next, items, None)
                yield found
        finally:
            # Only the thread that opened what the generator holds open can close it, as with SQLite.
            thread.submit(items.close)
