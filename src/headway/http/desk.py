"""Passes submissions from the event loop to the one thread that writes, and its outcomes back."""

import asyncio
from collections.abc import Callable, Sequence

from headway.domain.errors import HeadwayError
from headway.ledger.submission import Receipt, Submission
from headway.ledger.writer import Outcome, Waiting, Writer
from headway.store.catalog import Catalog
from headway.store.database import Database


class Desk:
    """Takes submissions on the event loop; each is answered once its transaction is committed.

    `watched` is called with the outcomes of each transaction, in the writer's thread, after they were passed on.
    """

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        watched: Callable[[Sequence[tuple[Waiting, Outcome]]], None] = lambda _: None,
    ) -> None:
        self.writer = Writer(database, catalog, self._answered)
        self._watched = watched
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self) -> None:
        """Start the writer, and have answers go to the running loop."""
        self._loop = asyncio.get_running_loop()
        self.writer.start()

    async def close(self) -> None:
        """Take nothing more, and end once all that waits is written and answered."""
        await asyncio.to_thread(self.writer.stop)

    async def record(self, submission: Submission) -> Receipt:
        """Submit events and wait for the commit; Busy, Unavailable or IdentityGone if they are not committed."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.writer.submit(submission, future)
        outcome = await future
        if isinstance(outcome, HeadwayError):
            # All of a failed transaction share one error; without this its traceback would grow with each of them.
            raise outcome.with_traceback(None)
        return outcome

    def _answered(self, outcomes: Sequence[tuple[Waiting, Outcome]]) -> None:
        """Pass on the outcomes of a transaction, from the writer's thread, with a single call to the loop."""
        if self._loop is not None and outcomes:
            self._loop.call_soon_threadsafe(_resolve, outcomes)
            self._watched(outcomes)


def _resolve(outcomes: Sequence[tuple[Waiting, Outcome]]) -> None:
    for waiting, outcome in outcomes:
        future = waiting.reply
        if isinstance(future, asyncio.Future) and not future.done():
            future.set_result(outcome)
