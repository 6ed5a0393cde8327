"""What a history comes to, worked out the slow way: from all that was sent, with nothing of the code under test.

Every figure is looked up among all events anew; nothing is moved, added to or kept.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo


class StepThen(NamedTuple):
    """A step as the version of its course had it."""

    points: int
    topics: tuple[str, ...]
    pass_mark: float
    is_exercise: bool
    answer: str | None


class Fact(NamedTuple):
    """An event that was recorded: what was sent, when it came, and the course's version in force."""

    id: str
    type: str
    course: str
    step: str
    at: datetime
    offset_minutes: int
    score: float | None
    response: str | None
    duration_s: float
    hints: int
    came_at: datetime
    zone: str
    version: int
    then: StepThen | None


def micros(at: datetime) -> int:
    return (at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def happened(fact: Fact) -> datetime:
    return min(fact.at, fact.came_at)


def place(fact: Fact) -> tuple[datetime, str]:
    return happened(fact), fact.id


def day_of(fact: Fact) -> str:
    offset = timezone(timedelta(minutes=fact.offset_minutes))
    return happened(fact).astimezone(offset if fact.offset_minutes else ZoneInfo(fact.zone)).date().isoformat()


def score_of(fact: Fact) -> int | None:
    assert fact.then is not None
    if fact.then.answer is not None:
        return None if fact.type != "attempted" else 1_000_000 if fact.response == fact.then.answer else 0
    if fact.score is None:
        return None
    return round(fact.score * 1_000_000) if fact.score <= 1 else round(fact.score * 10_000)


def passes(fact: Fact) -> bool:
    score = score_of(fact)
    assert fact.then is not None
    return fact.type == "attempted" and score is not None and score >= round(fact.then.pass_mark * 10_000)


def completions(facts: Iterable[Fact]) -> dict[tuple[str, str], Fact]:
    """For each step the first event that completed it."""
    done = sorted((one for one in facts if passes(one) or one.type == "completed"), key=place)
    return {(one.course, one.step): one for one in reversed(done)}


def step_row(own: list[Fact]) -> dict[str, Any]:
    scored = sorted((one for one in own if score_of(one) is not None), key=place)
    scores = [score or 0 for score in map(score_of, scored)]
    done = completions(own).get((own[0].course, own[0].step))
    attempts = [one for one in own if one.type == "attempted"]
    ends = {"first": scored[0] if scored else None, "latest": scored[-1] if scored else None}
    row = {"course_id": own[0].course, "run": 1, "step_id": own[0].step, "events": len(own), "attempts": len(attempts)}
    row |= {"passed_attempts": sum(map(passes, attempts)), "scores": len(scores), "score_total": sum(scores)}
    row |= {"best_score": max(scores, default=None), "duration_ms": duration_ms(own)}
    for name, one in ends.items():
        row[f"{name}_at"] = micros(happened(one)) if one else None
        row[f"{name}_event"] = one.id if one else None
        row[f"{name}_score"] = score_of(one) if one else None
    row |= {"completed_at": micros(happened(done)) if done else None, "completed_by": done.id if done else None}
    row |= {"completed_on": day_of(done) if done else None, "completed_version": done.version if done else None}
    return row | {"hints": sum(one.hints for one in own), "updated_at": max(micros(happened(one)) for one in own)}


def duration_ms(facts: Iterable[Fact]) -> int:
    return sum(min(round(one.duration_s * 1000), 3_600_000) for one in facts)


def period_row(own: list[Fact], done_here: list[Fact]) -> dict[str, Any]:
    attempts = [one for one in own if one.type == "attempted"]
    scores = [score for score in map(score_of, attempts) if score is not None]
    worth = [one.then for one in done_here if one.then is not None]
    return {
        "attempts": len(attempts),
        "passed_attempts": sum(map(passes, attempts)),
        "scores": len(scores),
        "score_total": sum(scores),
        "duration_ms": duration_ms(own),
        "hints": sum(one.hints for one in own),
        "activities": sum(one.type in ("attempted", "completed") for one in own),
        "steps_completed": len(worth),
        "exercises_completed": sum(one.is_exercise for one in worth),
        "points": sum(one.points for one in worth),
    }


def periods(facts: list[Fact], key: str, keys_of: Callable[[Fact], Iterable[str]]) -> list[dict[str, Any]]:
    """The rows of days or topics: `keys_of` says which of them an event belongs to."""
    done = list(completions(facts).values())
    pairs = sorted({(name, one.course) for one in facts for name in keys_of(one)})
    return [
        {key: name, "course_id": course, "run": 1}
        | period_row(
            *([one for one in some if one.course == course and name in keys_of(one)] for some in (facts, done))
        )
        for name, course in pairs
    ]


def enrollments(facts: Iterable[Fact]) -> list[dict[str, Any]]:
    rows = []
    entries = sorted(facts, key=place)
    for course in sorted({one.course for one in entries}):
        own = [one for one in entries if one.course == course]
        came = [micros(happened(one)) for one in own if one.type == "enrolled"]
        last = {"changed_at": micros(happened(own[-1])), "changed_by": own[-1].id}
        rows.append(
            {
                "course_id": course,
                "enrolled": own[-1].type == "enrolled",
                **last,
                "first_enrolled_at": min(came, default=None),
            }
        )
    return rows


def slow_fold(facts: Iterable[Fact]) -> Mapping[str, list[dict[str, Any]]]:
    """All rows of all sums of one learner, by table, in order of key."""
    history = list(facts)
    on_steps = [one for one in history if one.then is not None]
    keys = sorted({(one.course, one.step) for one in on_steps})
    return {
        "step_sum": [step_row([one for one in on_steps if (one.course, one.step) == key]) for key in keys],
        "day_sum": periods(on_steps, "day", lambda one: [day_of(one)]),
        "topic_sum": periods(on_steps, "topic", lambda one: one.then.topics if one.then else ()),
        "enrollment": enrollments(one for one in history if one.then is None),
    }
