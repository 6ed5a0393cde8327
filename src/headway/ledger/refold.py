"""A learner's ledger worked out again from what was sent and what the server knew, never from a derived column."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import groupby
from typing import NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.course import Course
from headway.domain.errors import HeadwayError
from headway.domain.events import Event, read_event
from headway.domain.progress import Worth
from headway.domain.recording import Circumstances, contribute, trust_of, worth_of
from headway.domain.standing import Standing
from headway.domain.sums import Sums
from headway.domain.times import local_day, zone
from headway.ledger.record import entry_of, score_of
from headway.store import entries
from headway.store.catalog import Catalog
from headway.store.entries import Entry

LEARNERS_AT_ONCE = 200


class Fault(NamedTuple):
    """A stored value that is not what follows from the ledger; `true` is what does, or says that nothing can."""

    table: str
    learner: str
    key: str
    column: str
    stored: object
    true: object


class Refolded(NamedTuple):
    """What a learner's ledger comes to: sums, entries (as stored, as true) that differ, and what is beyond repair."""

    learner_id: str
    events: int
    sums: Sums
    amended: list[tuple[Entry, Entry]]
    broken: list[Fault]


def refold(connection: Connection, catalog: Catalog, learner_ids: list[str]) -> Iterator[Refolded]:
    """Fold the ledgers of learners, given in order of id: each as one pass over its entries."""
    if not learner_ids:
        return
    course_of = _Courses(connection, catalog)
    with closing(entries.between(connection, learner_ids[0], learner_ids[-1])) as found:
        ledgers = groupby(found, lambda entry: entry.learner_id)
        next_id, ledger = next(ledgers, ("", iter(())))
        for learner_id in learner_ids:
            while next_id and next_id < learner_id:  # a learner between two that were asked for
                next_id, ledger = next(ledgers, ("", iter(())))
            own = ledger if next_id == learner_id else ()
            yield _Fold(learner_id, course_of).run(own)


class _Courses:
    """Courses by (id, version), asked for once."""

    def __init__(self, connection: Connection, catalog: Catalog) -> None:
        self._connection = connection
        self._catalog = catalog
        self._found: dict[tuple[str, int], Course] = {}

    def __call__(self, course_id: str, version: int) -> Course:
        pair = (course_id, version)
        if pair not in self._found:
            self._found[pair] = self._catalog.load(self._connection, [pair])[pair]
        return self._found[pair]


class _Fold:
    def __init__(self, learner_id: str, course_of: _Courses) -> None:
        self.learner_id = learner_id
        self.course_of = course_of
        self.standing = Standing(self._worth_of)
        self.amended: list[tuple[Entry, Entry]] = []
        self.broken: list[Fault] = []

    def run(self, found: Iterable[Entry]) -> Refolded:
        """Fold the entries in their order."""
        count = 0
        for count, entry in enumerate(found, 1):
            if entry.seq != count:
                self._break(entry, "seq", entry.seq, f"{count}: entries are missing")
                break
            self._fold(entry)
        return Refolded(self.learner_id, count, self.standing.sums, self.amended, self.broken)

    def _fold(self, entry: Entry) -> None:
        try:
            event = read_event(entry.event_id, entry.body)
            course = self.course_of(event.course, entry.version)
            true = self._entry(entry, event, course)
        except (HeadwayError, ValueError, LookupError) as error:
            self._break(entry, "body", entry.body, f"cannot have been recorded: {error}")
            return
        if true != entry:
            self.amended.append((entry, true))

    def _entry(self, entry: Entry, event: Event, course: Course) -> Entry:
        zone(entry.time_zone)  # recorded where it was known: nothing that is worked out here is truer than its day
        known = Circumstances(entry.received_at, entry.clock_skew, entry.time_zone, entry.source, entry.version)
        made = contribute(event, known, course, score_of)
        step = None if event.step is None else course.step(event.step)
        name, today = step.id if step else "", local_day(entry.received_at, entry.time_zone)
        changes = self.standing.apply(made, step=name, today=today)
        trust = trust_of(event, entry.source, step)
        return entry_of((self.learner_id, entry.seq), event, known, made, trust, changes)

    def _break(self, entry: Entry, column: str, stored: object, true: str) -> None:
        self.broken.append(Fault("ledger", self.learner_id, f"{entry.seq}", column, stored, true))

    def _worth_of(self, course_id: str, version: int, step: str) -> Worth:
        return worth_of(self.course_of(course_id, version), step)
