"""Long work beside whoever records: it rests as long as it works, and ends where the server stops."""

from collections.abc import Callable, Iterable, Iterator
from math import inf
from threading import Event
from time import monotonic
from typing import Final, TypeAlias, TypeVar

# Told how many more are done.
Progress: TypeAlias = Callable[[int], None]
_TOLD_EVERY: Final = 1_000
T = TypeVar("T")


class Stopping(Exception):
    """The server stops: the next one goes on."""


def resting(stopping: Event, most_s: float = inf) -> Progress:
    """Rests after each part of a long work for as long as that took, at most so long.

    Whoever records needs the processor as well. Stopping once the server is to stop.
    """
    began = monotonic()

    def rest(_: int) -> None:
        nonlocal began
        if stopping.wait(min(most_s, monotonic() - began)):
            raise Stopping
        began = monotonic()

    return rest


def counted(items: Iterable[T], progress: Progress) -> Iterator[T]:
    """The same items, of which it is told now and then how many more there were."""
    for number, item in enumerate(items, 1):
        if number % _TOLD_EVERY == 0:
            progress(_TOLD_EVERY)
        yield item
