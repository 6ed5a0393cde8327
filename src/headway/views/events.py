"""A learner's own ledger, as it was recorded."""

from collections.abc import Sequence
from heapq import merge
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from sqlalchemy.engine import Connection

from headway.domain.changes import Change
from headway.domain.errors import Invalid
from headway.domain.facts import GRADED, OVERRIDDEN
from headway.domain.scores import fraction
from headway.domain.times import format_time
from headway.store import entries, identities, pseudonyms
from headway.store.catalog import Catalog
from headway.store.entries import Entry, Only
from headway.views.course_progress import in_force
from headway.views.people import Person, person
from headway.views.subject import Subject

LIMIT: Final = 50
_EVER: Final = 2**63 - 1


class RecordedEvent(Struct):
    """One entry. `step` is the id that the step has now; `occurred_at` is the time that counts.

    `course` is null for an entry that is about the learner alone, such as a pause or an achievement.
    """

    id: str
    type: str
    course: str | None
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
    # Of grades and overrides: who (null: the operator, or somebody erased), which attempt, and why.
    by: Person | UnsetType | None = UNSET
    attempt: str | UnsetType = UNSET
    feedback: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    waived: bool | UnsetType = UNSET
    final: bool | UnsetType = UNSET


class _Body(Struct):
    """The parts of the body that no column holds, passed on unchanged."""

    response: Raw | UnsetType = UNSET
    by: str | None = None
    attempt: str | UnsetType = UNSET
    feedback: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    waived: bool | UnsetType = UNSET
    final: bool | UnsetType = UNSET


class Place(NamedTuple):
    """Where a page ended: when its last entry was received, and by ledger the number to continue before.

    A ledger that joins the account between two pages is not in `before`: it continues from the time.
    """

    received_at: int
    before: dict[str, int]


class About(NamedTuple):
    """Which entries are wanted: of a course, or of one of its steps, by any id it has or had."""

    course: str | None = None
    step: str | None = None


EVERYTHING: Final = About()


class EventPage(NamedTuple):
    """Entries, newest first, and where the page ends if there are more."""

    items: list[RecordedEvent]
    next_place: Place | None


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_changes = msgspec.json.Decoder(list[Change]).decode


def read_events(
    connection: Connection,
    catalog: Catalog,
    subject: Subject,
    place: Place | None = None,
    limit: int = LIMIT,
    about: About = EVERYTHING,
) -> EventPage:
    """Return a page of all ledgers of a learner, by time of receipt, the newest first.

    Raise Invalid, UnknownCourse or UnknownStep for a wrong `about`.
    """
    only = _only(connection, catalog, about)
    if subject.learner_id is None:
        return EventPage([], None)
    place = place or Place(_EVER, {})
    ends = {
        one.id: min(place.before.get(_short(one.id), one.until + 1), one.head + 1)
        for one in identities.ledgers(connection, subject.learner_id, place.received_at)
    }
    # Each ledger stays in its own order: within it, servers' clocks do not count.
    found = [*islice(merge(*entries.before(connection, ends, limit + 1, only), key=_newest_first), limit + 1)]
    shown = entries.filled(connection, found[:limit])
    names = _step_names(connection, catalog, shown)
    items = [_recorded(one, names) for one in shown]
    _say_who(connection, shown, items)
    return EventPage(items, _behind(place, shown) if found[limit:] else None)


def _only(connection: Connection, catalog: Catalog, about: About) -> Only | None:
    if about.course is None:
        if about.step is not None:
            raise Invalid("name the course of the step", field="course")
        return None
    _, course = in_force(connection, catalog, about.course)
    return Only(course.id, None if about.step is None else course.step_named(about.step).key)


def _say_who(connection: Connection, shown: Sequence[Entry], items: Sequence[RecordedEvent]) -> None:
    """Name the people who graded and overrode: one more statement, if there are any."""
    said = {n: _decode_body(one.body) for n, one in enumerate(shown) if one.type in (GRADED, OVERRIDDEN)}
    people = pseudonyms.names(connection, {one.by for one in said.values() if one.by}) if said else {}
    for n, one in said.items():
        item = items[n]
        item.by = person(one.by, people)
        item.attempt, item.feedback, item.reason = one.attempt, one.feedback, one.reason
        item.waived, item.final = one.waived, one.final


def _behind(place: Place, shown: Sequence[Entry]) -> Place:
    return Place(shown[-1].received_at, place.before | {_short(one.learner_id): one.seq for one in shown})


def _short(learner_id: str) -> str:
    """Return enough of an id to tell an account's ledgers apart, as cursors are part of URLs."""
    return learner_id.replace("-", "")[:12]


def _newest_first(one: Entry) -> int:
    return -one.received_at


def _step_names(connection: Connection, catalog: Catalog, shown: Sequence[Entry]) -> dict[tuple[str, str], str]:
    """Return the present ids of these entries' steps, by course and key; dropped steps keep their key as id."""
    courses = catalog.in_force(connection, {one.course_id for one in shown if one.course_id})
    names = {("", ""): ""}
    for one in (one for one in shown if one.course_id):
        step = courses[one.course_id][1].step(one.step_id)
        names[one.course_id, one.step_id] = step.id if step is not None else one.step_id
    return names


def _recorded(one: Entry, names: dict[tuple[str, str], str]) -> RecordedEvent:
    return RecordedEvent(
        id=one.event_id,
        type=one.type,
        course=one.course_id or None,
        step=names[one.course_id, one.step_id] or None,
        occurred_at=format_time(one.at),
        received_at=format_time(one.received_at),
        day=one.day,
        score=fraction(one.score),
        passed=bool(one.passed),
        duration_s=one.duration_ms / 1000,
        hints=one.hints,
        trust=one.trust,
        changes=_decode_changes(one.changes) if one.changes else [],
        response=_decode_body(one.body).response,
    )
