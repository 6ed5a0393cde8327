"""A learner's own ledger, as it was recorded."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from sqlalchemy.engine import Connection

from headway.domain.changes import Change
from headway.domain.scores import fraction
from headway.domain.times import format_time
from headway.store import entries
from headway.store.catalog import Catalog
from headway.store.entries import Entry
from headway.views.subject import Subject

LIMIT: Final = 50
LIMIT_MAX: Final = 200


class RecordedEvent(Struct):
    """One entry. `step` is the id that the step has now; `occurred_at` is the time that counts."""

    id: str
    type: str
    course: str
    step: str | None
    occurred_at: str
    received_at: str
    day: str
    score: float | None
    passed: bool
    duration_s: float
    hints: int
    trust: str
    changes: list[Change]
    response: Any | UnsetType = UNSET


class _Body(Struct):
    """The part of what was sent that no column holds; it is passed on as it stands."""

    response: Raw | UnsetType = UNSET


class EventPage(NamedTuple):
    """Entries, newest first, and the number of the last of them where more lie behind it."""

    items: list[RecordedEvent]
    next_before: int | None


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_changes = msgspec.json.Decoder(list[Change]).decode


def read_events(
    connection: Connection, catalog: Catalog, subject: Subject, before: int | None = None, limit: int = LIMIT
) -> EventPage:
    """A page of a learner's ledger, newest first, from before a number of it."""
    if subject.learner_id is None:
        return EventPage([], None)
    found = entries.page(connection, subject.learner_id, before, limit + 1)
    shown = found[:limit]
    names = _step_names(connection, catalog, shown)
    more = len(found) > limit
    return EventPage([_recorded(one, names) for one in shown], shown[-1].seq if more else None)


def _step_names(connection: Connection, catalog: Catalog, shown: Sequence[Entry]) -> dict[tuple[str, str], str]:
    """What the steps of these entries are called now, by course and key; those that are gone keep the key's name."""
    courses = catalog.in_force(connection, {one.course_id for one in shown})
    names = {}
    for one in shown:
        step = courses[one.course_id][1].step(one.step_id)
        names[one.course_id, one.step_id] = step.id if step is not None else one.step_id
    return names


def _recorded(one: Entry, names: dict[tuple[str, str], str]) -> RecordedEvent:
    return RecordedEvent(
        id=one.event_id,
        type=one.type,
        course=one.course_id,
        step=names[one.course_id, one.step_id] or None,
        occurred_at=format_time(one.at),
        received_at=format_time(one.received_at),
        day=one.day,
        score=fraction(one.score),
        passed=one.passed,
        duration_s=one.duration_ms / 1000,
        hints=one.hints,
        trust=one.trust,
        changes=_decode_changes(one.changes) if one.changes else [],
        response=_decode_body(one.body).response,
    )
