"""Work for which people wait in line, and no more of them than can be served soon."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from headway.domain.errors import Busy

T = TypeVar("T")


class Line:
    """So many threads for one kind of work, and how many may wait for one; whoever comes then is told so."""

    def __init__(self, threads: int, waiting: int, too_many: str) -> None:
        self._limiter = CapacityLimiter(threads)
        self._most = threads + waiting
        self._too_many = too_many
        # Counted here: the limiter counts whoever waits a turn of the loop later.
        self._inside = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What a blocking call gives, in one of the threads; Busy where too many wait for theirs."""
        if self._inside >= self._most:
            raise Busy(f"too many {self._too_many} at once; try again in a moment", retry_after_s=2)
        self._inside += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1
