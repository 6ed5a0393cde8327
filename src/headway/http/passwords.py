"""Passwords are hashed in threads and few at a time: each hash takes tens of megabytes."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from headway.ledger.passwords import check_new_password, hash_password, password_matches

HASHES_AT_ONCE: Final = max(1, min(4, os.cpu_count() or 1))


T = TypeVar("T")


class Passwords:
    """The hashing of a process."""

    def __init__(self) -> None:
        # Threads of its own: each keeps the memory of its last hash, and whatever else is done has many threads.
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE, thread_name_prefix="headway-hash")

    def close(self) -> None:
        """Hash nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def chosen(self, password: str, email: str | None, *, field: str = "password") -> str:
        """The hash to keep of a password that is chosen anew; Invalid where it may not be."""

        def hashed() -> str:
            return hash_password(check_new_password(password, email, field=field))

        return await self._run(hashed)

    async def hash(self, password: str) -> str:
        """The hash to keep of a password that is there."""
        return await self._run(partial(hash_password, password))

    async def match(self, password: str, kept: str | None) -> bool:
        """Whether it is the password; where there is none to compare with, no, after the same time."""
        return await self._run(partial(password_matches, password, kept))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
