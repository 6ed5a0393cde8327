"""Sign in a device that has no browser (RFC 8628): it asks, its user approves elsewhere, it fetches a token once."""

import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection, RowMapping

from headway.domain.errors import HeadwayError
from headway.domain.times import DAY, HOUR, MINUTE, SECOND
from headway.ledger import tokens
from headway.ledger.security import Origin
from headway.ledger.session_owner import owner
from headway.store import devices, learners
from headway.store.database import Database

LIVES: Final = 15 * MINUTE
INTERVAL_S: Final = 5
SLOWER_S: Final = 5
TOKEN_LIVES: Final = 365 * DAY
# No vowels, so that no words arise; no look-alikes, so that there are no mistakes (RFC 8628, 6.1).
LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
CODE_LENGTH: Final = 8
# A device that waits exactly the interval must not be early because the network was faster this time.
_EARLY: Final = SECOND // 2
# Expired requests are kept this long, to tell them apart from unknown ones.
_KEPT: Final = HOUR


class DeviceState(StrEnum):
    """Why there is no token for a device (RFC 8628, 3.5)."""

    PENDING = "authorization_pending"
    TOO_FAST = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    UNKNOWN = "invalid_grant"


class UnknownUserCode(HeadwayError):
    """No device waits with that code."""

    code = "not-found"


class WaitingDevice(NamedTuple):
    """A waiting device: its name for itself, and the scopes it asks for."""

    client: str
    scopes: str


def ask(database: Database, device_code_hash: str, asked: WaitingDevice, *, now: int) -> str:
    """Register a waiting device, and return the code that its user enters elsewhere."""
    row = {
        "device_code_hash": device_code_hash,
        "client": asked.client,
        "scopes": asked.scopes,
        "denied": False,
        "interval_s": INTERVAL_S,
        "polled_at": 0,
        "expires_at": now + LIVES,
    }
    with database.transaction() as connection:
        devices.clear(connection, now - _KEPT)
        while not devices.add(connection, row | {"user_code": (user_code := _new_user_code())}):
            pass
        return user_code


def _new_user_code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))


def find(connection: Connection, user_code: str, now: int) -> WaitingDevice:
    """Return the device that waits with a code; UnknownUserCode if there is none."""
    return _asked(devices.by_user_code(connection, user_code, now))


def decide(
    database: Database, session_hash: str, learner_id: str, user_code: str, *, approve: bool, now: int
) -> WaitingDevice:
    """Approve or deny a waiting device for an account, and return the device.

    Raise UnknownUserCode without saying whether a code has expired or was decided before.
    """
    with database.transaction() as connection:
        owner(connection, session_hash, learner_id, now)
        row = devices.by_user_code(connection, user_code, now, lock=True)
        asked = _asked(row)
        if approve and not tokens.has_room(connection, learner_id, now):
            raise tokens.TooManyTokens("revoke a token that is not used any more, then approve this device again")
        if row is not None:
            values: Mapping[str, Any] = {"learner_id": learner_id} if approve else {"denied": True}
            devices.change(connection, row["device_code_hash"], **values)
        return asked


def _asked(row: RowMapping | None) -> WaitingDevice:
    if row is None:
        raise UnknownUserCode("no device waits with this code; it may have run out, so look at the device again")
    return WaitingDevice(row["client"], row["scopes"])


def fetch(
    database: Database, device_code_hash: str, token: Mapping[str, Any], *, now: int, origin: Origin
) -> str | DeviceState:
    """Give an approved device its token, once, and return its scopes; else why there is none.

    `token` is a row of `session` without learner, name and scopes. If the account is gone or has too many tokens, the
    state is denied.
    """
    with database.transaction() as connection:
        found = devices.by_device_code(connection, device_code_hash)
        learner_id = found["learner_id"] if found is not None else None
        if learner_id is not None:
            # Lock the learner before the device, in the same order as approving does.
            locked = learners.lock(connection, [learner_id]).get(learner_id)
            erased = locked is None or locked.erased_at is not None
            if erased or not tokens.has_room(connection, learner_id, now):
                return DeviceState.DENIED
        row = devices.by_device_code(connection, device_code_hash, lock=True)
        waits = _waits(connection, row, now)
        if row is None or waits is not None:
            return waits or DeviceState.UNKNOWN
        if learner_id is None:
            return DeviceState.PENDING  # approved between the two reads: the next poll finds it
        devices.end(connection, device_code_hash)
        named = {"learner_id": learner_id, "name": row["client"], "scopes": row["scopes"]}
        tokens.add(connection, {**token, **named}, now=now, origin=origin)
        return str(row["scopes"])


def _waits(connection: Connection, row: RowMapping | None, now: int) -> DeviceState | None:
    """Return why a device must wait or give up, None if it was approved; record the poll."""
    if row is None:
        return DeviceState.UNKNOWN
    if row["expires_at"] <= now:
        return DeviceState.EXPIRED
    if row["denied"]:
        return DeviceState.DENIED
    if row["learner_id"] is not None:
        return None
    too_fast = now - row["polled_at"] < row["interval_s"] * SECOND - _EARLY
    slower = {"interval_s": row["interval_s"] + SLOWER_S} if too_fast else {}
    devices.change(connection, row["device_code_hash"], polled_at=now, **slower)
    return DeviceState.TOO_FAST if too_fast else DeviceState.PENDING
