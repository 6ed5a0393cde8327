"""Definitions are strict, thresholds are crossed, and days come to what they are."""

import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.achievements import (
    CATEGORIES,
    METRICS,
    TIERS,
    Attended,
    Definition,
    DefinitionInvalid,
    Ladders,
    Metrics,
    Totals,
    attended,
    met,
    parse_definition,
    parse_definitions,
)
from headway.ledger.definitions import shipped

SAID: dict[str, Any] = {
    "title": "Ten",
    "description": "Ten of them.",
    "category": "practice",
    "metric": "exercises",
    "threshold": 10,
    "points": 5,
    "tier": "gold",
}


def test_a_definition_is_read_whole() -> None:
    assert parse_definition("ten", SAID) == Definition(id="ten", **SAID)
    assert parse_definition("ten", SAID | {"hidden": True}).hidden


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": " "}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"title": 3}, "title"),
        ({"description": "two\nlines"}, "description"),
        ({"category": "luck"}, "category"),
        ({"category": []}, "category"),
        ({"metric": "duration_ms"}, "metric"),
        ({"threshold": 0}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"threshold": 1.5}, "threshold"),
        ({"threshold": 10**9 + 1}, "threshold"),
        ({"points": -1}, "points"),
        ({"tier": "wood"}, "tier"),
        ({"hidden": 1}, "hidden"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_does_not_fit_is_named(changed: Mapping[str, Any], field: str) -> None:
    with pytest.raises(DefinitionInvalid) as caught:
        parse_definitions({"mine.toml": {"ten": {**SAID, **changed}}})
    assert caught.value.field == field
    assert caught.value.detail.startswith("mine.toml, ten: ")


@pytest.mark.parametrize("name", ["", "Ten", "ten_", "-ten", "ten--ten", "té", "x" * 65])
def test_an_id_is_a_slug(name: str) -> None:
    with pytest.raises(DefinitionInvalid, match="id must be"):
        parse_definition(name, SAID)


def test_a_field_that_is_missing_and_an_id_that_is_there_twice_are_named() -> None:
    with pytest.raises(DefinitionInvalid, match=r"b\.toml, ten: a\.toml defines this id already"):
        parse_definitions({"a.toml": {"ten": SAID}, "b.toml": {"ten": SAID}})
    with pytest.raises(DefinitionInvalid, match=r"a\.toml, ten: tier must be"):
        parse_definitions({"a.toml": {"ten": {name: SAID[name] for name in SAID if name != "tier"}}})
    with pytest.raises(DefinitionInvalid, match=r"a\.toml, title: a definition is a table"):
        parse_definitions({"a.toml": tomllib.loads('title = "mine"')})


def test_what_ships_is_enough_for_everybody() -> None:
    found = shipped()
    assert len(found) >= 30
    assert {one.category for one in found} == set(CATEGORIES)
    assert {one.tier for one in found} == set(TIERS)
    assert {one.metric for one in found} == set(METRICS)
    assert any(one.hidden for one in found)
    assert len({one.title for one in found}) == len({(one.metric, one.threshold) for one in found}) == len(found)


@given(st.lists(st.tuples(st.sampled_from(sorted(METRICS)), st.integers(1, 6))), st.data())
def test_what_is_crossed_is_what_is_met_now_and_was_not(of: list[tuple[str, int]], data: st.DataObject) -> None:
    definitions = [
        Definition(f"d-{n}", "", "", "practice", metric, least, 1, "gold") for n, (metric, least) in enumerate(of)
    ]
    totals = st.lists(st.integers(0, 6), min_size=len(Totals._fields), max_size=len(Totals._fields))
    was, now = (Totals._make(data.draw(totals)) for _ in range(2))
    scaled = [one._replace(duration_ms=one.duration_ms * 3_600_000) for one in (was, now)]
    days = [Attended(*data.draw(st.tuples(*[st.integers(0, 6)] * 3))) for _ in range(2)]
    before, after = (Metrics(*pair) for pair in zip(scaled, days, strict=True))
    ladders = Ladders(definitions)
    crossed = ladders.crossed(before.totals, after.totals) + ladders.crossed(before.attended, after.attended)
    had = {one.id for one in met(definitions, before)}
    assert sorted(one.id for one in crossed) == sorted(one.id for one in met(definitions, after) if one.id not in had)


@given(st.sets(st.integers(0, 80)))
def test_days_come_to_what_a_slow_look_says(days: set[int]) -> None:
    longest = max((n for start in days for n in range(1, 81) if set(range(start, start + n)) <= days), default=0)
    comebacks = sum(any(one < day for one in days) and not any(day - 14 <= one < day for one in days) for day in days)
    assert attended(days) == Attended(len(days), longest, comebacks)
