"""Which notifications reach a learner by which channel: the list, the stream, e-mail."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from headway.domain.notices import STREAK_AT_RISK, WEEKLY_SUMMARY
from headway.domain.times import DAY, HOUR, MINUTE

# In the order in which they are shown, with the types of changes that each holds. What is in none of them is always
# told: a learner who silenced what is not even known yet could miss what they need to know.
KINDS: Final[Mapping[str, frozenset[str]]] = {
    "streak": frozenset({STREAK_AT_RISK}),
    "weekly_summary": frozenset({WEEKLY_SUMMARY}),
    "certificates": frozenset({"certificate_issued", "certificate_revoked"}),
    "grades": frozenset({"step_graded", "step_overridden"}),
    "achievements": frozenset({"achievement_unlocked", "level_changed", "streak_milestone"}),
    "courses": frozenset({"module_unlocked", "module_completed", "course_completed"}),
}
# Of the others there can be several a day.
MAILED: Final = ("streak", "weekly_summary", "certificates", "grades")
KIND_OF_MAILED: Final[Mapping[str, str]] = {type_: kind for kind in MAILED for type_ in KINDS[kind]}
# In the address by which no e-mail of any kind is wanted any more.
EVERY_KIND: Final = "all"
GIVEN_UP_AFTER: Final = 4 * DAY
_PAUSES: Final = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR)
_MAC_BYTES: Final = 16
_TOKEN_BYTES: Final = 16 + _MAC_BYTES


class Preference(NamedTuple):
    """By which channels a learner wants a kind; `mailed_since` is when e-mail was asked for, microseconds, or None."""

    learner_id: str
    kind: str
    in_app: bool = True
    stream: bool = True
    mailed_since: int | None = None


def types_of(kinds: Iterable[str]) -> frozenset[str]:
    """The types of changes that these kinds hold."""
    return frozenset[str]().union(*(KINDS.get(kind, ()) for kind in kinds))


def pause_after(tries: int) -> int:
    """How long a mail waits after so many tries that failed, microseconds."""
    return _PAUSES[min(tries, len(_PAUSES)) - 1]


def is_stale(change: Mapping[str, Any], today: str) -> bool:
    """Whether a change is of no use any more on a day of the learner's: a streak that has ended is not to be saved."""
    return change["type"] == STREAK_AT_RISK and today > str(change.get("day", ""))


def unsubscribe_token(key: str, learner_id: str, kind: str) -> str:
    """What proves that the address by which a kind is no longer wanted was in a learner's mail; it never runs out."""
    return _token(key, learner_id, f"unsubscribe/{kind}")


def read_unsubscribe_token(key: str, kind: str, token: str) -> str | None:
    """Whose token it is; None where it is none of that kind."""
    learner_id = claimed_by(token)
    return learner_id if learner_id and _is_of(token, unsubscribe_token(key, learner_id, kind)) else None


def confirm_token(key: str, learner_id: str, email: str) -> str:
    """What proves that somebody reads an account's mail: it is sent to that address alone."""
    return _token(key, learner_id, f"confirm/{email}")


def confirms(key: str, token: str, learner_id: str, email: str) -> bool:
    """Whether a token is that of this account and address."""
    return _is_of(token, confirm_token(key, learner_id, email))


def claimed_by(token: str) -> str | None:
    """Whose token it says that it is; None where it is none at all."""
    try:
        found = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError:
        return None
    return str(UUID(bytes=found[:-_MAC_BYTES])) if len(found) == _TOKEN_BYTES else None


def _token(key: str, learner_id: str, purpose: str) -> str:
    raw = UUID(learner_id).bytes
    mac = hmac.digest(key.encode(), purpose.encode() + b"/" + raw, "sha256")[:_MAC_BYTES]
    return urlsafe_b64encode(raw + mac).decode("ascii").rstrip("=")


def _is_of(token: str, wanted: str) -> bool:
    # As it was written, and no other way: b64decode passes over what it does not know.
    return hmac.compare_digest(token.encode(), wanted.encode())
