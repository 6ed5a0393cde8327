"""Changes: what an event brought about, as the difference of before and after; told to the learner and kept."""

from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias

from headway.domain.facts import (
    ACHIEVED,
    CERTIFIED,
    COURSE_COMPLETED,
    GRADED,
    LEVELED,
    MODULE_COMPLETED,
    MODULE_UNLOCKED,
    OVERRIDDEN,
    PAUSED,
    RESUMED,
    REVOKED,
    Achieved,
    Fact,
    Graded,
    Granted,
    Leveled,
    Overridden,
    Paused,
    Reset,
    Resumed,
    Revoked,
    RunStarted,
    StreakImported,
)
from headway.domain.progress import Contribution, EnrollmentSum, StepSum
from headway.domain.resets import Cleared
from headway.domain.scores import fraction, percent
from headway.domain.times import format_time

Change: TypeAlias = dict[str, Any]
# All types of changes that a learner can be told, reminders included; filters accept these alone.
ChangeType: TypeAlias = Literal[
    "step_completed",
    "module_unlocked",
    "module_completed",
    "course_completed",
    "certificate_issued",
    "certificate_revoked",
    "step_graded",
    "step_overridden",
    "achievement_unlocked",
    "level_changed",
    "streak_extended",
    "streak_milestone",
    "streak_at_risk",
    "streak_paused",
    "streak_resumed",
    "streak_imported",
    "weekly_summary",
    "enrolled",
    "left",
    "run_started",
    "progress_reset",
]
# Entries that are told under another name than their type.
_TOLD_AS: Final = {
    CERTIFIED: "certificate_issued",
    REVOKED: "certificate_revoked",
    GRADED: "step_graded",
    OVERRIDDEN: "step_overridden",
    PAUSED: "streak_paused",
    RESUMED: "streak_resumed",
    ACHIEVED: "achievement_unlocked",
    LEVELED: "level_changed",
}


def step_completed(course: str, step: str, before: StepSum, after: StepSum) -> list[Change]:
    """The change where a step became completed; none where an earlier event only moves the completion."""
    if before.completion is not None or after.completion is None:
        return []
    at = format_time(after.completion.at)
    return [{"type": "step_completed", "course": course, "step": step, "completed_at": at}]


def streak_extended(day: str, before: int, after: int, milestones: Iterable[int]) -> list[Change]:
    """The changes where the current streak grew, and for each milestone reached; `day` is the day that extended it."""
    if after <= before:
        return []
    passed = [{"type": "streak_milestone", "days": one, "day": day} for one in milestones if before < one <= after]
    return [{"type": "streak_extended", "current": after, "day": day}, *passed]


def enrollment_changed(course: str, before: EnrollmentSum, after: EnrollmentSum) -> list[Change]:
    """The change where the learner enrolled in the course or left it."""
    if before.enrolled == after.enrolled:
        return []
    return [{"type": "enrolled" if after.enrolled else "left", "course": course}]


def of_fact(event: Contribution, name: str) -> list[Change]:
    """The change that an entry of the server's own tells the first time; `name` is the step's or module's id now."""
    fact, told = event.fact, {"type": _TOLD_AS.get(event.type, event.type), "course": event.course}
    if isinstance(fact, Granted):
        return [told | _granted(event, name)]
    if isinstance(fact, StreakImported):
        return [{"type": event.type, "longest": fact.longest}]
    if isinstance(fact, Paused | Resumed | Achieved | Leveled):
        return [{"type": told["type"]} | _of_learner(event, fact)]
    if isinstance(fact, Revoked):
        return [told | {"certificate": fact.certificate, "reason": fact.reason, "revoked_at": format_time(event.at)}]
    if isinstance(fact, RunStarted):
        return [told | {"run": event.run, "started_at": format_time(event.at)}]
    return [told | {"step": name, "score": fraction(event.score)} | _by_person(fact)]


def progress_reset(event: Contribution, cleared: Cleared, fact: Reset) -> list[Change]:
    """What a reset took away, of one course or of all; of all, no course is named."""
    of_course = {"course": event.course} if event.course else {}
    steps = cleared.steps + (cleared.said if fact.counts_said else 0)
    counts = {"steps": steps, "attempts": cleared.attempts, "sessions": fact.sessions, "days": cleared.days}
    return [{"type": "progress_reset", **of_course, "cleared": counts}]


def _of_learner(event: Contribution, fact: Paused | Resumed | Achieved | Leveled) -> Change:
    """The fields of a change that concerns the learner alone and no course."""
    if isinstance(fact, Paused):
        return {"pause": event.event_id, "from": fact.first_on, "to": fact.last_on}
    if isinstance(fact, Resumed):
        return {"pause": fact.pause, "to": fact.last_on}
    if isinstance(fact, Leveled):
        return {"topic": fact.topic, "level": fact.level, "previous_level": fact.previous}
    said = {"achievement": fact.achievement, "title": fact.title, "tier": fact.tier, "points": fact.points}
    return said | {"unlocked_at": format_time(event.at)}


def _by_person(fact: Fact | None) -> Change:
    if isinstance(fact, Graded):
        return {"attempt": fact.attempt} | ({"feedback": fact.feedback} if fact.feedback else {})
    if isinstance(fact, Overridden):
        return {"waived": fact.waived, "final": fact.final, "reason": fact.reason}
    return {}


def _granted(event: Contribution, name: str) -> Change:
    module, score, at = {"module": name}, {"score_percent": percent(event.score)}, format_time(event.at)
    if event.type == MODULE_UNLOCKED:
        return module | {"unlocked_at": at}
    if event.type == MODULE_COMPLETED:
        return module | score | {"completed_at": at}
    if event.type == COURSE_COMPLETED:
        return score | {"completed_at": at}
    return {"certificate": event.event_id} | score | {"issued_at": at}
