"""What is done for many is done for some at a time: read page by page, and written a transaction each."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from sqlalchemy.engine import Connection

from headway.store.database import Database

T = TypeVar("T")


def portions(found: Iterable[T], size_of: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """All of them in order, in lists whose sizes add up to no more than `most`; a larger one comes alone."""
    portion: list[T] = []
    size = 0
    for one in found:
        if portion and size + size_of(one) > most:
            yield portion
            portion, size = [], 0
        portion.append(one)
        size += size_of(one)
    if portion:
        yield portion


def paged(
    database: Database, read: Callable[[Connection, str], list[T]], place: Callable[[T], str]
) -> Iterator[list[T]]:
    """All that `read` gives from behind a place, the first time from behind none: a page a snapshot, in order."""
    after = ""
    while True:
        with database.read() as connection:
            found = read(connection, after)
        if not found:
            return
        yield found
        after = place(found[-1])
