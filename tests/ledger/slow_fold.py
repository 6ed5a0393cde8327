"""What a history comes to, worked out the slow way: from all that was sent, with nothing of the code under test.

Every figure is looked up among all events anew; nothing is moved, added to or kept.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.domain.slow_gates import Known, Word

DOINGS = ("opened", "worked", "attempted", "completed")


class StepThen(NamedTuple):
    """A step as the version of its course had it; `by_hand` where a person grades."""

    points: int
    topics: tuple[str, ...]
    pass_mark: float
    kind: str
    answer: str | None
    by_hand: bool = False

    @property
    def is_exercise(self) -> bool:
        return self.kind != "lesson"


class Fact(NamedTuple):
    """An event that was recorded: what was sent, when it came, and the course's version in force.

    What the server itself said is one too: a grade of an `attempt`, a word on a step (`final`, `waived`), a new run.
    `passed` is what the grades of an attempt made of it.
    """

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
    run: int = 1
    attempt: str = ""
    final: bool = False
    waived: bool = False
    passed: bool | None = None


def micros(at: datetime) -> int:
    return (at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def happened(fact: Fact) -> datetime:
    return min(fact.at, fact.came_at)


def place(fact: Fact) -> tuple[datetime, str]:
    return happened(fact), fact.id


def local(fact: Fact) -> datetime:
    offset = timezone(timedelta(minutes=fact.offset_minutes))
    return happened(fact).astimezone(offset if fact.offset_minutes else ZoneInfo(fact.zone))


def day_of(fact: Fact) -> str:
    return local(fact).date().isoformat()


def parts(facts: Iterable[Fact]) -> list[dict[str, Any]]:
    """The rows of early mornings and late nights: how much was attempted and completed in them."""
    active = [one for one in facts if one.type in ("attempted", "completed")]
    hours = {"early": (4, 5, 6, 7), "late": (22, 23, 0, 1, 2, 3)}
    places = [
        (part, day_of(one), one.course, one.run)
        for one in active
        for part, of in hours.items()
        if local(one).hour in of
    ]
    names = ("part", "day", "course_id", "run", "activities")
    return [dict(zip(names, (*one, places.count(one)), strict=True)) for one in sorted(set(places))]


def practiced(facts: Iterable[Fact]) -> list[dict[str, Any]]:
    """The rows of what was attempted of a step on a day."""
    attempts = [one for one in as_graded(facts) if one.type == "attempted"]
    rows = []
    for key in sorted({(one.course, one.run, one.step, day_of(one)) for one in attempts}):
        own = [one for one in attempts if (one.course, one.run, one.step, day_of(one)) == key]
        counts = (len(own), sum(map(passes, own)), sum(map(waits, own)), sum(one.hints for one in own))
        names = ("course_id", "run", "step_id", "day", "attempts", "passed_attempts", "unscored", "hints")
        rows.append(dict(zip(names, (*key, *counts), strict=True)))
    return rows


def score_of(fact: Fact) -> int | None:
    assert fact.then is not None
    if fact.then.answer is not None and fact.type in SENT:
        return None if fact.type != "attempted" else 1_000_000 if fact.response == fact.then.answer else 0
    if fact.score is None:
        return None
    return round(fact.score * 1_000_000) if fact.score <= 1 else round(fact.score * 10_000)


SENT = ("opened", "worked", "attempted", "completed")


def passes(fact: Fact) -> bool:
    if fact.passed is not None:
        return fact.passed
    score = score_of(fact)
    assert fact.then is not None
    if fact.type == "overridden" and not (score or fact.final):
        return False  # which takes back what was said before, and says nothing
    return (score is not None and score >= round(fact.then.pass_mark * 10_000)) or fact.waived


def grades_of(attempt: Fact, facts: Iterable[Fact]) -> list[Fact]:
    """The grades that an attempt was given, in the order in which they came."""
    found = [one for one in facts if one.type == "graded" and one.attempt == attempt.id]
    return sorted(found, key=lambda one: one.came_at)


def as_graded(facts: Iterable[Fact]) -> list[Fact]:
    """What was sent; of an attempt that was graded, what it is by the highest of its grades, passed once any passed.

    No test grades an attempt on a step that the server grades: what was sent is its score, and its grade would be too.
    """
    history = list(facts)
    found = []
    for one in history:
        grades = grades_of(one, history)
        if one.type in SENT and grades:
            best = max(grade.score or 0 for grade in grades)
            found.append(one._replace(score=best, passed=any(map(passes, grades))))
        elif one.type in SENT:
            found.append(one)
    return found


def passing(facts: Iterable[Fact]) -> list[Fact]:
    """Each attempt that a grade passed, or that had passed when it was graded again, as the version of then has it."""
    history = list(facts)
    found = []
    for attempt in history:
        grades = grades_of(attempt, history)
        for n, one in enumerate(grades):
            if any(map(passes, grades[: n + 1])):
                found.append(attempt._replace(type="graded", version=one.version, then=one.then))
    return found


def completions(facts: Iterable[Fact]) -> dict[tuple[str, int, str], Fact]:
    """For each step of a run the first event that completed it; of an attempt that a grade passed, as of that grade."""
    history = list(facts)
    done = [one for one in history if one.type == "completed"]
    done += [one for one in history if one.type in ("attempted", "overridden") and passes(one)]
    done += passing(history)
    done.sort(key=lambda one: (*place(one), one.version))
    return {(one.course, one.run, one.step): one for one in reversed(done)}


def counted(facts: Iterable[Fact]) -> list[Fact]:
    """Of each step the first completion of all runs: taken again, a course is worth nothing more."""
    done = sorted(completions(facts).values(), key=lambda one: (*place(one), one.version))
    return list({(one.course, one.step): one for one in reversed(done)}.values())


def step_row(history: list[Fact]) -> dict[str, Any]:
    own, words = as_graded(history), [one for one in history if one.type == "overridden"]
    scored = sorted((one for one in own if score_of(one) is not None), key=place)
    scores = [score or 0 for score in map(score_of, scored)]
    key = (history[0].course, history[0].run, history[0].step)
    done = completions(history).get(key)
    attempts = [one for one in own if one.type == "attempted"]
    ends = {"first": scored[0] if scored else None, "latest": scored[-1] if scored else None}
    row: dict[str, Any] = dict(zip(("course_id", "run", "step_id"), key, strict=True))
    row |= {"events": len(own), "attempts": len(attempts)}
    row |= {"passed_attempts": sum(map(passes, attempts)), "scores": len(scores), "score_total": sum(scores)}
    row |= {"best_score": max(scores, default=None), "duration_ms": duration_ms(own)}
    for name, one in ends.items():
        row[f"{name}_at"] = micros(happened(one)) if one else None
        row[f"{name}_event"] = one.id if one else None
        row[f"{name}_score"] = score_of(one) if one else None
    row["first_version"] = first_version(scored[0], history) if scored else None
    row |= {"completed_at": micros(happened(done)) if done else None, "completed_by": done.id if done else None}
    row |= {"completed_on": day_of(done) if done else None, "completed_version": done.version if done else None}
    row |= {"hints": sum(one.hints for one in own), "updated_at": max(micros(happened(one)) for one in history)}
    row |= {"unscored": sum(waits(one) for one in attempts)}
    return row | {
        "graded_best": max(map(millionths, vouched(history)), default=None),
        "override": word_row(words, history),
    }


def first_version(first: Fact, history: list[Fact]) -> int:
    """The first version that gave the score that the first scored event has: its own, or that of a grade."""
    said = [one for one in history if one.id == first.id and one.type in SENT]
    given = [one for one in (*said, *grades_of(first, history)) if score_of(one) == score_of(first)]
    return min(one.version for one in given)


def waits(attempt: Fact) -> bool:
    return attempt.then is not None and attempt.then.by_hand and score_of(attempt) is None


def vouched(facts: Iterable[Fact]) -> list[Fraction]:
    """The scores that the server gave, or a person gave to an attempt."""
    history = list(facts)
    by_server = [one for one in history if one.then and one.then.answer is not None and one.type == "attempted"]
    said = [*by_server, *(one for one in history if one.type == "graded")]
    return [Fraction(score_of(one) or 0, 1_000_000) for one in said]


def millionths(score: Fraction) -> int:
    return int(score * 1_000_000)


def done_by_learner(history: list[Fact]) -> bool:
    return bool(completions(one for one in history if one.type != "overridden"))


def word_row(words: list[Fact], history: list[Fact]) -> str | None:
    """What a person said last, as it is stored: with whether the learner completed the step, whoever else did."""
    if not words:
        return None
    last = max(words, key=place)
    content = [micros(happened(last)), last.id, score_of(last), last.final, last.waived, done_by_learner(history)]
    return json.dumps(content, separators=(",", ":"))


def knowledge(facts: Iterable[Fact]) -> dict[str, Known]:
    """What is known of the steps of a run, as rules ask for it."""
    history = list(facts)
    return {step: _known([one for one in history if one.step == step]) for step in {one.step for one in history}}


def _known(history: list[Fact]) -> Known:
    own, words = as_graded(history), [one for one in history if one.type == "overridden"]
    scored = [(place(one), score_of(one)) for one in own]
    return Known(
        scores=tuple(
            ((micros(at), name), Fraction(score, 1_000_000)) for (at, name), score in scored if score is not None
        ),
        completed=bool(completions(history)),
        words=tuple(
            Word((micros(happened(one)), one.id), Fraction(score_of(one) or 0, 1_000_000), one.final, one.waived)
            for one in words
        ),
        vouched=tuple(vouched(history)),
        moved=max(micros(happened(one)) for one in history),
        tried=bool(own),
        done=done_by_learner(history),
    )


def duration_ms(facts: Iterable[Fact]) -> int:
    return sum(min(round(one.duration_s * 1000), 3_600_000) for one in facts)


def period_row(own: list[Fact], done_here: list[Fact]) -> dict[str, Any]:
    sent = [one for one in own if one.type in SENT]
    attempts = [one for one in sent if one.type == "attempted"]
    scores = [score for score in map(score_of, attempts) if score is not None]
    worth = [one.then for one in done_here if one.then is not None]
    return {
        "attempts": len(attempts),
        "passed_attempts": sum(map(passes, attempts)),
        "scores": len(scores),
        "score_total": sum(scores),
        "duration_ms": duration_ms(sent),
        "hints": sum(one.hints for one in sent),
        "activities": sum(one.type in ("attempted", "completed") for one in sent),
        "steps_completed": len(worth),
        "exercises_completed": sum(one.is_exercise for one in worth),
        "points": sum(one.points for one in worth),
    }


def periods(history: list[Fact], key: str, keys_of: Callable[[Fact], Iterable[str]]) -> list[dict[str, Any]]:
    """The rows of days or topics: `keys_of` says which of them an event belongs to."""
    done = counted(history)
    # A grade is of the day and the topics of its attempt; where it passes, of the topics that the step has by then too.
    facts = [*as_graded(history), *passing(history), *(one for one in history if one.type == "overridden")]
    places = sorted({(name, one.course, one.run) for one in facts for name in keys_of(one)})

    def within(some: list[Fact], name: str, course: str, run: int) -> list[Fact]:
        return [one for one in some if (one.course, one.run) == (course, run) and name in keys_of(one)]

    return [
        {key: name, "course_id": course, "run": run}
        | period_row(within(facts, name, course, run), within(done, name, course, run))
        for name, course, run in places
    ]


def runs(facts: Iterable[Fact]) -> list[dict[str, Any]]:
    began: dict[tuple[str, int], int] = {}
    history = list(facts)
    for one in history:
        if one.run > 1 and one.type != "run_started":
            continue
        at = micros(happened(one))
        began[one.course, one.run] = min(at, began.get((one.course, one.run), at))
    return [
        {"course_id": course, "run": run, "started_at": at, "active_at": last_activity(history, course, run)}
        for (course, run), at in sorted(began.items())
    ]


def last_activity(facts: Iterable[Fact], course: str, run: int) -> int:
    """The latest that the learner did anything in a run; 0 where they did not."""
    own = [one for one in facts if (one.course, one.run) == (course, run)]
    return max((micros(happened(one)) for one in own if one.type in DOINGS), default=0)


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
    keys = sorted({(one.course, one.run, one.step) for one in on_steps})
    return {
        "step_sum": [step_row([one for one in on_steps if (one.course, one.run, one.step) == key]) for key in keys],
        "day_sum": periods(on_steps, "day", lambda one: [day_of(one)]),
        "topic_sum": periods(on_steps, "topic", lambda one: one.then.topics if one.then else ()),
        "enrollment": enrollments(one for one in history if one.type in ("enrolled", "left")),
        "course_run": runs(one for one in history if one.type not in ("enrolled", "left")),
        "day_part": parts(history),
        "step_day": practiced(on_steps),
    }
