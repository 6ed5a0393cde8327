"""What learners do in random histories, at few places and times, so that they meet."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEPS = ["read", "solve", "graded", "essay", "extra"]
BLANK: dict[str, Any] = {"score": None, "response": None, "duration_s": 0, "hints": 0, "offset_minutes": 0}


@st.composite
def things_done(draw: st.DrawFn) -> dict[str, Any]:
    """What a learner does, but for its id and course: at few places and times, so that they meet."""
    of = draw(st.sampled_from(STEPS))
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
        "duration_s": draw(st.sampled_from([0, 1.5, 7200])),
        "hints": draw(st.integers(0, 1)),
    }


def right(of: str) -> dict[str, Any]:
    """An attempt that gets it right."""
    answer: dict[str, Any] = {"response": "b"} if of == "graded" else {"score": 1}
    return {**BLANK, "type": "attempted", "step": of, **answer}
