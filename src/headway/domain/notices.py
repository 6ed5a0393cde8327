"""Notices: the changes that a learner is told of beyond the reply that brought them."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from headway.domain.times import day_of, ordinal

STREAK_AT_RISK, WEEKLY_SUMMARY, WEBHOOK_DISABLED = "streak_at_risk", "weekly_summary", "webhook_disabled"
# What a learner has just done themselves, and has seen done: a list of it would bury all else.
NOT_KEPT: Final = frozenset(
    {"step_completed", "streak_extended", "enrolled", "left", "run_started", "streak_paused", "streak_resumed"}
)
# Of a time, in microseconds, that a database holds.
_DIGITS_MAX: Final = 18
_SPACE: Final = UUID("6f0d3c2e-7b51-4c0b-9a57-0f6a1c9be1d4")
# Says when, how well, or in which words, and not of what a change is.
_BESIDE_THE_SUBJECT: Final = ("type", "course", "score", "score_percent", "certificate", "title", "tier", "points")


def is_kept(change: Mapping[str, Any]) -> bool:
    """Whether a change is a notice; of a type that is not known here, it is."""
    return change["type"] not in NOT_KEPT


def notice_id(learner_id: str, cause: str, number: int = 0) -> str:
    """The id of what is told of a cause, the first or a later part of it: the same whoever works it out, and when."""
    return str(uuid5(_SPACE, f"{learner_id}/{cause}/{number}"))


def subject_of(change: Mapping[str, Any], run: int) -> str:
    """Of what a change is: one and the same for the module that a guest completed and its account had completed."""
    named = (
        f"{name}={change[name]}"
        for name in sorted(change)
        if name not in _BESIDE_THE_SUBJECT and not name.endswith("_at")
    )
    return "/".join([change["type"], change.get("course") or "", str(run), *named])


def subject_apart(change: Mapping[str, Any], at: int) -> str:
    """Of what a change is that no entry tells: a reminder of its day, what befell a webhook of that and its time.

    ValueError where it is no such change.
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
    """When that was told, where its subject says so (microseconds)."""
    _, colon, last = subject.rpartition(":")
    return int(last) if colon and last.isdecimal() and len(last) <= _DIGITS_MAX else None


def id_apart(learner_id: str, subject: str) -> str:
    """The id of what no entry tells: a learner is told of each subject once."""
    return notice_id(learner_id, subject.replace("/", ":"))
