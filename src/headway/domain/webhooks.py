"""Webhooks by Standard Webhooks: which changes an endpoint is sent, how they are signed, and when tries are made."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from headway.domain.times import DAY, HOUR, MINUTE, SECOND

SECRET_BYTES: Final = 32
# An endpoint is disabled once it has taken nothing for this long while messages failed.
GIVEN_UP_AFTER: Final = 5 * DAY
_PREFIX: Final = "whsec_"
_SPACE: Final = UUID("1c0a5a0e-6f0b-4f37-8e0b-0d2c5d7f9a31")
# The pauses between the tries of one message, in microseconds: some four days in all.
_PAUSES: Final = (5 * SECOND, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, *(12 * HOUR,) * 7)
TRIES_MAX: Final = len(_PAUSES) + 1
_ENDPOINT_PAUSE_MAX: Final = 30 * MINUTE


class Endpoint(NamedTuple):
    """What an endpoint is sent: changes of one course, or of all (None), and of some types, or of all (empty)."""

    id: str
    course: str | None
    types: frozenset[str]

    def takes(self, change: Mapping[str, Any]) -> bool:
        """Whether it is sent a change."""
        of_course = self.course is None or change.get("course") == self.course
        return of_course and (not self.types or change["type"] in self.types)


def write_secret(raw: bytes) -> str:
    """A secret as receivers keep it."""
    return _PREFIX + b64encode(raw).decode("ascii")


def signature(secret: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """The value of `webhook-signature`: version 1, HMAC-SHA256 of id, time (seconds since 1970) and body."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + b64encode(hmac.digest(secret, signed, "sha256")).decode("ascii")


def message_id(endpoint_id: str, notice_id: str) -> str:
    """The id of a message: the same however often it is sent."""
    return f"msg_{uuid5(_SPACE, f'{endpoint_id}/{notice_id}').hex}"


def pause_after(tries: int) -> int | None:
    """How long a message waits after this many tries, in microseconds; None where it is given up."""
    return _PAUSES[tries - 1] if tries < TRIES_MAX else None


def endpoint_pause(failures: int) -> int:
    """How long an endpoint is sent nothing after this many failures in a row, in microseconds."""
    return min((1 << min(failures, 20)) * SECOND, _ENDPOINT_PAUSE_MAX)
