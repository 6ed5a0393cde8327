"""Events as clients send them: each is checked once, and what is wrong is named with its field."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.errors import Invalid
from headway.domain.events import (
    RESPONSE_BYTES_MAX,
    RESPONSE_DEPTH_MAX,
    Event,
    check_event,
    enrollment_event,
    event_id_of,
    parse_event,
    read_event,
    with_passed,
)

ID = "0b5d7e9a-1c2d-4e3f-8a4b-5c6d7e8f9a0b"
SENT: Mapping[str, Any] = {
    "id": ID,
    "type": "attempted",
    "course": "python",
    "step": "loops",
    "occurred_at": "2026-03-01T10:30:00+01:00",
}
LEFT_OUT = object()


def sent(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in {**SENT, **fields}.items() if value is not LEFT_OUT}


def nested(depth: int) -> Any:
    value: Any = "deep"
    for level in range(depth):
        value = [value] if level % 2 else {"in": value}
    return value


def judged(content: Mapping[str, Any]) -> Event | Invalid:
    try:
        return parse_event(content)
    except Invalid as refusal:
        return refusal


def refusal_of(content: Mapping[str, Any]) -> Invalid:
    with pytest.raises(Invalid) as refusal:
        parse_event(content)
    assert refusal.value.code == "invalid"
    assert refusal.value.field is not None
    (refusal.value.field + refusal.value.detail).encode()
    return refusal.value


def test_an_event_is_read_in_the_units_of_the_ledger() -> None:
    event = parse_event(sent(score="85", duration_s=12.3456, hints=2, response={"a": [1, "ü"]}))
    assert event._replace(body="") == (
        *(ID, "attempted", "python", "loops"),
        *(1_772_357_400_000_000, 60, 850_000, 12_346, 2, {"a": [1, "ü"]}, "", None, 0, None),
    )
    assert json.loads(event.body) == {k: v for k, v in SENT.items() if k != "id"} | {
        "score": "85",
        "duration_s": 12.3456,
        "hints": 2,
        "response": {"a": [1, "ü"]},
    }


def test_what_may_be_left_out_may_also_be_null() -> None:
    bare = parse_event(sent())
    assert (bare.score, bare.duration_ms, bare.hints, bare.response) == (None, 0, 0, None)
    nulls = parse_event(sent(score=None, duration_s=None, hints=None, response=None))
    assert nulls._replace(body=bare.body) == bare
    assert nulls.body != bare.body


@pytest.mark.parametrize("text", [ID, ID.upper(), ID.title()])
def test_an_id_is_a_uuid_in_any_case(text: str) -> None:
    assert event_id_of(text) == ID
    assert parse_event(sent(id=text)) == parse_event(sent())


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (
            "id",
            [LEFT_OUT, None, 5, "", "x", ID[:-1], ID + "0", ID.replace("-", ""), "{" + ID + "}", f" {ID}", f"{ID}\n"],
        ),
        ("id", ["urn:uuid:" + ID, ID.replace("a", "g"), ID.replace("7", "\u0667"), "\0", "\ud800", [ID]]),
        ("type", [LEFT_OUT, None, "", "finished", "Attempted", "enrolled", "left", 5, ["attempted"], {}, "\ud800"]),
        ("course", [LEFT_OUT, None, "", 5, True, ["python"], "x" * 201, "a\0b", "\0", "a\nb", "\ud800", "\u200b"]),
        ("step", [LEFT_OUT, None, "", 5, True, ["loops"], "x" * 201, "a\0b", "\0", "a\nb", "\ud800", "\u202e"]),
        (
            "occurred_at",
            [LEFT_OUT, None, "", "yesterday", 1_772_357_400, True, "2026-03-01T09:30:00", "1969-01-01T00:00:00Z"],
        ),
        ("score", ["good", True, float("nan"), float("inf"), [], {"raw": 1}, "\ud800"]),
        ("score.max", [{"raw": 1, "max": 0}]),
        ("duration_s", [-1, -0.001, 86_400.001, 86_401, float("nan"), float("inf"), 10**400, True, "60", [], {}]),
        ("hints", [-1, 1_001, 10**400, 1.5, 2.0, True, "1", float("nan"), [], {}]),
        ("response", ["x" * (RESPONSE_BYTES_MAX - 1), "ü" * (RESPONSE_BYTES_MAX // 2), ["\0"], {"\0": 1}, "a\0"]),
        ("response", ["\ud800", ["\udfff"], {"\ud800": 1}, float("nan"), [float("inf")], 10**5000]),
        ("response", [nested(RESPONSE_DEPTH_MAX + 1), nested(100_000)]),
        ("learner", ["someone"]),
        ("Score", [0.5]),
        ("\0", [1]),
        ("", [1]),
    ],
)
def test_a_bad_field_is_named(field: str, values: list[Any]) -> None:
    for value in values:
        assert refusal_of(sent(**{field.partition(".")[0]: value})).field == field


def test_no_client_says_that_it_passed() -> None:
    assert refusal_of(sent(passed=True)).field == "passed"
    left = with_passed(parse_event(sent(score=60)), passed=True)
    assert (left.passed, left) == (True, read_event(left.id, left.body))


def test_an_unknown_field_is_named_however_odd() -> None:
    assert refusal_of(sent(b=1, a=1)).field == "a"
    assert refusal_of(sent(**{"x" * 5_000: 1})).field == "x" * 200
    assert refusal_of(sent(**{"\ud800": 1})).field == "?"


@pytest.mark.parametrize("kind", ["opened", "worked"])
def test_opening_and_working_carry_no_score(kind: str) -> None:
    assert parse_event(sent(type=kind, score=None)).score is None
    assert refusal_of(sent(type=kind, score=0)).field == "score"


@pytest.mark.parametrize(
    "fields",
    [
        {"course": "x" * 200, "step": "é" * 200},
        {"duration_s": 0, "hints": 0},
        {"duration_s": 86_400, "hints": 1_000},
        {"duration_s": 0.0004},
        {"response": "x" * (RESPONSE_BYTES_MAX - 2)},
        {"response": nested(RESPONSE_DEPTH_MAX)},
        {"response": "a backslash before u0000: \\u0000"},
        {"response": "😀 \u2028 \x01 \x7f"},
        {"response": {"": [None, True, 1, 1.5, 1e300, -0.0, 2**70]}},
    ],
)
def test_what_lies_just_within_the_limits_is_taken(fields: Mapping[str, Any]) -> None:
    event = parse_event(sent(**fields))
    assert read_event(ID, event.body) == event


def test_the_order_of_keys_and_the_id_are_no_part_of_the_content() -> None:
    forth = parse_event(sent(response={"a": 1, "b": {"c": 2, "d": 3}}, score=0.5))
    back = parse_event(dict(reversed(sent(response={"b": {"d": 3, "c": 2}, "a": 1}, score=0.5).items())))
    assert forth == back
    assert parse_event(sent(id=ID.replace("0", "1"))).body == parse_event(sent()).body
    assert parse_event(sent(score=0.5)).body != parse_event(sent(score=0.50001)).body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(JSON, st.sampled_from(["attempted", "completed"]), st.none() | st.floats(0, 1) | st.integers(0, 100))
def test_a_body_stands_for_its_event_forever(response: Any, kind: str, score: float | None) -> None:
    event = judged(sent(type=kind, score=score, response=response))
    if isinstance(event, Invalid):
        assert event.field == "response"
        return
    assert read_event(ID, event.body) == event
    assert parse_event(sent(**json.loads(event.body))) == event


@given(st.dictionaries(st.sampled_from([*SENT, "score", "duration_s", "hints", "response", "x"]), JSON | st.floats()))
def test_whatever_is_sent_is_an_event_or_refused_by_its_field(fields: Mapping[str, Any]) -> None:
    event = judged({**SENT, **fields})
    if isinstance(event, Invalid):
        assert event.field
        (event.field + event.detail).encode()


def test_a_single_call_may_leave_the_time_to_the_server() -> None:
    content = {name: value for name, value in SENT.items() if name not in ("id", "occurred_at")}
    event = check_event(ID, content)
    assert (event.occurred_at, event.offset) == (None, 0)
    assert read_event(ID, event.body) == event


@pytest.mark.parametrize("kind", ["enrolled", "left"])
def test_enrollment_is_an_event_of_the_servers_own(kind: str) -> None:
    event = enrollment_event(ID, kind, "python", "2026-03-01T09:30:00.000000Z")
    assert (event.type, event.course, event.step, event.score) == (kind, "python", None, None)
    assert event.occurred_at == 1_772_357_400_000_000
    assert read_event(ID, event.body) == event


@pytest.mark.parametrize(
    "body",
    ["", "{", "null", "[]", "5", '"text"', "{}", '{"type": "attempted"}', '{"type": "enrolled"}', '{"type": []}'],
)
def test_a_body_that_is_no_event_is_invalid(body: str) -> None:
    with pytest.raises(Invalid):
        read_event(ID, body)


@pytest.mark.parametrize("course", ["5", "null", '["python"]', '""'])
def test_an_enrollment_in_no_course_is_invalid(course: str) -> None:
    with pytest.raises(Invalid):
        read_event(ID, f'{{"type":"enrolled","course":{course},"occurred_at":"2026-03-01T09:30:00Z"}}')
