"""Days, weeks and months as calendars have them, and what a strong topic is."""

from calendar import monthrange
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headway.domain.periods import EVER, Range, range_of, strength


@given(st.dates(date(1970, 1, 5), date(9999, 12, 26)))
@example(date(9999, 12, 1))
def test_periods_are_those_of_the_calendar(today: date) -> None:
    text = today.isoformat()
    assert range_of("day", text) == Range(text, text)
    first, last = (date.fromisoformat(day) for day in range_of("week", text))
    assert first <= today <= last
    assert (first.isocalendar()[:2], last.isocalendar()[:2]) == (today.isocalendar()[:2], today.isocalendar()[:2])
    assert (first.isoweekday(), last.isoweekday()) == (1, 7)
    days = monthrange(today.year, today.month)[1]
    assert range_of("month", text) == Range(f"{text[:8]}01", f"{text[:8]}{days:02}")
    assert range_of("all", text) is EVER


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([], "even"),
        ([1_000_000, 1_000_000], "even"),  # two say too little
        ([0, 0], "even"),
        ([800_000] * 3, "strong"),
        ([800_000, 800_000, 799_999], "even"),
        ([600_000] * 3, "even"),
        ([600_000, 600_000, 599_999], "weak"),
    ],
)
def test_a_topic_is_strong_from_80_percent_and_weak_below_60(scores: list[int], expected: str) -> None:
    assert strength(sum(scores), len(scores)) == expected
