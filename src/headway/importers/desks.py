"""Where an import hands in what it reads: the ledger, or for a dry run a look at what the ledger would say."""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from headway.domain.course import Course
from headway.domain.errors import HeadwayError, IdReused, UnknownCourse
from headway.domain.events import Event
from headway.domain.manifest import parse_manifest
from headway.domain.recording import IMPORTED, Circumstances, contribute, is_repeat
from headway.graders.registry import check_grader
from headway.importers import learners
from headway.ledger.bulk import record_all
from headway.ledger.keep_streaks import StreakRecord, keep_streak, known_streaks
from headway.ledger.publish import publish
from headway.ledger.record import score_of
from headway.ledger.submission import DUPLICATE, RECORDED, REFUSED, Receipt, Result, Submission
from headway.store import entries
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Known
from headway.store.tally import Tally

# Fewer than the demo's: a running server waits for each of these transactions.
EVENTS_A_TRANSACTION: Final = 500

Handed: TypeAlias = tuple[str, Sequence[Event]]
Answered: TypeAlias = Sequence[Result] | HeadwayError


class PublishedCourse(NamedTuple):
    """A course that an import brought; `unchanged` says that it was there already, just so."""

    course: str
    version: int
    unchanged: bool


class Desk(Protocol):
    """What an import asks of the place that it hands its events in to."""

    def publish(self, manifest: Mapping[str, Any]) -> PublishedCourse:
        """Publish a course."""

    def learners(self, names: Collection[str]) -> dict[str, str]:
        """Learner ids by name; who is not known and cannot be made is left out."""

    def erased(self, names: Collection[str]) -> set[str]:
        """Those of the names whose learner was erased."""

    def hand_in(self, events: Sequence[Handed]) -> Sequence[Answered]:
        """What became of each learner's events."""

    def keep_streak(self, record: StreakRecord) -> bool:
        """Keep what was recorded elsewhere of a streak; False where it is kept already."""


class LedgerDesk:
    """Records."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.catalog = Catalog()

    def publish(self, manifest: Mapping[str, Any]) -> PublishedCourse:
        """Publish a course; one that is published just so stays as it is."""
        done = publish(self.database, manifest, now=_now())
        return PublishedCourse(done.course.id, done.version, done.unchanged)

    def learners(self, names: Collection[str]) -> dict[str, str]:
        """Learner ids by name; external ids that nobody named before become learners."""
        return learners.enlisted(self.database, names, _now())

    def erased(self, names: Collection[str]) -> set[str]:
        """Those of the names whose learner was erased."""
        return learners.erased(self.database, names)

    def hand_in(self, events: Sequence[Handed]) -> Sequence[Answered]:
        """Record, some hundreds of events a transaction."""
        # A time of its own for each: by it a repeat is told from a transaction that was run again.
        start = _now()
        handed = [
            Submission(learner_id, tuple(some), start + n, source=IMPORTED)
            for n, (learner_id, some) in enumerate(events)
        ]
        answers = record_all(self.database, self.catalog, handed, EVENTS_A_TRANSACTION)
        return [one.results if isinstance(one, Receipt) else one or _LOST for one in answers]

    def keep_streak(self, record: StreakRecord) -> bool:
        """Keep what was recorded elsewhere of a streak; False where it is kept already."""
        return keep_streak(self.database, self.catalog, record, now=_now())


class RehearsalDesk:
    """Says what recording would say, and writes nothing; the database need not be there yet."""

    def __init__(self, database: Database | None, seen: Tally) -> None:
        self.database = database
        self.catalog = Catalog()
        self.planned: dict[str, tuple[int, Course]] = {}
        self.seen = seen

    def publish(self, manifest: Mapping[str, Any]) -> PublishedCourse:
        """Note a course that would be published."""
        if self.database is None:
            course = parse_manifest(manifest, check_grader=check_grader)
            told = PublishedCourse(course.id, 1, unchanged=False)
        else:
            done = publish(self.database, manifest, now=_now(), dry_run=True)
            course, told = done.course, PublishedCourse(done.course.id, done.version, done.unchanged)
        self.planned[course.id] = told.version, course
        return told

    def learners(self, names: Collection[str]) -> dict[str, str]:
        """Learner ids by name, also of those who would be made."""
        return learners.foreseen(self.database, names)

    def erased(self, names: Collection[str]) -> set[str]:
        """Those of the names whose learner was erased."""
        return set() if self.database is None else learners.erased(self.database, names)

    def hand_in(self, events: Sequence[Handed]) -> Sequence[Answered]:
        """Judge each event by what is published, would be published, and is recorded."""
        known, courses = self._look(events)
        return [[self._judge(learner_id, event, known, courses) for event in some] for learner_id, some in events]

    def keep_streak(self, record: StreakRecord) -> bool:
        """Whether it would be kept."""
        return self.database is None or not known_streaks(self.database, [record])

    def _look(self, events: Sequence[Handed]) -> tuple[dict[tuple[str, str], Known], dict[str, tuple[int, Course]]]:
        if self.database is None:
            return {}, self.planned
        pairs = {(learner_id, event.id) for learner_id, some in events for event in some}
        wanted = {event.course for _, some in events for event in some} - self.planned.keys()
        with self.database.read() as connection:
            return entries.known(connection, pairs), self.catalog.in_force(connection, wanted) | self.planned

    def _judge(
        self,
        learner_id: str,
        event: Event,
        known: Mapping[tuple[str, str], Known],
        courses: Mapping[str, tuple[int, Course]],
    ) -> Result:
        there = known.get((learner_id, event.id))
        _, course = courses.get(event.course, (0, None))
        if there is not None and not is_repeat(event, there.body, there.step_id, course):
            reused = IdReused("this id was used for another event; make a new UUID for each event", field="id")
            return Result(event.id, REFUSED, reused)
        if event.course not in courses:
            problem = UnknownCourse(f"there is no course {event.course!r}", field="course")
            return Result(event.id, REFUSED, problem)
        version, course = courses[event.course]
        try:
            contribute(event, Circumstances(_now(), 0, "UTC", IMPORTED, version), course, score_of)
        except HeadwayError as problem:
            return Result(event.id, REFUSED, problem)
        repeated = self.seen.count(f"{learner_id} {event.id}") > 1
        return Result(event.id, DUPLICATE if there is not None or repeated else RECORDED)


_LOST = HeadwayError("nothing was said of these events")


def _now() -> int:
    return time.time_ns() // 1000
