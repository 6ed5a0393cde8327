"""What learners do in random histories, at few places and times, so that they meet."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEPS = ["read", "solve", "graded", "essay", "extra"]
BLANK: dict[str, Any] = {"score": None, "response": None, "duration_s": 0, "hints": 0, "offset_minutes": 0}


@st.composite
def things_done(draw: st.DrawFn, steps: Sequence[str] = STEPS) -> dict[str, Any]:
    """What a learner does, but for its id and course: at few places and times, so that they meet."""
    of = draw(st.sampled_from(steps))
    kind = draw(st.sampled_from(["attempted", "attempted", "attempted", "completed", "opened", "worked"]))
    kind = "attempted" if of == "graded" and kind == "completed" else kind
    scored = of != "graded" and kind in ("attempted", "completed")
    hours = draw(st.integers(-60, 2) | st.sampled_from([-24, -8760]))
    return {
        "type": kind,
        "step": of,
        "at": START + timedelta(hours=hours),
        "offset_minutes": draw(st.sampled_from([0, 0, 345, -600])),
        "score": draw(st.sampled_from([None, 0, 0.7, 0.75, 79, 80, 1])) if scored else None,
        "response": draw(st.sampled_from("ab")) if of == "graded" and kind == "attempted" else None,
        "duration_s": draw(st.sampled_from([1.5, 40, 1000, 7200])),
        "hints": draw(st.integers(0, 5)),
    }


def done_on_few_steps() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Several things of one request, on a step or two, so that what adds them up has something to add."""
    few = st.lists(st.sampled_from(STEPS), min_size=1, max_size=2)
    return few.flatmap(lambda steps: st.lists(things_done(steps), min_size=2, max_size=5))


def fields_of(done: dict[str, Any]) -> dict[str, Any]:
    """What of it is sent as a field of its own."""
    return {name: done[name] for name in ("score", "response", "duration_s", "hints") if done[name] is not None}


def right(of: str) -> dict[str, Any]:
    """An attempt that gets it right, with something of all that is added up."""
    answer: dict[str, Any] = {"response": "b"} if of == "graded" else {"score": 1}
    return {**BLANK, "type": "attempted", "step": of, "duration_s": 3, "hints": 1, **answer}


def on_one_step(of: str, hours: int) -> list[dict[str, Any]]:
    """Three attempts on a step around some time, in no order: each other than the others in every figure."""
    scores, answers = (0.9, 0.7, 1), "bab"
    return [
        {
            **BLANK,
            "type": "attempted",
            "step": of,
            "at": START + timedelta(hours=hours, minutes=(5, 0, 9)[n]),
            "duration_s": 10 * (n + 1) - hours,
            "hints": n + 1,
            **({"response": answers[n]} if of == "graded" else {"score": scores[n]}),
        }
        for n in range(3)
    ]
