"""Passwords are hashed in threads and few at a time: each hash takes tens of megabytes. Few wait for it as well."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from headway.domain.errors import Busy
from headway.ledger.passwords import check_new_password, hash_password, is_outdated, password_matches

HASHES_AT_ONCE: Final = max(1, min(4, os.cpu_count() or 1))
# More would wait for longer than whoever signs in does, and a flood of them would keep everybody else out.
WAITING_MAX: Final = 20
# No password is longer; of what is tried the rest need not be hashed.
_TRIED_MAX: Final = 1_000

T = TypeVar("T")


class Passwords:
    """The hashing of a process."""

    def __init__(self) -> None:
        # Threads of its own: each keeps the memory of its last hash, and whatever else is done has many threads.
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE, thread_name_prefix="headway-hash")
        self._under_way = 0  # counted by the event loop's thread alone

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

    async def renewed(self, password: str, kept: str) -> str | None:
        """The hash to keep of a password that is right, where the one that is kept is outdated and there is time."""
        if not is_outdated(kept):
            return None
        try:
            return await self.hash(password)
        except Busy:
            return None  # the next sign-in does it

    async def match(self, password: str, kept: str | None) -> bool:
        """Whether it is the password; where there is none to compare with, no, after the same time."""
        return await self._run(partial(password_matches, password[:_TRIED_MAX], kept))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._under_way >= HASHES_AT_ONCE + WAITING_MAX:
            raise Busy("too many passwords are waiting to be looked at; try again in a moment", retry_after_s=2)
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._under_way -= 1
