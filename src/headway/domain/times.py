"""Times are whole microseconds since 1970 UTC; days are `YYYY-MM-DD` text. Both sort chronologically."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from headway.domain.errors import Invalid

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 86_400 * SECOND
# The last time for which the day, its start and its end exist in every zone: calendars end with the year 9999.
TIME_MAX = 253_402_300_799_999_999 - 2 * DAY
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # UTC, and without a zone so that isoformat leaves it out
_EPOCH_UTC = _EPOCH.replace(tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_MICROSECOND = timedelta(microseconds=1)
_A_MINUTE = timedelta(minutes=1)

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,30}))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)
# Files among the time zones that differ by machine, or count leap seconds.
_OF_THE_MACHINE = re.compile(r"localtime|posixrules|posix/|right/")


def parse_time(text: object, *, field: str = "occurred_at") -> tuple[int, int]:
    """Read an RFC 3339 time (section 5.6): (microseconds since 1970 UTC, offset in minutes); else Invalid."""
    found = _RFC3339.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise Invalid(f"{field} must be an RFC 3339 time such as 2026-03-01T09:30:00Z", field=field)
    try:
        # The standard library reads nearly all times, and faster than `_parse_odd`.
        moment = datetime.fromisoformat(found.string)
    except ValueError:
        return _parse_odd(found, field)
    # The library accepts what RFC 3339 does not: hour 24 for midnight (newer Pythons), offsets with 60 minutes or more.
    if found[4] == "24" or (found[11] or "") > "59":
        return _parse_odd(found, field)
    offset = moment.utcoffset()
    at = (moment - _EPOCH_UTC) // _MICROSECOND
    return _checked(at, moment.year, field), offset // _A_MINUTE if offset else 0


def _parse_odd(found: re.Match[str], field: str) -> tuple[int, int]:
    """Read a time with a leap second or a lower-case z; Invalid where it is no time at all."""
    year, month, day, hour, minute, second = map(int, found.group(1, 2, 3, 4, 5, 6))
    micros = int((found[7] or "0")[:6].ljust(6, "0"))
    offset = 0 if found[8] else (int(found[10]) * 60 + int(found[11])) * (-1 if found[9] == "-" else 1)
    # A leap second is a real time; take it as the last microsecond that a calendar without them has.
    leap = second == 60
    try:
        seconds = int(datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC).timestamp())
    except ValueError as error:
        raise Invalid(f"{field} is no time of the calendar: {error}", field=field) from None
    if abs(offset) >= 24 * 60 or (found[11] and int(found[11]) > 59):
        raise Invalid(f"{field} has an offset that no place on earth uses", field=field)
    return _checked(seconds * SECOND + (999_999 if leap else micros) - offset * MINUTE, year, field), offset


def _checked(at: int, year: int, field: str) -> int:
    """The time; Invalid where it lies before 1970 both in UTC and locally (a clock that is not set begins in 1970)."""
    if at < 0 and year < 1970:
        raise Invalid(f"{field} lies before 1970", field=field)
    return at


def format_time(at: int) -> str:
    """Write a time as RFC 3339 in UTC with microseconds."""
    minute, rest = divmod(at, MINUTE)
    return f"{_minute_text(minute)}{rest // SECOND:02}.{rest % SECOND:06}Z"


# Most times to be written are of the current minute.
@lru_cache(maxsize=1024)
def _minute_text(minute: int) -> str:
    return (_EPOCH + timedelta(minutes=minute)).isoformat(timespec="minutes") + ":"


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; Invalid where there is none."""
    try:
        if _OF_THE_MACHINE.match(name):
            raise ValueError(name)
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:  # KeyError: ZoneInfoNotFoundError; OSError: a folder's name
        raise Invalid(
            f"time_zone {name[:64]!r} is no IANA zone; use a name such as Europe/Berlin", field="time_zone"
        ) from error


@lru_cache(maxsize=1024)
def _zone_or_utc(name: str) -> tzinfo:
    try:
        return zone(name)
    except Invalid:
        return UTC


def local_day(at: int, zone_name: str) -> str:
    """The day that a time falls on in a zone; in UTC where this machine does not know the zone."""
    if zone_name == "UTC":
        return offset_day(at, 0)
    moment = datetime.fromtimestamp(at // SECOND, _zone_or_utc(zone_name))
    return _day_text(moment.toordinal() - _EPOCH_DAY)


def local_hour(at: int, place: int | str) -> int:
    """The local hour, 0 to 23, at an offset from UTC in minutes or in a zone; in UTC where the zone is unknown."""
    if isinstance(place, int) or place == "UTC":
        offset = 0 if isinstance(place, str) else place
        return (at + offset * MINUTE) % DAY // HOUR
    return datetime.fromtimestamp(at // SECOND, _zone_or_utc(place)).hour


def day_start(day: str, zone_name: str) -> int:
    """When a day begins in a zone (microseconds); in UTC where this machine does not know the zone."""
    begins = datetime.combine(date.fromisoformat(day), time(), _zone_or_utc(zone_name))
    return (begins.astimezone(UTC) - _EPOCH_UTC) // _MICROSECOND


def offset_day(at: int, offset: int) -> str:
    """The day that a time falls on at an offset from UTC in minutes."""
    return _day_text((at + offset * MINUTE) // DAY)


@lru_cache(maxsize=8192)
def _day_text(days: int) -> str:
    return date.fromordinal(days + _EPOCH_DAY).isoformat()


@lru_cache(maxsize=8192)
def ordinal(day: str) -> int:
    """A day as a number (the proleptic Gregorian ordinal), to count with."""
    return date.fromisoformat(day).toordinal()


def day_of(number: int) -> str:
    """The day of an ordinal."""
    return _day_text(number - _EPOCH_DAY)


def parse_day(text: str, *, field: str) -> str:
    """A `YYYY-MM-DD` day, unchanged; Invalid where it is none."""
    try:
        if len(text) != len("YYYY-MM-DD") or date.fromisoformat(text).isoformat() != text:
            raise ValueError(text)
    except ValueError:
        raise Invalid(f"{field} must be a day such as 2026-03-01", field=field) from None
    return text


def days_between(first: str, last: str) -> list[str]:
    """Every day from first to last, both included."""
    return [day_of(number) for number in range(ordinal(first), ordinal(last) + 1)]
