"""Which notifications reach a learner by which channel: the list, the stream, e-mail."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from headway.domain.notices import STREAK_AT_RISK, WEEKLY_SUMMARY
from headway.domain.times import DAY, HOUR, MINUTE

# In the order in which they are shown, with the types of changes in each. Types in no kind are always told: a learner
# cannot silence what is not known yet, and might need to know.
KINDS: Final[Mapping[str, frozenset[str]]] = {
    "streak": frozenset({STREAK_AT_RISK}),
    "weekly_summary": frozenset({WEEKLY_SUMMARY}),
    "certificates": frozenset({"certificate_issued", "certificate_revoked"}),
    "grades": frozenset({"step_graded", "step_overridden"}),
    "achievements": frozenset({"achievement_unlocked", "level_changed", "streak_milestone"}),
    "courses": frozenset({"module_unlocked", "module_completed", "course_completed"}),
}
# Changes of the other kinds can come several times a day.
MAILED: Final = ("streak", "weekly_summary", "certificates", "grades")
KIND_OF_MAILED: Final[Mapping[str, str]] = {type_: kind for kind in MAILED for type_ in KINDS[kind]}
# Stands for all kinds in an unsubscribe link.
EVERY_KIND: Final = "all"
GIVEN_UP_AFTER: Final = 4 * DAY
_PAUSES: Final = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR)
_MAC_BYTES: Final = 16
_TOKEN_BYTES: Final = 16 + _MAC_BYTES


class Preference(NamedTuple):
    """The channels a learner wants a kind by; `mailed_since` is when e-mail was asked for (microseconds), or None."""

    learner_id: str
    kind: str
    in_app: bool = True
    stream: bool = True
    mailed_since: int | None = None


def types_of(kinds: Iterable[str]) -> frozenset[str]:
    """The types of changes in these kinds."""
    return frozenset[str]().union(*(KINDS.get(kind, ()) for kind in kinds))


def pause_after(tries: int) -> int:
    """How long a mail waits after this many failed tries (at least one), in microseconds."""
    return _PAUSES[min(tries, len(_PAUSES)) - 1]


def is_stale(change: Mapping[str, Any], today: str) -> bool:
    """Whether a change is useless by the learner's day `today`: a streak at risk on an earlier day."""
    return change["type"] == STREAK_AT_RISK and today > str(change.get("day", ""))


def unsubscribe_token(key: str, learner_id: str, kind: str) -> str:
    """The token of the link that unsubscribes a learner from mails of a kind; it never expires."""
    return _token(key, learner_id, f"unsubscribe/{kind}")


def read_unsubscribe_token(key: str, kind: str, token: str) -> str | None:
    """The learner to whom an unsubscribe token of this kind belongs; None where it is not valid."""
    learner_id = claimed_by(token)
    return learner_id if learner_id and _is_of(token, unsubscribe_token(key, learner_id, kind)) else None


def confirm_token(key: str, learner_id: str, email: str) -> str:
    """The token that confirms an account's address; mailed to that address alone, it proves that somebody reads it."""
    return _token(key, learner_id, f"confirm/{email}")


def confirms(key: str, token: str, learner_id: str, email: str) -> bool:
    """Whether a token is the one that confirms this address of this account."""
    return _is_of(token, confirm_token(key, learner_id, email))


def claimed_by(token: str) -> str | None:
    """The learner that a token names, not yet verified; None where it is no token."""
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
    # Compare the text, not what it decodes to: b64decode ignores characters that it does not know.
    return hmac.compare_digest(token.encode(), wanted.encode())
