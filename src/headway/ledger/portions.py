"""What is done for many is done for some at a time, a transaction each."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

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
