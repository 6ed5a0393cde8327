"""Streaks by the learner's own days: a year of them in zones that change their clocks, leap days, and travel."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from headway.domain.streaks import Streak, StreakDays, streak
from headway.domain.times import MINUTE, local_day, offset_day, ordinal, parse_time

# Clocks change by an hour, by half an hour, by two; at midnight, so that there is none; in Ramadan; or never.
ZONES = (
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Chatham",
)
YEAR = [date(2024, 1, 1) + timedelta(n) for n in range(366)]


def instant(day: date, at: time, zone: str, *, fold: int = 0) -> int:
    """A wall clock's time in microseconds, as a client would tell it."""
    moment = datetime.combine(day, at, ZoneInfo(zone)).replace(fold=fold).astimezone(UTC)
    return parse_time(moment.isoformat())[0]


def of_days(days: set[str], today: str) -> Streak:
    return streak(StreakDays({ordinal(day) for day in days}), today)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [time(1, 30), time(12), time(23, 30)], ids=str)
def test_a_year_of_days_is_a_streak_of_a_year_across_all_changes_of_the_clock(zone: str, at: time) -> None:
    days = {local_day(instant(day, at, zone), zone) for day in YEAR}
    found = of_days(days, "2024-12-31")
    assert (found.current, found.longest, found.spent_on) == (366, 366, [])
    assert days == {day.isoformat() for day in YEAR}


@pytest.mark.parametrize("zone", [zone for zone in ZONES if zone != "Asia/Kolkata"])
def test_where_clocks_change_one_day_follows_the_other_once(zone: str) -> None:
    offsets = [datetime.combine(day, time(12), ZoneInfo(zone)).utcoffset() for day in YEAR]
    changes = [day for n, day in enumerate(YEAR) if n and offsets[n] != offsets[n - 1]]
    assert len(changes) >= 2
    for day in changes:
        first, last = (instant(one, time(12), zone) for one in (day - timedelta(1), day))
        minutes = range(first, last, MINUTE)
        assert len(minutes) != 24 * 60
        found = [local_day(at, zone) for at in minutes]
        assert found == sorted(found)
        assert set(found) == {str(day - timedelta(1)), str(day)}


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Pacific/Chatham", "Australia/Lord_Howe"])
def test_days_of_utc_would_be_another_streak(zone: str) -> None:
    # Late on one day and early on the next but one, as somebody has it who studies when there is time.
    moments = [instant(day, time(23, 30) if n % 2 else time(0, 30), zone) for n, day in enumerate(YEAR)]
    own = of_days({local_day(at, zone) for at in moments}, "2024-12-31")
    of_utc = of_days({local_day(at, "UTC") for at in moments}, "2024-12-31")
    assert own.longest == 366
    assert of_utc.longest < 366


def test_a_leap_day_is_a_day_and_where_there_is_none_nothing_is_missed() -> None:
    assert of_days({"2024-02-28", "2024-02-29", "2024-03-01"}, "2024-03-01").current == 3
    assert of_days({"2024-02-28", "2024-03-01"}, "2024-03-01").current == 1
    assert of_days({"2025-02-28", "2025-03-01"}, "2025-03-01").current == 2
    assert of_days({"2100-02-28", "2100-03-01"}, "2100-03-01").current == 2


def flown(*moments: str) -> set[str]:
    """The days of events that say their offset themselves."""
    return {offset_day(*parse_time(moment)) for moment in moments}


def test_whoever_flies_east_over_the_date_line_has_a_day_twice_and_it_counts_once() -> None:
    days = flown("2026-03-09T20:00:00+09:00", "2026-03-10T18:00:00+09:00", "2026-03-10T13:00:00-08:00")
    assert days == {"2026-03-09", "2026-03-10"}
    # Their zone says that it is the 9th still, when in Tokyo the 10th was active.
    found = of_days(days, "2026-03-09")
    assert (found.current, found.active_today) == (2, True)
    assert of_days(days | flown("2026-03-11T13:00:00-08:00"), "2026-03-11").current == 3


def test_whoever_flies_west_over_it_lacks_a_day_that_a_freeze_keeps() -> None:
    week = flown(*(f"2026-03-{day:02}T20:00:00-08:00" for day in range(4, 11)))
    landed = flown("2026-03-12T09:00:00+09:00")  # 28 hours after the last
    found = of_days(week | landed, "2026-03-12")
    assert (found.current, found.spent_on) == (8, ["2026-03-11"])
    assert of_days(set(sorted(week)[1:]) | landed, "2026-03-12").current == 1


def test_islands_on_both_sides_of_the_date_line_have_days_of_their_own() -> None:
    moment = parse_time("2026-03-10T10:30:00Z")[0]
    zones = ("Pacific/Kiritimati", "Pacific/Pago_Pago")
    assert [local_day(moment, zone) for zone in zones] == ["2026-03-11", "2026-03-09"]
