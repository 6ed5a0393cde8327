"""Ending what a server does by itself, before the connections that it needs are closed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")

# For so long a server that stops waits for what a thread is at.
PATIENCE_S: Final = 5.0


@asynccontextmanager
async def beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Have works done beside all else; on leaving they end, all at the same time."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        await end(*tasks)


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks, which await by `to_its_end` whatever threads do for them, and wait for them."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def to_its_end(work: Awaitable[T], patience_s: float = PATIENCE_S) -> T:
    """Await what a thread does; cancelled, wait for it all the same, so long.

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
