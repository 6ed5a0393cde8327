"""What the client takes, the server takes: nothing that is saved offline turns out to be nonsense later."""

from datetime import date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.client import EventInvalid, make_event
from headway.client.events import encoded
from headway.domain.errors import HeadwayError
from headway.domain.events import parse_event

NUMBERS = st.floats() | st.integers() | st.sampled_from([0, 1, 0.8, 80, 100, 1e-16, 1e15, 1e16, 10**400])
TEXTS = st.text() | st.sampled_from(["85", " 7e1 ", "1_0", "٣", "NaN", "0x1", ".5", "1" * 65, "a\0b", "\ud800"])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
SCORES = (
    st.none()
    | st.booleans()
    | NUMBERS
    | TEXTS
    | st.dictionaries(st.sampled_from(["raw", "min", "max", "scaled"]), NUMBERS)
)
DEEP: Any = []
for _ in range(70):
    DEEP = [DEEP]


@given(
    st.sampled_from(["a-step", "x" * 200, "x" * 201, "", "a\nb", "a\0"]) | st.text(max_size=5),
    SCORES,
    st.none() | st.booleans() | NUMBERS,
    st.none() | NUMBERS,
    JSON | st.sampled_from([DEEP, "x" * 70_000, "é" * 40_000]),
)
def test_an_event_that_the_client_takes_is_one_to_the_server(
    step: str, score: Any, duration_s: Any, hints: Any, response: Any
) -> None:
    given = {"score": score, "duration_s": duration_s, "hints": hints, "response": response}
    try:
        event = make_event("attempted", "walk", step, **given)
    except EventInvalid:
        return
    parse_event(msgspec.json.decode(encoded(event)))


VALID: list[dict[str, Any]] = [
    {},
    *({"score": one} for one in (0, 1, 0.85, 85, 250, -3, "85", " .5 ", {"scaled": 1}, {"raw": 3, "min": 1, "max": 4})),
    {"duration_s": 86_400, "hints": 1_000},
    {"response": {"a": [1, None, True, "x" * 60_000]}},
]


@pytest.mark.parametrize("fields", VALID)
def test_what_fits_is_taken_by_both(fields: dict[str, Any]) -> None:
    assert parse_event(msgspec.json.decode(encoded(make_event("attempted", "walk", "a", **fields))))


@pytest.mark.parametrize(
    "score", [float("nan"), float("inf"), True, "eighty", "", [1], {"raw": 1}, {"raw": 1, "max": 0}]
)
def test_a_score_that_is_none_is_refused_by_both(score: Any) -> None:
    event = make_event("attempted", "walk", "a")
    with pytest.raises(EventInvalid):
        make_event("attempted", "walk", "a", score=score)
    with pytest.raises(HeadwayError):
        parse_event({**event, "score": score})


@pytest.mark.parametrize(
    "at",
    [datetime(2026, 3, 1), date(2026, 3, 1), "2026-03-01T09:30:00Z", 1_772_357_400, True],  # noqa: DTZ001 - that is the point
)
def test_a_time_without_a_zone_is_refused(at: Any) -> None:
    with pytest.raises(EventInvalid, match="zone"):
        make_event("opened", "walk", "a", occurred_at=at)
