"""Headway's own events as rows: an event's fields and its learner. Events that a server exported can be read again."""

from collections.abc import Mapping
from typing import Any, Final

from headway.domain.events import ENROLLMENT_TYPES, Event, EventInvalid, check_event, enrollment_event, event_id_of
from headway.domain.facts import FACT_TYPES
from headway.domain.times import DAY, HOUR, format_time, offset_day, ordinal, parse_day, parse_time
from headway.importers.records import LeftOut, Location, Record, Unreadable, checked_learner
from headway.ledger.enlist import derived_id
from headway.store.tally import Tally

FIELDS: Final = ("type", "course", "step", "occurred_at", "score", "duration_s", "hints", "response")
# Fields that a server adds to an event when it tells it; most of them follow again when the event is recorded.
TOLD: Final = ("received_at", "day", "passed", "trust", "changes")
# Why the server's own entries are left out: what is due is judged and granted again.
OF_A_SERVER: Final = "of-a-server"
REQUIRED: Final = ("learner", "type", "course", "occurred_at")


def record_of(place: Location, row: Mapping[str, Any], seen: Tally) -> Record | LeftOut:
    """The record in a row, or what is left out; Invalid says what is wrong with it.

    An id in the row is kept. Otherwise it is derived from the learner, the content, and how often the file held both
    before, so that the same file, even if longer by then, has the same ids.
    """
    given = {name: value for name, value in row.items() if value is not None}
    learner = checked_learner(given.pop("learner", None))
    if given.get("type") in FACT_TYPES:
        return LeftOut(place, OF_A_SERVER)
    event_id = event_id_of(given.pop("id")) if "id" in given else ""
    event = _event(_content(given))
    if not event_id:
        event_id = derived_id("event", learner, event.body, seen.count(f"{learner}\n{event.body}"))
    return Record(place, learner, event._replace(id=event_id))


def _event(content: Mapping[str, Any]) -> Event:
    occurred_at = content.get("occurred_at")
    if occurred_at is None:
        raise EventInvalid("occurred_at is missing: an RFC 3339 time such as 2026-03-01T09:30:00Z", field="occurred_at")
    kind = content.get("type")
    if kind not in ENROLLMENT_TYPES:
        return check_event("", content)
    surplus = content.keys() - {"type", "course", "occurred_at"}
    if surplus:
        raise EventInvalid(f"an event of type {kind} has no {min(surplus)}", field=min(surplus))
    # Checked as an event on any step, to see that the course is an id and the time a time.
    checked = check_event("", {**content, "type": "opened", "step": "any"})
    return enrollment_event("", kind, checked.course, occurred_at)


def _content(given: dict[str, Any]) -> dict[str, Any]:
    """What the client once sent, as far as a row tells it: without what the server added."""
    told = {name: given.pop(name) for name in TOLD if name in given}
    if told.get("trust") == "graded" and "response" in given:
        given.pop("score", None)  # the server grades the answer again
    if given.get("type") in ENROLLMENT_TYPES:
        for name in ("score", "duration_s", "hints"):
            if not given.get(name):
                given.pop(name, None)
    if "day" in told and "occurred_at" in given:
        given["occurred_at"] = _on_day(given["occurred_at"], told["day"])
    return given


def _on_day(occurred_at: object, day: object) -> object:
    """The time with the smallest whole-hour offset by which it falls on the day; unchanged where it does already."""
    at, offset = parse_time(occurred_at)
    wanted = parse_day(day if isinstance(day, str) else "", field="day")
    if offset or offset_day(at, 0) == wanted:
        return occurred_at
    ahead = ordinal(wanted) - ordinal(offset_day(at, 0))
    into = at % DAY // HOUR
    hours = 24 - into if ahead == 1 else -1 - into
    if abs(ahead) > 1 or abs(hours) > 14:
        raise Unreadable(f"occurred_at is nowhere on earth on the day {wanted}; mend one of the two", field="day")
    local = format_time(at + hours * HOUR).removesuffix("Z")
    return f"{local}{'+' if hours > 0 else '-'}{abs(hours):02d}:00"
