"""Times as RFC 3339 writes them, and the local days that they fall on."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.errors import Invalid
from headway.domain.times import (
    DAY,
    MINUTE,
    SECOND,
    days_between,
    format_time,
    local_day,
    offset_day,
    ordinal,
    parse_day,
    parse_time,
    zone,
)

HOUR = 60 * MINUTE
AT = 1_772_357_400 * SECOND  # 2026-03-01T09:30:00Z


@pytest.mark.parametrize(
    ("text", "micros", "offset"),
    [
        ("1970-01-01T00:00:00Z", 0, 0),
        ("2026-03-01T09:30:00Z", AT, 0),
        ("2026-03-01t09:30:00z", AT, 0),
        ("2026-03-01 09:30:00Z", AT, 0),
        ("2026-03-01T09:30:00.5Z", AT + 500_000, 0),
        ("2026-03-01T09:30:00.000001Z", AT + 1, 0),
        # What is finer than a microsecond is cut off: rounding could move an event into tomorrow.
        ("2026-03-01T09:30:00.9999999Z", AT + 999_999, 0),
        ("2026-03-01T09:30:00." + "0" * 29 + "9Z", AT, 0),
        ("2026-03-01T10:30:00+01:00", AT, 60),
        ("2026-03-01T15:15:00+05:45", AT, 345),
        ("2026-03-01T06:00:00-03:30", AT, -210),
        ("2026-03-02T09:29:00+23:59", AT, 23 * 60 + 59),
        ("2026-02-28T09:31:00-23:59", AT, -(23 * 60 + 59)),
        # RFC 3339, 4.3: UTC is known and the offset is not.
        ("2026-03-01T09:30:00-00:00", AT, 0),
        ("2026-03-01T09:30:00+00:00", AT, 0),
        ("2024-02-29T00:00:00Z", 1_709_164_800 * SECOND, 0),
        # A leap second is a real time, before the second that follows it.
        ("2016-12-31T23:59:60Z", 1_483_228_800 * SECOND - 1, 0),
        ("2016-12-31T23:59:60.5Z", 1_483_228_800 * SECOND - 1, 0),
        ("2017-01-01T08:59:60+09:00", 1_483_228_800 * SECOND - 1, 540),
        ("1990-12-31T15:59:60-08:00", 662_688_000 * SECOND - 1, -480),
        ("1970-01-01T00:00:00+05:00", -5 * HOUR, 300),
        ("9999-12-31T23:59:59Z", 253_402_300_799 * SECOND, 0),
        ("9999-12-31T23:59:59-23:59", 253_402_300_799 * SECOND + 23 * HOUR + 59 * MINUTE, -(23 * 60 + 59)),
        # Clocks that were never set begin in 1970, which west of Greenwich is the year before.
        ("1969-12-31T19:00:00-05:00", 0, -300),
    ],
)
def test_a_time_is_read_as_the_standard_says(text: str, micros: int, offset: int) -> None:
    assert parse_time(text) == (micros, offset)


@pytest.mark.parametrize(
    "text",
    [
        None,
        5,
        1_772_357_400,
        True,
        [],
        {},
        "",
        "now",
        "2026-03-01",
        "2026-03-01T09:30Z",
        "2026-03-01T09:30:00",
        "2026-03-01T09:30:00.Z",
        "2026-03-01T09:30:00,5Z",
        "2026-03-01T09:30:00." + "0" * 31 + "Z",
        "2026-03-01T09:30:00+0100",
        "2026-03-01T09:30:00+01",
        "2026-03-01T09:30:00+24:00",
        "2026-03-01T09:30:00-99:00",
        "2026-03-01T09:30:00+01:60",
        "2026-03-01T09:30:00 Z",
        " 2026-03-01T09:30:00Z",
        "2026-03-01T09:30:00Z\n",
        "2026-03-01T09:30:00Z\0",
        "26-03-01T09:30:00Z",
        "12026-03-01T09:30:00Z",
        "-2026-03-01T09:30:00Z",
        "2026-3-1T9:30:00Z",
        "2026-00-01T09:30:00Z",
        "2026-13-01T09:30:00Z",
        "2026-02-29T09:30:00Z",
        "2026-04-31T09:30:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T09:60:00Z",
        "2026-03-01T09:30:61Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "1969-12-31T23:59:59+12:00",
        "٢٠٢٦-03-01T09:30:00Z",
        "2026-03-01T09:30:00\ud800",
        "2026-W09-7T09:30:00Z",
    ],
)
def test_anything_else_is_no_time(text: object) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_time(text, field="sent_at")
    assert refusal.value.field == "sent_at"
    assert refusal.value.detail.startswith("sent_at")


@given(
    st.timedeltas(timedelta(days=1), timedelta(days=2_932_000)),
    st.integers(-1439, 1439),
)
def test_a_time_that_python_writes_is_the_time_that_is_read(since: timedelta, offset: int) -> None:
    aware = datetime(1970, 1, 1, tzinfo=timezone(timedelta(minutes=offset))) + since
    micros, read = parse_time(aware.isoformat())
    assert read == offset
    assert micros == (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert offset_day(micros, offset) == aware.date().isoformat()


@given(st.integers(0, 253_402_300_799 * SECOND))
def test_a_time_that_is_written_reads_as_itself(at: int) -> None:
    assert parse_time(format_time(at)) == (at, 0)


def test_times_are_written_in_utc_with_microseconds_and_sort_as_they_compare() -> None:
    assert format_time(AT + 5) == "2026-03-01T09:30:00.000005Z"
    assert format_time(0) == "1970-01-01T00:00:00.000000Z"
    times = [0, 1, 999_999, SECOND, AT, AT + 1, AT + DAY]
    assert sorted(map(format_time, times)) == [format_time(at) for at in times]


@pytest.mark.parametrize(
    ("text", "zone_name", "day"),
    [
        ("2026-03-01T23:59:59.999999Z", "UTC", "2026-03-01"),
        ("2026-03-02T00:00:00Z", "UTC", "2026-03-02"),
        ("2026-03-01T22:59:59.999999Z", "Europe/Berlin", "2026-03-01"),
        ("2026-03-01T23:00:00Z", "Europe/Berlin", "2026-03-02"),
        # Summer time began in Berlin on 29 March 2026 at 01:00 UTC, and ended on 25 October.
        ("2026-03-28T22:59:59Z", "Europe/Berlin", "2026-03-28"),
        ("2026-03-28T23:00:00Z", "Europe/Berlin", "2026-03-29"),
        ("2026-03-29T21:59:59Z", "Europe/Berlin", "2026-03-29"),
        ("2026-03-29T22:00:00Z", "Europe/Berlin", "2026-03-30"),
        ("2026-10-24T22:00:00Z", "Europe/Berlin", "2026-10-25"),
        ("2026-10-25T22:59:59Z", "Europe/Berlin", "2026-10-25"),
        ("2026-10-25T23:00:00Z", "Europe/Berlin", "2026-10-26"),
        ("2026-03-01T05:00:00Z", "America/New_York", "2026-03-01"),
        ("2026-03-01T04:59:59Z", "America/New_York", "2026-02-28"),
        ("2026-03-01T18:14:59Z", "Asia/Kathmandu", "2026-03-01"),
        ("2026-03-01T18:15:00Z", "Asia/Kathmandu", "2026-03-02"),
        ("2026-03-01T10:00:00Z", "Pacific/Kiritimati", "2026-03-02"),
        ("2026-03-01T11:59:59Z", "Etc/GMT+12", "2026-02-28"),
        # Samoa went over the date line and had no 30 December 2011.
        ("2011-12-30T09:59:59Z", "Pacific/Apia", "2011-12-29"),
        ("2011-12-30T10:00:00Z", "Pacific/Apia", "2011-12-31"),
        ("1970-01-01T00:00:00Z", "America/New_York", "1969-12-31"),
        ("2024-02-29T12:00:00Z", "Asia/Tokyo", "2024-02-29"),
    ],
)
def test_a_day_is_the_one_that_the_learners_calendar_shows(text: str, zone_name: str, day: str) -> None:
    assert local_day(parse_time(text)[0], zone_name) == day


@given(
    st.integers(0, 4_102_444_800 * SECOND), st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia"])
)
def test_local_days_are_those_of_pythons_calendar(at: int, zone_name: str) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    assert local_day(at, zone_name) == moment.astimezone(zone(zone_name)).date().isoformat()


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../etc",
        "../../etc/localtime",
        "/etc/localtime",
        "/etc/passwd",
        "Europe",
        "Europe/",
        "Europe/../UTC",
        "Europe/./Berlin",
        "Europe//Berlin",
        "Europe\\Berlin",
        "Europe/Berlin\n",
        "Europe/Berlin\0",
        "\0",
        "\ud800",
        "europe/berlin",
        "Mars/Olympus",
        "Berlin",
        "+01:00",
        "UTC+1",
        "zone.tab",
        "tzdata.zi",
        "__init__.py",
        "x" * 5_000,
        # Files of this machine beside the zones: each machine has its own localtime, and right/ counts leap seconds.
        "localtime",
        "posixrules",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
    ],
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        zone(name)
    assert refusal.value.field == "time_zone"
    refusal.value.detail.encode()


def test_a_day_in_a_zone_that_is_unknown_here_is_that_of_utc() -> None:
    at = parse_time("2026-03-01T23:30:00Z")[0]
    assert [local_day(at, name) for name in ("Mars/Olympus", "UTC")] == ["2026-03-01"] * 2


def test_every_zone_that_people_live_in_is_known() -> None:
    for name in available_timezones() - {"localtime"}:
        assert local_day(AT, name) in ("2026-02-28", "2026-03-01")


@pytest.mark.parametrize("text", ["1970-01-01", "2024-02-29", "2026-12-31", "9999-12-31"])
def test_a_day_reads_as_itself(text: str) -> None:
    assert parse_day(text, field="from") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-3-1",
        "20260301",
        "2026-W09-7",
        "2026-02-29",
        "2026-03-01T00:00:00Z",
        " 2026-03-01",
        "٢٠٢٦-03-01",
        "\ud800026-03-01",
        "0000-00-00",
    ],
)
def test_anything_else_is_no_day(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_day(text, field="from")
    assert refusal.value.field == "from"


def test_days_between_are_all_there_with_both_ends() -> None:
    assert days_between("2024-02-28", "2024-03-01") == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert days_between("2026-03-01", "2026-03-01") == ["2026-03-01"]
    assert days_between("2026-03-02", "2026-03-01") == []
    assert ordinal("2026-03-01") - ordinal("2026-02-28") == 1
