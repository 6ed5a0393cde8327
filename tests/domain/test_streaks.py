"""Days in a row, against a model that nobody can doubt."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.streaks import AHEAD_DAYS_MAX, Streak, current_streak, streak
from headway.domain.times import ordinal

TODAY = date(2026, 3, 1)


def days(*offsets: int) -> list[str]:
    """The days that lie so many days from today."""
    return [(TODAY + timedelta(days=offset)).isoformat() for offset in offsets]


def model(active: set[int]) -> Streak:
    """Walk over a whole calendar, a day at a time; `active` are days counted from today."""
    longest = length = current = 0
    for day in range(-400, AHEAD_DAYS_MAX + 1):
        length = length + 1 if day in active else 0
        longest = max(longest, length)
        if day >= -1 and length:
            current = length
    last = max(active, default=None)
    return Streak(current, longest, None if last is None else days(last)[0], last is not None and last >= 0)


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        ([], Streak(0, 0, None, False)),
        ([0], Streak(1, 1, "2026-03-01", True)),
        ([-1], Streak(1, 1, "2026-02-28", False)),
        ([-2], Streak(0, 1, "2026-02-27", False)),
        ([-2, -1], Streak(2, 2, "2026-02-28", False)),
        ([-2, -1, 0], Streak(3, 3, "2026-03-01", True)),
        ([-2, 0], Streak(1, 1, "2026-03-01", True)),
        ([-5, -4, -3, 0], Streak(1, 3, "2026-03-01", True)),
        ([-30, -3, -2], Streak(0, 2, "2026-02-27", False)),
        # Activity from further east, where tomorrow has begun.
        ([1], Streak(1, 1, "2026-03-02", True)),
        ([0, 1], Streak(2, 2, "2026-03-02", True)),
        ([2], Streak(1, 1, "2026-03-03", True)),
        ([-1, 0, 1, 2], Streak(4, 4, "2026-03-03", True)),
        # A leap day in 2024, and none in 2026.
        ([-732, -731, -730], Streak(0, 3, "2024-03-01", False)),
    ],
)
def test_a_streak_is_days_in_a_row_kept_by_today_or_yesterday(active: list[int], expected: Streak) -> None:
    assert streak(days(*active), TODAY.isoformat()) == expected
    assert current_streak({TODAY.toordinal() + day for day in active}, TODAY.toordinal()) == expected.current


@given(st.sets(st.integers(-40, AHEAD_DAYS_MAX)) | st.sets(st.integers(-400, AHEAD_DAYS_MAX)))
def test_a_streak_is_what_walking_over_the_calendar_says(active: set[int]) -> None:
    assert streak(days(*active), TODAY.isoformat()) == model(active)


@given(st.sets(st.integers(-8, AHEAD_DAYS_MAX)))
def test_the_current_streak_alone_is_that_of_the_whole(active: set[int]) -> None:
    found = current_streak({ordinal(day) for day in days(*active)}, TODAY.toordinal())
    assert found == streak(days(*active), TODAY.isoformat()).current


@given(st.sets(st.integers(-40, 0), min_size=1), st.data())
def test_a_late_day_never_shortens_and_repairs_what_it_joins(active: set[int], data: st.DataObject) -> None:
    late = data.draw(st.integers(-40, 0))
    before, after = (streak(days(*known), TODAY.isoformat()) for known in (active, active | {late}))
    assert after.current >= before.current
    assert after.longest >= before.longest
    gaps = [day for day in active if day - 1 not in active and day - 2 in active]
    for gap in gaps:
        assert streak(days(*active, gap - 1), TODAY.isoformat()).longest >= 3
