"""Throttles: how often something may be tried, counted in the database so that it holds over workers and restarts."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.errors import HeadwayError
from headway.domain.times import SECOND
from headway.ledger.commit import committed
from headway.store import throttles
from headway.store.database import Database


class Limit(NamedTuple):
    """At most `quota` tries in `window_s` seconds, counted from the first; `name` is what clients read."""

    name: str
    quota: int
    window_s: int


class Throttle(NamedTuple):
    """A limit for a network address, an account (its mail address or id), or both."""

    limit: Limit
    whose: tuple[str, ...]
    account: str = ""

    @property
    def key(self) -> str:
        """The key that tries are counted under: a hash, because it is made of addresses."""
        whole = _hash("|".join((self.limit.name, *self.whose)))
        return _of_account(self.account) + whole[_OF_ACCOUNT:] if self.account else whole


# This many characters of a key stand for its account: erasing the account deletes all keys that begin so.
_OF_ACCOUNT: Final = 24


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _of_account(account: str) -> str:
    return _hash(account)[:_OF_ACCOUNT]


def forget_accounts(connection: Connection, accounts: Iterable[str]) -> None:
    """Delete all tries counted for accounts, given by their mail addresses or ids."""
    throttles.forget_beginning(connection, [_of_account(one) for one in accounts], _OF_ACCOUNT)


class Left(NamedTuple):
    """What is left of a limit, and in how many seconds all of it is available again."""

    limit: Limit
    remaining: int
    resets_s: int


class RateLimited(HeadwayError):
    """Too much was tried in a short time."""

    code = "rate-limited"

    def __init__(self, detail: str, left: Sequence[Left]) -> None:
        super().__init__(detail)
        self.left = left
        self.retry_after_s = max(one.resets_s for one in left if not one.remaining)


# A failed sign-in counts for both: guessing one password is stopped soon, and so is one address that tries many
# accounts; the owner of an account comes from another address, and is never locked out.
SIGN_IN: Final = Limit("sign-in", 10, 15 * 60)
SIGN_IN_ADDRESS: Final = Limit("sign-in-address", 100, 15 * 60)
# Right passwords count only for this one: each costs as much to check as a wrong one.
SIGN_INS: Final = Limit("sign-ins", 60, 60)
NEW_LEARNERS: Final = Limit("new-learners", 60, 60)
RESETS: Final = Limit("password-resets", 20, 15 * 60)
# Applied silently: it must not reveal that there is an account, nor let strangers fill its mailbox.
RESETS_OF_ACCOUNT: Final = Limit("password-resets-account", 3, 60 * 60)


def take(database: Database, wanted: Sequence[Throttle], *, now: int) -> list[Left]:
    """Count a try for each of these, all or none; RateLimited if one is used up.

    A try is counted before it is made, so that of a thousand at once no more pass than may. The caller gives back what
    succeeds.
    """
    with database.read() as connection:
        counts = throttles.counted(connection, [one.key for one in wanted], now)
    _refuse([_left(one.limit, *counts.get(one.key, (0, now)), now, before=True) for one in wanted])

    def count(connection: Connection) -> dict[str, tuple[int, int]]:
        # In order of key, as everybody locks them.
        return {
            one.key: throttles.take(connection, one.key, now=now, window=one.limit.window_s * SECOND)
            for one in sorted(wanted, key=lambda one: one.key)
        }

    taken = committed(database, count)
    _refuse([_left(one.limit, taken[one.key][0] - 1, taken[one.key][1], now, before=True) for one in wanted])
    return [_left(one.limit, *taken[one.key], now) for one in wanted]


def left_of(connection: Connection, wanted: Throttle, now: int) -> Left:
    """What is left of a limit."""
    found = throttles.counted(connection, [wanted.key], now).get(wanted.key, (0, now))
    return _left(wanted.limit, *found, now, before=True)


def take_quietly(database: Database, wanted: Throttle, *, now: int) -> bool:
    """Count a try, and return whether it may be made."""
    try:
        take(database, [wanted], now=now)
    except RateLimited:
        return False
    return True


def succeeded(database: Database, *, clear: Sequence[Throttle] = (), give_back: Sequence[Throttle] = ()) -> None:
    """Undo counts after a success: forget all tries of some throttles, and give back one of others."""
    undone = {one.key: throttles.clear for one in clear} | {one.key: throttles.give_back for one in give_back}

    def undo(connection: Connection) -> None:
        # One at a time in order of key, as `take` locks them: otherwise each could wait for the other.
        for key in sorted(undone):
            undone[key](connection, key)

    committed(database, undo)


def _left(limit: Limit, count: int, ends_at: int, now: int, *, before: bool = False) -> Left:
    remaining = max(0, limit.quota - count)
    # A window that has not begun yet will last its full length.
    unbegun = before and count == 0
    return Left(limit, remaining, limit.window_s if unbegun else max(1, -((now - ends_at) // SECOND)))


def _refuse(left: Sequence[Left]) -> None:
    used_up = [one for one in left if not one.remaining]
    if used_up:
        minutes = max(1, round(max(one.resets_s for one in used_up) / 60))
        when = f"{minutes} minutes" if minutes > 1 else "a minute"
        raise RateLimited(f"this was tried too often from here; try again in {when}", left)
