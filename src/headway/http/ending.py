"""Ending what a server does by itself, before the connections that it needs are closed."""

import asyncio
from typing import Final

# For so long a server that stops waits for what threads are at.
PATIENCE_S: Final = 5.0


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait for them: a thread of theirs would be left with a connection that nobody closes."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=PATIENCE_S)
