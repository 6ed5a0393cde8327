"""Passwords are hashed in threads and few at a time: each hash takes tens of megabytes."""

import os
from functools import partial
from typing import Final

from anyio import CapacityLimiter, to_thread

from headway.ledger.passwords import check_new_password, hash_password, password_matches

HASHES_AT_ONCE: Final = max(1, min(4, os.cpu_count() or 1))


class Passwords:
    """The hashing of a process."""

    def __init__(self) -> None:
        self._at_once = CapacityLimiter(HASHES_AT_ONCE)

    async def chosen(self, password: str, email: str | None, *, field: str = "password") -> str:
        """The hash to keep of a password that is chosen anew; Invalid where it may not be."""

        def hashed() -> str:
            return hash_password(check_new_password(password, email, field=field))

        return await to_thread.run_sync(hashed, limiter=self._at_once)

    async def hash(self, password: str) -> str:
        """The hash to keep of a password that is there."""
        return await to_thread.run_sync(hash_password, password, limiter=self._at_once)

    async def match(self, password: str, kept: str | None) -> bool:
        """Whether it is the password; where there is none to compare with, no, after the same time."""
        return await to_thread.run_sync(partial(password_matches, password, kept), limiter=self._at_once)
