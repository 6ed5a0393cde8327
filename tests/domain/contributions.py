"""Random histories of contributions, few enough of everything that they meet."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from headway.domain.progress import FIRST_RUN, Contribution, Worth
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
        run=FIRST_RUN,
        step=step,
        version=version,
        at=at,
        day=offset_day(at, draw(st.sampled_from([0, 0, 840, -720]))),
        score=scored,
        passed=kind == "attempted" and scored is not None and scored >= 700_000,
        duration_ms=draw(st.sampled_from([0, 1, 60_000])) if on_step else 0,
        hints=draw(st.integers(0, 2)) if on_step else 0,
        topics=WORTH[step, version].topics if on_step else (),
    )


@st.composite
def histories(draw: st.DrawFn, max_size: int = 8) -> list[Contribution]:
    ids = draw(st.permutations(range(draw(st.integers(0, max_size)))))
    return [draw(contributions(str(UUID(int=one)))) for one in ids]


def folded(events: Sequence[Contribution]) -> Sums:
    sums = Sums(worth_of)
    for one in events:
        sums.add(one)
    return sums


def as_rows(sums: Sums) -> tuple[list[Any], ...]:
    """Everything that the sums hold, in an order of its own."""
    held: tuple[dict[Any, Any], ...] = (sums.steps, sums.days, sums.topics, sums.enrollments)
    return tuple(sorted(one.items()) for one in held)
