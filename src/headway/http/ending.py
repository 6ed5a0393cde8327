"""Ending a server's background work before the connections that it needs are closed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")

# Seconds that a stopping server waits for what a thread is doing.
PATIENCE_S: Final = 5.0


@asynccontextmanager
async def beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run works in the background; when the context ends, cancel all of them and wait for them."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        await end(*tasks)


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait for them; they must await the work of threads by `to_its_end`."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def to_its_end(work: Awaitable[T], patience_s: float = PATIENCE_S) -> T:
    """Await the work of a thread; if cancelled, still wait for it, for `patience_s` seconds at most.

    A thread cannot be cancelled: left alone it would keep a connection that nobody closes.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=patience_s)
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            log.warning("failed_while_stopping", error=type(error).__name__)
        raise
