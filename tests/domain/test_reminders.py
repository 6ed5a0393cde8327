"""When reminders are due, what streak is at risk, and how a week is summed up."""

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from headway.domain.progress import PeriodSum
from headway.domain.reminders import Week, WeekDone, came_within, is_monday, streak_at_risk, summary, week_before
from headway.domain.streaks import StreakDays, StreakRules, streak
from headway.domain.times import MINUTE, SECOND, day_of, days_between
from tests.domain.test_streaks import NOW, days, histories, rules

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "Australia/Lord_Howe"]


@given(histories(), rules)
def test_a_streak_is_at_risk_where_today_alone_keeps_it(known: StreakDays, by: StreakRules) -> None:
    today, tomorrow = streak(known, day_of(NOW), by), streak(known, day_of(NOW + 1), by)
    ends = today.current > 0 and not today.active_today and tomorrow.current == 0
    assert streak_at_risk(known, day_of(NOW), by) == (today.current if ends else None)


def test_what_a_freeze_or_a_pause_keeps_is_not_at_risk() -> None:
    by = StreakRules()
    today = day_of(NOW)
    assert streak_at_risk(days(range(-3, 0)), today, by) == 3
    assert streak_at_risk(days(range(-3, 1)), today, by) is None
    assert streak_at_risk(days(range(-7, 0)), today, by) is None
    assert streak_at_risk(days(range(-3, 0), paused=[0]), today, by) is None
    assert streak_at_risk(days(range(-4, -1), paused=[-1]), today, by) == 3
    assert streak_at_risk(days(()), today, by) is None


@pytest.mark.parametrize("zone", ZONES)
def test_every_day_of_a_year_has_one_evening_whenever_one_looks(zone: str) -> None:
    chance = random.Random(zone)
    at = began = int(datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()) * SECOND
    found = []
    while at < began + 365 * 24 * 60 * MINUTE:
        later = at + chance.randint(1, 5 * 60) * MINUTE
        day = came_within(zone, 19, at, later)
        if day is not None:
            found.append(day)
            there = datetime.fromtimestamp(later // SECOND, ZoneInfo(zone))
            assert (there.hour >= 19, there.date().isoformat()) == (True, day)
        at = later
    assert found == days_between(found[0], found[-1])
    assert len(found) >= 364


def test_a_week_is_told_beside_the_one_before() -> None:
    week = week_before("2026-03-09")
    assert (week, is_monday("2026-03-09"), is_monday("2026-03-10")) == (
        Week("2026-03-02", "2026-03-08", "2026-02-23"),
        True,
        False,
    )
    busy = PeriodSum(attempts=2, scores=2, score_total=1_500_000, duration_ms=90_500, activities=2, points=10)
    opened = PeriodSum(duration_ms=1_000)
    done = WeekDone(
        [
            ("2026-03-02", busy),
            ("2026-03-02", busy),
            ("2026-03-08", busy),
            ("2026-03-01", busy),
            ("2026-03-03", opened),
        ],
        [("2026-03-05", 7), ("2026-02-22", 9)],
    )
    told = summary(week, done, 4)
    assert told is not None
    assert (told["active_days"], told["attempts"], told["average_percent"], told["duration_s"]) == (2, 6, 75.0, 272.5)
    assert (told["points"], told["streak"], told["from"], told["to"]) == (37, 4, "2026-03-02", "2026-03-08")
    assert (told["week_before"]["active_days"], told["week_before"]["points"]) == (1, 10)
    assert summary(week, WeekDone([("2026-03-01", busy), ("2026-03-03", opened)], []), 0) is None
