"""Events as clients send them: each is checked once, at the edge, and is a fact from then on."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from headway.domain.errors import Invalid
from headway.domain.facts import Fact, read_fact
from headway.domain.scores import normalize_score
from headway.domain.times import parse_time

CLIENT_TYPES: Final = ("opened", "worked", "attempted", "completed")
SCORED_TYPES: Final = ("attempted", "completed")
ENROLLMENT_TYPES: Final = ("enrolled", "left")
SLUG_MAX: Final = 200
DURATION_S_MAX: Final = 86_400
HINTS_MAX: Final = 1_000
RESPONSE_BYTES_MAX: Final = 64 * 1024
# Our own bound, as the interpreter's varies with version and caller, and an audit must be able to read what was taken.
RESPONSE_DEPTH_MAX: Final = 64
_FIELDS: Final = frozenset({"type", "course", "step", "occurred_at", "score", "duration_s", "hints", "response"})
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_canonical: Callable[[object], str] = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode


class EventInvalid(Invalid):
    """The event does not fit."""


class Event(NamedTuple):
    """An event whose fields are valid; whether its course and step exist is judged in the transaction.

    `occurred_at` is the client's time (microseconds), None where the server's time is meant;
    `offset` is its distance from UTC in minutes, 0 where the learner's time zone decides the day.
    `body` is the canonical JSON of what was sent, without the id: the fact that the ledger keeps.
    `fact` is the content of an entry of the server's own, and `run` the run of the course that it is about; no client
    sends either. `passed` is set on an erased learner's event whose passing was decided afterwards; no client sends it.
    """

    id: str
    type: str
    course: str
    step: str | None
    occurred_at: int | None
    offset: int
    score: int | None
    duration_ms: int
    hints: int
    response: Any
    body: str
    fact: Fact | None = None
    run: int = 0
    passed: bool | None = None


def parse_event(sent: Mapping[str, Any]) -> Event:
    """Check an event as a client sends it; EventInvalid names the field and the fix."""
    content = {name: value for name, value in sent.items() if name != "id"}
    event_id = event_id_of(sent.get("id"))
    if content.get("occurred_at") is None:
        raise EventInvalid("occurred_at is missing: an RFC 3339 time such as 2026-03-01T09:30:00Z", field="occurred_at")
    return check_event(event_id, content)


def event_id_of(sent: object) -> str:
    """An event's id in its canonical form: a UUID in lower case."""
    text = sent.lower() if isinstance(sent, str) else ""
    if not _UUID.fullmatch(text):
        raise EventInvalid("id must be a UUID that the client makes before its first try", field="id")
    return text


def check_event(event_id: str, content: Mapping[str, Any]) -> Event:
    """Check everything of an event but its id. Add no defaults, so that a repeat has the same content."""
    unknown = content.keys() - _FIELDS
    if unknown:
        field = min(map(str, unknown))[:SLUG_MAX].encode(errors="replace").decode()
        fix = "send the learner's answer as response" if field == "answer" else "leave it out"
        raise EventInvalid(f"{field!r} is no field of an event; {fix}", field=field)
    kind = content.get("type")
    if kind not in CLIENT_TYPES:
        raise EventInvalid(f"type must be one of {', '.join(CLIENT_TYPES)}", field="type")
    course, step = _slug(content, "course"), _slug(content, "step")
    at = content.get("occurred_at")
    occurred_at, offset = (None, 0) if at is None else parse_time(at)
    score = normalize_score(content.get("score"))
    if score is not None and kind not in SCORED_TYPES:
        raise EventInvalid(f"an event of type {kind} carries no score", field="score")
    return Event(
        event_id,
        kind,
        course,
        step,
        occurred_at,
        offset,
        score,
        _duration_ms(content.get("duration_s")),
        _hints(content.get("hints")),
        content.get("response"),
        _body(content),
    )


def read_event(event_id: str, body: str) -> Event:
    """The event that a body from the ledger stands for; Invalid where it stands for none."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise EventInvalid(f"the body is no JSON: {error}", field="body") from None
    if not isinstance(content, dict):
        raise EventInvalid("the body is no JSON object", field="body")
    if content.get("type") not in ENROLLMENT_TYPES:
        return _fact_event(event_id, content, body) or _client_event(event_id, content, body)
    said = content.get("occurred_at")
    at = None if said is None else parse_time(said)[0]
    return Event(event_id, content["type"], _slug(content, "course"), None, at, 0, None, 0, 0, None, body)


def _client_event(event_id: str, content: Mapping[str, Any], body: str) -> Event:
    passed = content.get("passed")
    if not isinstance(passed, bool):
        return check_event(event_id, content)
    sent = {name: value for name, value in content.items() if name != "passed"}
    return check_event(event_id, sent)._replace(body=body, passed=passed)


def with_passed(event: Event, *, passed: bool) -> Event:
    """An erased learner's event with its passing, as decided afterwards, in its body."""
    return read_event(event.id, _canonical({**json.loads(event.body), "passed": passed}))


def enrollment_event(event_id: str, kind: str, course: str, occurred_at: str | None = None) -> Event:
    """An `enrolled` or `left`, made by an importer, or by the server (then recording sets the time)."""
    said = {} if occurred_at is None else {"occurred_at": occurred_at}
    return read_event(event_id, _canonical({"type": kind, "course": course, **said}))


def fact_event(event_id: str, kind: str, at: str, said: Mapping[str, Any]) -> Event:
    """An entry of the server's own from the fields that `facts.read_fact` reads; `at` is its time, as RFC 3339."""
    content = {"type": kind, "occurred_at": at, **said}
    return read_event(event_id, _canonical(content))


def _fact_event(event_id: str, content: Mapping[str, Any], body: str) -> Event | None:
    said = read_fact(content)
    if said is None:
        return None
    place = (said.course, said.step or None, said.at, 0)
    return Event(event_id, content["type"], *place, said.score, 0, 0, None, body, said.fact, said.run)


def under_name(body: str, step: str) -> str:
    """A body from the ledger with its step renamed to this one."""
    return _canonical({**json.loads(body), "step": step})


def could_name(text: str) -> bool:
    """Whether a text could be the id of a course or a step; any other names none, and PostgreSQL refuses a NUL."""
    return 1 <= len(text) <= SLUG_MAX and text.isprintable()


def _slug(content: Mapping[str, Any], field: str) -> str:
    value = content.get(field)
    if not isinstance(value, str) or not 1 <= len(value) <= SLUG_MAX:
        raise EventInvalid(f"{field} must be an id of 1 to {SLUG_MAX} characters", field=field)
    if not could_name(value):
        raise EventInvalid(f"{field} holds a character that no id has", field=field)
    return value


def _duration_ms(sent: object) -> int:
    if sent is None:
        return 0
    if isinstance(sent, bool) or not isinstance(sent, int | float) or not 0 <= sent <= DURATION_S_MAX:
        raise EventInvalid(f"duration_s must be a number of seconds from 0 to {DURATION_S_MAX}", field="duration_s")
    return round(sent * 1000)


def _hints(sent: object) -> int:
    if sent is None:
        return 0
    if isinstance(sent, bool) or not isinstance(sent, int) or not 0 <= sent <= HINTS_MAX:
        raise EventInvalid(f"hints must be a whole number from 0 to {HINTS_MAX}", field="hints")
    return sent


def _body(content: Mapping[str, Any]) -> str:
    if "response" in content and _is_deeper(content["response"], RESPONSE_DEPTH_MAX):
        raise EventInvalid(f"response is nested deeper than {RESPONSE_DEPTH_MAX}", field="response")
    try:
        body = _canonical(content)
        size = len(body.encode()) if "response" in content else 0
    except (ValueError, RecursionError):  # ValueError holds UnicodeEncodeError: a lone surrogate
        raise EventInvalid("the event holds text or numbers that JSON cannot carry", field="response") from None
    if "\\u0000" in body and _has_nul(content):
        raise EventInvalid("the event holds a NUL character; leave it out", field="response")
    if size > RESPONSE_BYTES_MAX and len(_canonical(content["response"]).encode()) > RESPONSE_BYTES_MAX:
        raise EventInvalid(f"response is larger than {RESPONSE_BYTES_MAX} bytes", field="response")
    return body


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, Mapping | list):
        return False
    parts = value.values() if isinstance(value, Mapping) else value
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in parts)


def _has_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_has_nul(part) for pair in value.items() for part in pair)
    return isinstance(value, list) and any(map(_has_nul, value))
