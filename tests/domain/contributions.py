"""Random histories of contributions, few enough of everything that they meet."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from headway.domain.facts import GRANT_TYPES, Graded, Granted, Overridden, Revoked, RunStarted
from headway.domain.progress import Contribution, Worth
from headway.domain.sums import Sums
from headway.domain.times import DAY, offset_day

KINDS = ("attempted", "attempted", "attempted", "completed", "opened", "worked", "enrolled", "left")
# What completing a step is worth, by its course's version: points and topics change, and a lesson becomes an exercise.
WORTH = {
    ("a", 1): Worth(5, False, ("loops",)),
    ("a", 2): Worth(7, True, ("lists", "loops")),
    ("b", 1): Worth(10, True, ()),
    ("b", 2): Worth(0, True, ("lists",)),
}


def worth_of(_course: str, version: int, step: str) -> Worth:
    return WORTH[step, version]


@st.composite
def contributions(draw: st.DrawFn, event_id: str) -> Contribution:
    kind = draw(st.sampled_from(KINDS))
    on_step = kind not in ("enrolled", "left")
    at = draw(st.integers(0, 4 * DAY) | st.sampled_from([DAY, 2 * DAY]))
    score = draw(st.none() | st.sampled_from([0, 700_000]) | st.integers(0, 1_000_000))
    scored = score if kind in ("attempted", "completed") else None
    step = draw(st.sampled_from(["a", "b"])) if on_step else ""
    version = draw(st.sampled_from([1, 2]))
    return Contribution(
        event_id=event_id,
        type=kind,
        course=draw(st.sampled_from(["python", "go"])),
        run=draw(st.sampled_from([1, 1, 2])),
        step=step,
        version=version,
        at=at,
        day=offset_day(at, draw(st.sampled_from([0, 0, 840, -720]))),
        score=scored,
        passed=kind == "attempted" and scored is not None and scored >= 700_000,
        duration_ms=draw(st.sampled_from([0, 1, 60_000])) if on_step else 0,
        hints=draw(st.integers(0, 2)) if on_step else 0,
        topics=WORTH[step, version].topics if on_step else (),
        # A person is to grade it, or it is one that a client sent without a score.
        is_graded=kind == "attempted" and scored is None and draw(st.booleans()),
    )


@st.composite
def grades(draw: st.DrawFn, attempt: Contribution, number: int) -> list[Contribution]:
    """The grades of an attempt, one after the other: none lowers it, and the version of the attempt judges."""
    made: list[Contribution] = []
    before, passed = attempt.score, attempt.passed
    for n in range(draw(st.integers(0, 2))):
        score = draw(st.integers(before or 0, 1_000_000) | st.just(max(before or 0, 700_000)))
        waited = attempt.waits and before is None
        fact = Graded(attempt.event_id, attempt.at, attempt.day, before, passed, waited, attempt.topics)
        at = attempt.at + draw(st.integers(0, 3)) * DAY
        blank = attempt._replace(event_id=str(UUID(int=1000 + 10 * number + n)), type="graded", at=at, fact=fact)
        before, passed = score, passed or score >= 700_000
        made.append(blank._replace(score=score, passed=passed, duration_ms=0, hints=0, is_graded=True))
    return made


@st.composite
def words(draw: st.DrawFn, event_id: str) -> Contribution:
    """What a person says that a step counts for."""
    blank = draw(contributions(event_id).filter(lambda one: bool(one.step)))
    waived = draw(st.booleans())
    score = 1_000_000 if waived else draw(st.sampled_from([0, 700_000, 900_000]))
    fact = Overridden(draw(st.booleans()) and not waived, waived)
    blank = blank._replace(type="overridden", duration_ms=0, hints=0, is_graded=True, fact=fact)
    return blank._replace(score=score, passed=waived or score >= 700_000)


@st.composite
def grants(draw: st.DrawFn, event_id: str) -> Contribution:
    """A grant, a revocation, or that a run began."""
    blank = draw(contributions(event_id))._replace(step="", score=None, passed=False, duration_ms=0, hints=0, topics=())
    kind = draw(st.sampled_from([*GRANT_TYPES, "revoked", "run_started"]))
    if kind == "revoked":
        blank = blank._replace(course="python", run=1)
        return blank._replace(type=kind, fact=Revoked(str(UUID(int=3000 + draw(st.integers(0, 2)))), "copied"))
    if kind == "run_started":
        return blank._replace(type=kind, fact=RunStarted())
    module = draw(st.sampled_from("mn")) if kind.startswith("module") else ""
    score = None if kind == "module_unlocked" else draw(st.integers(0, 1_000_000))
    return blank._replace(type=kind, score=score, fact=Granted(module, "cause"))


@st.composite
def histories(draw: st.DrawFn, max_size: int = 8) -> list[Contribution]:
    ids = draw(st.permutations(range(draw(st.integers(0, max_size)))))
    made = [draw(contributions(str(UUID(int=one)))) for one in ids]
    attempts = [one for one in made if one.type == "attempted"]
    graded = [one for n, attempt in enumerate(attempts) for one in draw(grades(attempt, n))]
    said = [draw(words(str(UUID(int=2000 + n)))) for n in range(draw(st.integers(0, 2)))]
    granted = [draw(grants(str(UUID(int=3000 + n)))) for n in range(draw(st.integers(0, 3)))]
    return [*made, *graded, *said, *granted]


def folded(events: Sequence[Contribution]) -> Sums:
    sums = Sums(worth_of)
    for one in events:
        sums.add(one)
    return sums


def as_rows(sums: Sums) -> tuple[list[Any], ...]:
    """Everything that the sums hold, in an order of its own."""
    held: tuple[dict[Any, Any], ...] = (sums.steps, sums.days, sums.topics, sums.enrollments)
    held += (sums.runs, sums.grants, sums.certificates, sums.grades)
    return tuple(sorted(one.items()) for one in held)
