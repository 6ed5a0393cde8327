"""The times of a board's period are those whose local days lie in it, however clocks are moved meanwhile."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.boards import period_of, periods_at, span_of
from headway.domain.periods import PERIODS, Period, range_of
from headway.domain.times import DAY, HOUR, MINUTE, days_between, local_day

# Clocks there are moved at midnight, by half an hour, by a day, and not at all.
ZONES: tuple[str, ...] = (
    "UTC",
    "Europe/Berlin",
    "America/Santiago",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Nuuk",
)
ZONES += ("Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati", "Asia/Kathmandu", "America/Asuncion")
FIRST = int(datetime(2012, 1, 1, tzinfo=UTC).timestamp() * 1_000_000)
LAST = int(datetime(2036, 1, 1, tzinfo=UTC).timestamp() * 1_000_000)


@given(
    st.sampled_from(ZONES),
    st.sampled_from(PERIODS),
    st.integers(FIRST, LAST),
    st.integers(-40 * DAY, 40 * DAY),
    st.integers(-90, 90),
)
def test_a_time_lies_in_a_period_if_its_day_does(zone: str, kind: Period, now: int, far: int, near: int) -> None:
    today = local_day(now, zone)
    span, period = span_of(kind, today, zone), period_of(kind, today)
    edges = [edge + near * unit for edge in span if abs(edge) < 2**61 for unit in (1, MINUTE, HOUR)]
    for at in [now, now + far, *edges]:
        assert (span.begins <= at < span.ends) == (period in periods_at(local_day(at, zone)))


@pytest.mark.parametrize("zone", ZONES)
def test_a_period_begins_with_the_first_moment_of_its_first_day(zone: str) -> None:
    for day in days_between("2024-01-01", "2027-01-31"):
        for kind in PERIODS[:3]:
            days, span = range_of(kind, day), span_of(kind, day, zone)
            seen = [local_day(at, zone) for at in (span.begins - 1, span.begins, span.ends - 1, span.ends)]
            assert seen[1:3] == [*days]
            assert seen[0] < days.first <= days.last < seen[3]
