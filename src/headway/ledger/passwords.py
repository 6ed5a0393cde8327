"""Passwords as they are kept: argon2id."""

import os
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The hash to keep; takes tens of milliseconds and of megabytes."""
    return _hasher.hash(password)


def password_matches(password: str, kept: str | None) -> bool:
    """Whether it is the password; where there is none to compare with, no, after the same time."""
    try:
        _hasher.verify(kept or _hash_of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash(os.urandom(16))
