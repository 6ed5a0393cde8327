"""An event as the server takes it, checked here first: what is saved offline must not turn out to be nonsense later."""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final, Literal, TypeAlias, cast

from headway.client.errors import EventInvalid

Type: TypeAlias = Literal["opened", "worked", "attempted", "completed"]
Score: TypeAlias = float | str | Mapping[str, float] | None

SLUG_MAX: Final = 200
DURATION_S_MAX: Final = 86_400
HINTS_MAX: Final = 1_000
RESPONSE_BYTES_MAX: Final = 64 * 1024
RESPONSE_DEPTH_MAX: Final = 64
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
_SIZE_MAX: Final = 1e15
_SCORE_TEXT_MAX: Final = 64
_DECIMAL: Final = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,6})?\s*", re.ASCII)
_ALWAYS: Final = ("id", "type", "course", "step", "occurred_at")
_SCALES: Final = ({"scaled"}, {"raw", "max"}, {"raw", "min", "max"})


def make_event(kind: Type, course: str, step: str, **given: Any) -> dict[str, Any]:
    """A new event, with an id of its own and the time; EventInvalid names what does not fit.

    `given` may hold `score`, `duration_s`, `hints`, `response` and `occurred_at` (a datetime with a zone). What is None
    is left out.
    """
    event: dict[str, Any] = {"id": str(uuid.uuid4()), "type": kind, "course": course, "step": step}
    event["occurred_at"] = _time(given.pop("occurred_at", None))
    event |= {name: value for name, value in given.items() if value is not None}
    for field in ("course", "step"):
        _check_slug(event[field], field)
    _check_score(event.get("score"))
    _check_number(event.get("duration_s"), "duration_s", DURATION_S_MAX, whole=False)
    _check_number(event.get("hints"), "hints", HINTS_MAX, whole=True)
    _check_response(event)
    return event


def is_event(made: object) -> bool:
    """Whether an object has the fields that every event has; the server checks the rest."""
    return isinstance(made, dict) and all(isinstance(made.get(name), str) for name in _ALWAYS)


def encoded(event: Mapping[str, Any]) -> str:
    """The event as JSON."""
    return json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _time(given: object) -> str:
    """The time (now by default) with its UTC offset: the server counts the event to the learner's local day."""
    at = datetime.now().astimezone() if given is None else given
    offset = at.utcoffset() if isinstance(at, datetime) else None
    if not isinstance(at, datetime) or offset is None:
        raise EventInvalid("occurred_at must be a datetime that knows its zone: datetime.now().astimezone() does")
    if at < _FIRST:
        raise EventInvalid("occurred_at lies before 1970")
    if offset % _MINUTE:  # old zones have offsets with seconds, which cannot be sent
        at = at.astimezone(timezone(_MINUTE * int(offset / _MINUTE)))
    return at.isoformat(timespec="milliseconds")


def _check_slug(value: object, field: str) -> None:
    if not isinstance(value, str) or not 1 <= len(value) <= SLUG_MAX or not value.isprintable():
        raise EventInvalid(f"{field} must be an id of 1 to {SLUG_MAX} characters")


def _check_score(score: object) -> None:
    """0 to 1, or 1 to 100 as a percentage, or {scaled}, {raw, max}, {raw, min, max}: the server reads them alike."""
    if isinstance(score, Mapping):
        if set(score) not in _SCALES or not all(map(_has_size, score.values())):
            raise EventInvalid("score must be a number, or numbers as {scaled}, {raw, max} or {raw, min, max}")
        if "max" in score and score["max"] <= score.get("min", 0):
            raise EventInvalid("score's max must be above its min")
    elif isinstance(score, str):
        if len(score) > _SCORE_TEXT_MAX or not _DECIMAL.fullmatch(score):
            raise EventInvalid(f"score {score[:50]!r} is no number")
    elif score is not None and not _is_number(score):
        raise EventInvalid("score must be a number from 0 to 1, or a percentage up to 100")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _SIZE_MAX


def _has_size(value: object) -> bool:
    return _is_number(value) and (value == 0 or abs(cast("float", value)) >= 1 / _SIZE_MAX)


def _check_number(value: object, field: str, high: int, *, whole: bool) -> None:
    kinds = int if whole else int | float
    if value is None or (isinstance(value, kinds) and not isinstance(value, bool) and 0 <= value <= high):
        return
    raise EventInvalid(f"{field} must be a {'whole number' if whole else 'number of seconds'} from 0 to {high:,}")


def _check_response(event: Mapping[str, Any]) -> None:
    try:
        size = len(encoded({"response": event.get("response")}).encode())
        encoded(event).encode()
        is_deep = _is_deeper(event.get("response"), RESPONSE_DEPTH_MAX)
    except (TypeError, ValueError, RecursionError) as error:
        raise EventInvalid(f"response must be what JSON can hold: {error}") from None
    if is_deep:
        raise EventInvalid(f"response is nested deeper than {RESPONSE_DEPTH_MAX}")
    if size > RESPONSE_BYTES_MAX:
        raise EventInvalid(f"response is larger than {RESPONSE_BYTES_MAX:,} bytes")
    if _holds_nul(event):
        raise EventInvalid("the event holds a NUL character; leave it out")


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, Mapping | list | tuple):
        return False
    parts = value.values() if isinstance(value, Mapping) else value
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in parts)


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list | tuple) and any(map(_holds_nul, value))
