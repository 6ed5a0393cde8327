"""Reading ahead: the database works at what comes next while what came is worked at."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items in the same order, none of them None: each is made by a thread while the one before is in use."""
    with ThreadPoolExecutor(1, "headway-ahead") as thread:
        coming = thread.submit(next, items, None)
        while (found := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield found
