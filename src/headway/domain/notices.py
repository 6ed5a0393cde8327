"""Notices: the changes that a learner is told of beyond the reply that brought them."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from headway.domain.times import day_of, ordinal

STREAK_AT_RISK, WEEKLY_SUMMARY, WEBHOOK_DISABLED = "streak_at_risk", "weekly_summary", "webhook_disabled"
# Changes that learners made themselves and saw at once: listing them would bury all others.
NOT_KEPT: Final = frozenset(
    {"step_completed", "streak_extended", "enrolled", "left", "run_started", "streak_paused", "streak_resumed"}
)
# The length of the longest time, in microseconds, that a database can hold.
_DIGITS_MAX: Final = 18
_SPACE: Final = UUID("6f0d3c2e-7b51-4c0b-9a57-0f6a1c9be1d4")
# Fields that say when, how well or in what words, not what the change is about.
_BESIDE_THE_SUBJECT: Final = ("type", "course", "score", "score_percent", "certificate", "title", "tier", "points")


def is_kept(change: Mapping[str, Any]) -> bool:
    """Whether a change is kept as a notice; one of an unknown type is."""
    return change["type"] not in NOT_KEPT


def notice_id(learner_id: str, cause: str, number: int = 0) -> str:
    """The id of the notice of a cause (or of its part of that number): the same on any server at any time."""
    return str(uuid5(_SPACE, f"{learner_id}/{cause}/{number}"))


def subject_of(change: Mapping[str, Any], run: int) -> str:
    """What a change is about, as a text: the same for a module that a guest and its account both completed."""
    named = (
        f"{name}={change[name]}"
        for name in sorted(change)
        if name not in _BESIDE_THE_SUBJECT and not name.endswith("_at")
    )
    return "/".join([change["type"], change.get("course") or "", str(run), *named])


def subject_apart(change: Mapping[str, Any], at: int) -> str:
    """What a change is about that belongs to no entry: a reminder of its day, a disabled webhook of that moment.

    ValueError for any other change. `at` is in microseconds.
    """
    match change:
        case {"type": kind, "day": str(day)} if kind == STREAK_AT_RISK:
            return f"{kind}/{day}"
        case {"type": kind, "to": str(last)} if kind == WEEKLY_SUMMARY:
            return f"{kind}/{day_of(ordinal(last) + 1)}"
        case {"type": kind, "webhook": str(webhook)} if kind == WEBHOOK_DISABLED:
            return f"{kind}:{webhook}:{at}"
    raise ValueError("an entry tells it, if anything does")


def time_apart(subject: str) -> int | None:
    """The time that a subject of `subject_apart` names (microseconds); None where it names none."""
    _, colon, last = subject.rpartition(":")
    return int(last) if colon and last.isdecimal() and len(last) <= _DIGITS_MAX else None


def id_apart(learner_id: str, subject: str) -> str:
    """The id of a notice that belongs to no entry: a learner is told of each subject once."""
    return notice_id(learner_id, subject.replace("/", ":"))
