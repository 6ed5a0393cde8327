"""Divide work for many learners: read it page by page, and write it in portions of one transaction each."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from sqlalchemy.engine import Connection

from headway.store.database import Database

T = TypeVar("T")


def portions(found: Iterable[T], size_of: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """Yield all items in order, in lists whose sizes add up to at most `most`; a larger item comes alone."""
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
    """Yield what `read` returns after each place, the first time after "": page by page, a snapshot each, in order."""
    after = ""
    while True:
        with database.read() as connection:
            found = read(connection, after)
        if not found:
            return
        yield found
        after = place(found[-1])
