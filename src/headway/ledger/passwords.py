"""Passwords: how they are hashed (argon2id), and which may not be chosen."""

import os
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from headway.domain.errors import Invalid
from headway.domain.identity import PASSWORD_MIN, check_password

# What OWASP advises first: 19 MiB, twice over, in one thread. See docs/decisions/0014-passwords.md.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def check_new_password(sent: str, email: str | None, *, field: str = "password") -> str:
    """Return a password to be chosen, unchanged; Invalid if it is too short, too long, or easily guessed."""
    try:
        password = check_password(sent)
    except Invalid as error:
        raise Invalid(error.detail.replace("password", field, 1), field=field) from None
    guess = _composed(password).casefold()
    if guess in _commonest():
        raise Invalid(f"{field} is one of the commonest, which are guessed first; choose another", field=field)
    if email is not None and guess in (email, email.partition("@")[0]):
        raise Invalid(f"{field} is the address, which is guessed first; choose another", field=field)
    return password


def hash_password(password: str) -> str:
    """Return the hash to store; takes tens of milliseconds and megabytes."""
    return _hasher.hash(_composed(password))


def password_matches(password: str, kept: str | None) -> bool:
    """Return whether a password matches a stored hash; without a hash False, after the same time."""
    try:
        _hasher.verify(kept or _hash_of_nobody(), _composed(password))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)


def _composed(password: str) -> str:
    """Normalize to NFC: keyboards differ in whether they send accents separately (RFC 8265, 4.2)."""
    return unicodedata.normalize("NFC", password)


@cache
def _commonest() -> frozenset[str]:
    # Read when the first password is chosen: it takes a tenth of a second, and no command but one needs it.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 - see above

    return frozenset(one.casefold() for one in FREQUENCY_LISTS["passwords"] if len(one) >= PASSWORD_MIN)


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash(os.urandom(16))
