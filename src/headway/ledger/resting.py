"""Long work while recording goes on: it rests as long as it works, and ends when the server stops."""

from collections.abc import Callable, Iterable, Iterator
from math import inf
from threading import Event
from time import monotonic
from typing import Final, TypeAlias, TypeVar

# Called with how many more items are done.
Progress: TypeAlias = Callable[[int], None]
_TOLD_EVERY: Final = 1_000
T = TypeVar("T")


class Stopping(Exception):
    """The server is stopping; the next one continues the work."""


def resting(stopping: Event, most_s: float = inf) -> Progress:
    """Return a function that rests for as long as the work since the last rest took, at most `most_s` seconds.

    Recording needs the processor as well. It raises Stopping once the server is to stop.
    """
    began = monotonic()

    def rest(_: int) -> None:
        nonlocal began
        if stopping.wait(min(most_s, monotonic() - began)):
            raise Stopping
        began = monotonic()

    return rest


def counted(items: Iterable[T], progress: Progress) -> Iterator[T]:
    """Yield the same items, and report progress now and then."""
    for number, item in enumerate(items, 1):
        if number % _TOLD_EVERY == 0:
            progress(_TOLD_EVERY)
        yield item
