"""Streaks against a model that lives through every day: freezes, pauses, imported history, late days."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.streaks import (
    BEFORE,
    MILESTONES,
    STANDARD,
    Milestone,
    Streak,
    StreakDays,
    StreakRules,
    current,
    last_kept,
    read_rules,
    streak,
    streak_days_of,
    streaks_over,
    write_rules,
)
from headway.domain.times import day_of
from tests.domain.slow_streaks import Lived, live

TODAY = date(2026, 3, 1)
NOW = TODAY.toordinal()
NO_FREEZES = StreakRules(freezes_max=0)
WEEK = range(-20, -13)

# An event's day and a learner's today are at most two days apart: offsets and zones span less than 48 hours.
days_ago = st.integers(-60, 2)
rules = st.builds(StreakRules, st.integers(1, 9), st.integers(0, 3), st.just(MILESTONES))


@st.composite
def histories(draw: st.DrawFn) -> StreakDays:
    """Days around today, some of them imported; gaps are as likely to be short as long."""
    active = draw(st.sets(days_ago)) | {day for day in range(-50, 1) if draw(st.integers(0, 9)) > 2}
    active -= draw(st.sets(days_ago, max_size=8))
    imported = draw(st.sets(st.sampled_from(sorted(active)))) if active else set()
    return days(active, imported, draw(st.sets(days_ago, max_size=10)))


def days(active: Any, imported: Any = (), paused: Any = ()) -> StreakDays:
    """Days that lie so many days from today."""
    return StreakDays(*({NOW + day for day in some} for some in (active, imported, paused)))


def as_lived(found: Streak) -> Lived:
    ordinals = ([date.fromisoformat(day).toordinal() for day in some] for some in (found.earned_on, found.spent_on))
    return Lived(found.current, found.longest, found.freezes, *ordinals)


def lived(known: StreakDays, by: StreakRules, today: int = NOW) -> Lived:
    return live(
        known.active,
        today,
        imported=known.imported,
        paused=known.paused,
        freeze_days=by.freeze_days,
        freezes_max=by.freezes_max,
    )


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        ([], (0, 0, None, False)),
        ([0], (1, 1, "2026-03-01", True)),
        ([-1], (1, 1, "2026-02-28", False)),
        ([-2], (0, 1, "2026-02-27", False)),
        ([-2, -1], (2, 2, "2026-02-28", False)),
        ([-2, -1, 0], (3, 3, "2026-03-01", True)),
        ([-2, 0], (1, 1, "2026-03-01", True)),
        ([-5, -4, -3, 0], (1, 3, "2026-03-01", True)),
        ([-30, -3, -2], (0, 2, "2026-02-27", False)),
        # Activity from further east, where tomorrow has begun.
        ([1], (1, 1, "2026-03-02", True)),
        ([0, 1], (2, 2, "2026-03-02", True)),
        ([2], (1, 1, "2026-03-03", True)),
        ([-1, 0, 1, 2], (4, 4, "2026-03-03", True)),
        # A leap day in 2024, and none in 2026.
        ([-732, -731, -730], (0, 3, "2024-03-01", False)),
    ],
)
def test_a_streak_is_days_in_a_row_kept_by_today_or_yesterday(
    active: list[int], expected: tuple[int, int, str | None, bool]
) -> None:
    assert streak(days(active), TODAY.isoformat())[:4] == expected


@pytest.mark.parametrize(
    ("active", "current_days", "held", "spent"),
    [
        ([*WEEK], 0, 0, [-13]),  # one held, and spent in vain
        ([*WEEK, -12], 0, 0, [-13]),
        ([*range(-8, -1)], 7, 0, [-1]),  # yesterday was missed
        ([*range(-8, -1), 0], 8, 0, [-1]),
        ([*range(-7, -1)], 0, 0, []),  # six days earn none
        ([*range(-6, 1)], 7, 1, []),
        ([*range(-13, 1)], 14, 2, []),
        ([*range(-40, 1)], 41, 2, []),  # more than two are not held
        ([*range(-40, -2), 0], 39, 0, [-2, -1]),
        ([*range(-40, -3), 0], 1, 0, [-3, -2]),  # a third day missed ends it
        # Another is earned by seven more days kept, and those of before it was spent count.
        ([*range(-30, -20), *range(-19, -15), *range(-14, 1)], 29, 2, [-20, -15]),
    ],
)
def test_a_freeze_is_earned_by_seven_days_and_spent_by_itself(
    active: list[int], current_days: int, held: int, spent: list[int]
) -> None:
    found = streak(days(active), TODAY.isoformat())
    assert (found.current, found.freezes) == (current_days, held)
    assert found.spent_on == [day_of(NOW + day) for day in spent]
    assert len(found.earned_on) == held + len(spent)


@given(histories(), rules)
def test_a_streak_is_what_living_through_its_days_gives(known: StreakDays, by: StreakRules) -> None:
    found = streak(known, TODAY.isoformat(), by)
    assert as_lived(found) == lived(known, by)
    last = max(known.active, default=None)
    assert (found.last_active_on, found.active_today) == (last and day_of(last), last is not None and last >= NOW)


@given(histories(), rules, st.integers(-3, 40))
def test_freezes_are_never_more_than_may_be_held_nor_spent_without_being_earned(
    known: StreakDays, by: StreakRules, later: int
) -> None:
    found = streak(known, day_of(NOW + later), by)
    assert 0 <= found.freezes <= by.freezes_max
    assert len(found.earned_on) == len(found.spent_on) + found.freezes
    both = sorted([*((day, 1) for day in found.earned_on), *((day, -1) for day in found.spent_on)])
    held = [sum(step for _, step in both[: n + 1]) for n in range(len(both))]
    assert all(0 <= one <= by.freezes_max for one in held)
    assert not set(found.spent_on) & {day_of(day) for day in known.active | known.paused}
    if found.freezes == by.freezes_max:
        assert found.next_freeze_in is None
    else:
        assert found.next_freeze_in in range(1, by.freeze_days + 1)


@given(histories(), rules, st.integers(-60, 0), st.booleans())
def test_a_day_that_comes_late_takes_nothing_away(
    known: StreakDays, by: StreakRules, late: int, is_imported: bool
) -> None:
    day = NOW + late
    more = known._replace(active=known.active | {day})
    if is_imported and day not in known.active:
        more = more._replace(imported=known.imported | {day})
    before, after = (streak(one, TODAY.isoformat(), by) for one in (known, more))
    assert after.current >= before.current
    assert after.longest >= before.longest
    assert after.freezes >= before.freezes
    assert all(one.reached_on is None or _is_no_later(one, after) for one in before.milestones)


def _is_no_later(one: Milestone, after: Streak) -> bool:
    now = next(other.reached_on for other in after.milestones if other.days == one.days)
    return now is not None and one.reached_on is not None and now <= one.reached_on


@given(histories(), rules, days_ago)
def test_a_pause_takes_nothing_away_and_neither_does_it_count(known: StreakDays, by: StreakRules, day: int) -> None:
    rested = known._replace(paused=known.paused | {NOW + day})
    before, after = (streak(one, TODAY.isoformat(), by) for one in (known, rested))
    assert after.current >= before.current
    assert after.longest >= before.longest
    assert after.freezes >= before.freezes
    assert after.longest <= len(known.active)


@given(st.sets(days_ago), rules, st.sets(days_ago))
def test_imported_history_alone_neither_earns_nor_spends(active: set[int], by: StreakRules, paused: set[int]) -> None:
    found = streak(days(active, active, paused), TODAY.isoformat(), by)
    assert (found.freezes, found.earned_on, found.spent_on) == (0, [], [])
    assert found[:2] == streak(days(active, (), paused), TODAY.isoformat(), NO_FREEZES)[:2]


@given(histories(), rules)
def test_imported_history_has_no_freeze_spent_that_would_be_held_without_it(known: StreakDays, by: StreakRules) -> None:
    own = known._replace(active=known.active - known.imported, imported=frozenset())
    for later in range(-40, 3):
        today = day_of(NOW + later)
        seen = [one._replace(active={day for day in one.active if day <= NOW + later}) for one in (known, own)]
        whole, alone = (streak(one, today, by) for one in seen)
        assert whole.freezes >= alone.freezes


@given(histories(), rules, st.integers(-3, 3))
def test_what_is_followed_from_day_to_day_is_what_is_worked_out_at_once(
    known: StreakDays, by: StreakRules, later: int
) -> None:
    found = current(last_kept(known, by), NOW + later, known.paused, by)
    assert found == streak(known, day_of(NOW + later), by).current


@given(histories(), rules, st.integers(-55, -5), st.integers(0, 20))
def test_the_streak_of_each_day_is_what_that_day_saw(known: StreakDays, by: StreakRules, first: int, more: int) -> None:
    expected = []
    for today in range(NOW + first, NOW + first + more + 1):
        seen = {day for day in known.active if day <= today}
        expected.append(lived(known._replace(active=seen), by, today).current)
    assert streaks_over(known, NOW + first, NOW + first + more, by) == expected


@pytest.mark.parametrize("gap", range(1, 6))
def test_a_late_day_gives_the_freeze_back(gap: int) -> None:
    missed = range(-1 - gap, -1)
    known = days({*range(-40, 1)} - {*missed})
    before, after = (
        streak(known._replace(active=known.active | late), TODAY.isoformat())
        for late in (set[int](), {NOW + day for day in missed})
    )
    assert before.spent_on == [day_of(NOW + day) for day in missed][:2]
    assert (after.current, after.freezes, after.spent_on) == (41, 2, [])
    assert before.current == (41 - gap if gap <= 2 else 2)


def test_milestones_are_reached_on_the_first_day_that_a_streak_has_them() -> None:
    found = streak(days([*range(-400, -290), *range(-29, 1)]), TODAY.isoformat())
    assert [one.days for one in found.milestones] == [*MILESTONES] == [7, 30, 100, 365]
    first = TODAY - timedelta(400)
    reached = [str(first + timedelta(days - 1)) for days in (7, 30, 100)]
    assert [one.reached_on for one in found.milestones] == [*reached, None]


def test_a_pause_of_many_days_keeps_a_streak_that_ends_where_the_pause_does() -> None:
    known = days([-33, -32, -31], (), range(-30, -9))
    for today, expected in ((-20, 3), (-9, 3), (-8, 0)):
        assert streak(known, day_of(NOW + today)).current == expected


def test_a_day_counts_as_imported_where_nothing_else_was_done_on_it() -> None:
    activities = [("2026-03-01", 2), ("2026-03-01", 1), ("2026-03-02", 1), ("2026-03-03", 0), ("2026-03-04", 5)]
    imported = [("2026-03-01", 1), ("2026-03-01", 2), ("2026-03-04", 4)]
    found = streak_days_of(activities, imported, [("2026-03-30", "2026-04-01"), ("2026-05-02", "2026-05-01")])
    assert {day_of(day) for day in found.active} == {"2026-03-01", "2026-03-02", "2026-03-04"}
    assert {day_of(day) for day in found.imported} == {"2026-03-01"}
    assert sorted(map(day_of, found.paused)) == ["2026-03-30", "2026-03-31", "2026-04-01"]


@given(rules)
def test_rules_are_kept_as_text(by: StreakRules) -> None:
    assert read_rules(write_rules(by)) == by


def test_standard_rules_are_kept_as_nothing_and_none_means_them() -> None:
    assert (write_rules(STANDARD), read_rules(None)) == (None, STANDARD)
    assert (write_rules(BEFORE), read_rules("before")) == ("before", BEFORE)


@pytest.mark.parametrize("broken", ["", "7", "7/2/1", "0/2", "7/-1", "a/b"])
def test_rules_that_are_none_are_an_error(broken: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|literal|rules of streaks"):
        read_rules(broken)
