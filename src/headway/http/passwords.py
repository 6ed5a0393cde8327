"""Hashes passwords in threads, few at a time, since each hash takes tens of megabytes; few may wait as well."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from headway.domain.errors import Busy
from headway.ledger.passwords import check_new_password, hash_password, is_outdated, password_matches

HASHES_AT_ONCE: Final = max(1, min(4, os.cpu_count() or 1))
# More would wait longer than people who sign in do, and a flood of them would keep everybody else out.
WAITING_MAX: Final = 20
# No password is longer: the rest of a longer try need not be hashed.
_TRIED_MAX: Final = 1_000

T = TypeVar("T")


class Passwords:
    """The password hashing of a process."""

    def __init__(self) -> None:
        # A pool of its own: each thread keeps the memory of its last hash, and other pools have many threads.
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE, thread_name_prefix="headway-hash")
        self._under_way = 0  # counted by the event loop's thread alone

    def close(self) -> None:
        """Hash nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def chosen(self, password: str, email: str | None, *, field: str = "password") -> str:
        """The hash of a password that is newly chosen; Invalid if it may not be chosen."""

        def hashed() -> str:
            return hash_password(check_new_password(password, email, field=field))

        return await self._run(hashed)

    async def hash(self, password: str) -> str:
        """The hash of a password, which is not checked."""
        return await self._run(partial(hash_password, password))

    async def renewed(self, password: str, kept: str) -> str | None:
        """A new hash of a right password, if the kept hash is outdated and there is time for it; else None."""
        if not is_outdated(kept):
            return None
        try:
            return await self.hash(password)
        except Busy:
            return None  # the next sign-in does it

    async def match(self, password: str, kept: str | None) -> bool:
        """Whether a password is the one that was hashed; without a hash False, after the same time."""
        return await self._run(partial(password_matches, password[:_TRIED_MAX], kept))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._under_way >= HASHES_AT_ONCE + WAITING_MAX:
            raise Busy("too many passwords are waiting to be looked at; try again in a moment", retry_after_s=2)
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._under_way -= 1
