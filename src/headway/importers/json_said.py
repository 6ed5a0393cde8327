"""Values in JSON from elsewhere, in any of the usual forms: numbers, truth values and times."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

_NUMBER_MAX: Final = 1e18
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)


def first(record: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The first of these fields that has a value, whatever the case of its name; None where none has."""
    said = {str(name).lower(): value for name, value in record.items()}
    return next((said[name] for name in names if said.get(name) is not None and said[name] != ""), None)


def number_of(said: object, most: float = _NUMBER_MAX) -> float | None:
    """A number, or a text that is one; None for anything else, and for numbers that are too large."""
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return None
    try:
        number = float(said.strip().removesuffix("%").replace(",", ".") if isinstance(said, str) else said)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= most else None


def truth_of(said: object) -> bool | None:
    """A truth value in any of the usual forms; None for anything else."""
    if isinstance(said, bool):
        return said
    return _WORDS.get(str(said).strip().lower()) if isinstance(said, str | int) else None


def time_of(said: object) -> datetime | None:
    """A time in any of the usual forms, in UTC where it has no zone; None where it is none, or lies before 1990."""
    for read in (_since_1970, _written):
        with suppress(ValueError, OverflowError, OSError):
            time = read(said)
            if time is not None and time >= _EARLIEST:
                return time
    return None


def _since_1970(said: object) -> datetime | None:
    number = number_of(said)
    return None if number is None else datetime.fromtimestamp(number / 1000 if abs(number) > 1e11 else number, UTC)


def _written(said: object) -> datetime | None:
    if not isinstance(said, str):
        return None
    time = datetime.fromisoformat(said.strip().replace("/", "-"))
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time
