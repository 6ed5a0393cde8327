"""Export all that is kept of a learner piece by piece: as one JSON document, or the exercise history as CSV."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Raw, Struct
from sqlalchemy.engine import Connection

from headway.domain.resets import Marks
from headway.domain.scores import fraction, percent
from headway.domain.times import format_time
from headway.store import exporting, reset_marks
from headway.store.catalog import Catalog
from headway.store.entries import Entry
from headway.store.entry_facts import EntryFacts
from headway.store.exporting import Identity
from headway.views.cells import BYTE_ORDER_MARK, lines
from headway.views.subject import Subject

FORMAT: Final = "headway-export"
T = TypeVar("T")
# Runs a view in one short snapshot: a client that reads slowly holds none open.
Reading = Callable[[Callable[[Connection], T]], T]


class ExportedIdentity(Struct):
    """An account or one of the guests that were moved into it, with how many entries its ledger has."""

    id: str
    kind: str
    moved_at: int | None
    moved_after: int | None
    entries: int


class ExportedVersion(Struct):
    """A version of a course by which entries were recorded, and the SHA-256 of its manifest."""

    course: str
    version: int
    manifest_sha256: str


class ExportedEntry(EntryFacts):
    """An entry of a ledger. `sent` is what was sent, without the id; times of facts are microseconds since 1970.

    The fields from `ledger` to `streak_rules` are facts; those after them follow from the facts, for people.
    """

    sent: dict[str, Any] | Raw  # type: ignore[assignment]  # the schema says that it is an object
    type: str
    course: str | None
    run: int
    step: str | None
    occurred_at: str
    day: str
    trust: str
    score: float | None
    passed: bool
    duration_s: float
    hints: int
    changes: list[dict[str, Any]] | Raw
    counts: bool


class Export(Struct):
    """Everything about a learner. `learner` is the account, `tables` are all other rows, as they are stored.

    `complete` comes last: a document without it was cut off.
    """

    format: Literal["headway-export"]
    version: Literal[1]
    exported_at: str
    learner: dict[str, Any] | None
    identities: list[ExportedIdentity]
    tables: dict[str, list[dict[str, Any]]]
    events: list[ExportedEntry]
    courses: list[ExportedVersion]
    complete: Literal[True]


class _Head(NamedTuple):
    """What is read at once; of the entries, which never change, only their number."""

    learner: Mapping[str, Any] | None
    identities: list[Identity]
    tables: Mapping[str, Any]
    marks: Marks


_NOBODY: Final = _Head(None, [], {}, reset_marks.NO_MARKS)
_encode: Final = msgspec.json.Encoder().encode


def export_json(read: Reading[Any], subject: Subject, now: int) -> Iterator[bytes]:
    """Yield the document piece by piece, with one page of entries in memory."""
    head = _head(read, subject)
    learner = head.learner and {name: value for name, value in head.learner.items() if name != "epoch"}
    identities = [ExportedIdentity(*one) for one in head.identities]
    parts: dict[str, Any] = {"format": FORMAT, "version": 1, "exported_at": format_time(now), "learner": learner}
    parts |= {"identities": identities, "tables": head.tables}
    yield _encode(parts)[:-1] + b',"events":['
    first, versions = True, set[tuple[str, int]]()
    for page in _pages(read, head):
        versions |= {(one.course_id, one.version) for one, _ in page if one.course_id}
        listed = b",\n".join(_encode(_exported(one, counts)) for one, counts in page)
        yield listed if first else b",\n" + listed
        first = False
    hashes = read(lambda connection: exporting.published(connection, versions)) if versions else {}
    courses = [ExportedVersion(*pair, hashes[pair]) for pair in sorted(versions)]
    yield b'],"courses":' + _encode(courses) + b',"complete":true}\n'


def _head(read: Reading[_Head], subject: Subject) -> _Head:
    learner_id = subject.learner_id
    if learner_id is None:
        return _NOBODY

    def look(connection: Connection) -> _Head:
        found = exporting.identities(connection, learner_id)
        ids = [one.id for one in found]
        marks = reset_marks.of_learners(connection, [learner_id]).get(learner_id, {})
        tables = exporting.tables(connection, ids)
        account = exporting.account(connection, learner_id)
        return _Head(account, found, tables, marks)

    return read(look)


def _pages(read: Reading[list[Entry]], head: _Head) -> Iterator[list[tuple[Entry, bool]]]:
    """The entries of all ledgers, each with whether it still counts."""
    for one in head.identities:
        after = 0
        while after < one.entries:
            found = read(partial(exporting.page, learner_id=one.id, after=after, up_to=one.entries))
            if not found:
                return  # erased meanwhile
            account_id = head.identities[0].id
            yield [(entry, reset_marks.counts(head.marks, entry, account_id)) for entry in found]
            after = found[-1].seq


def _exported(one: Entry, counts: bool) -> ExportedEntry:
    return ExportedEntry(
        *one.facts,
        one.type,
        one.course_id or None,
        one.run,
        one.step_id or None,
        format_time(one.at),
        one.day,
        one.trust,
        fraction(one.score),
        bool(one.passed),
        one.duration_ms / 1000,
        one.hints,
        Raw((one.changes or "[]").encode()),
        counts,
    )


_COLUMNS: Final = (
    *("occurred_at", "day", "course", "run", "step", "kind", "type", "score_percent", "passed"),
    *("duration_s", "hints", "trust", "counts"),
)


def export_csv(read: Reading[Any], catalog: Catalog, subject: Subject) -> Iterator[bytes]:
    """Yield the exercise history, the oldest ledger first, after a byte-order mark, which spreadsheets go by."""
    yield BYTE_ORDER_MARK + lines([_COLUMNS])
    head = _head(read, subject)
    for page in _pages(read, head):
        done = [(one, counts) for one, counts in page if one.type in ("attempted", "completed")]
        versions = {(one.course_id, one.version) for one, _ in done}
        courses = read(partial(catalog.load, wanted=versions))
        rows = []
        for one, counts in done:
            step = courses[one.course_id, one.version].step_by_key(one.step_id)
            if step.is_exercise:
                rows.append(_row(one, step.kind, counts))
        if rows:
            yield lines(rows)


def _row(one: Entry, kind: str, counts: bool) -> tuple[object, ...]:
    place = (format_time(one.at), one.day, one.course_id, one.run, one.step_id, kind, one.type)
    figures = (percent(one.score), bool(one.passed), one.duration_ms / 1000, one.hints)
    return (*place, *figures, one.trust, counts)
