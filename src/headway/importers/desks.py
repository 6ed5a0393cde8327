"""Where an import hands in what it reads: the ledger, or for a dry run a look at what the ledger would say."""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from headway.domain.course import Course
from headway.domain.errors import HeadwayError, IdentityGone, IdReused, UnknownCourse
from headway.domain.events import Event, under_name
from headway.domain.manifest import parse_manifest
from headway.domain.recording import IMPORTED, Circumstances, contribute, is_ahead, is_repeat
from headway.graders.registry import check_grader
from headway.importers import learners
from headway.ledger.bulk import record_all
from headway.ledger.keep_streaks import StreakRecord, keep_streak, known_streaks
from headway.ledger.publish import publish
from headway.ledger.record import Answer, score_of
from headway.ledger.submission import AHEAD_FLAG, DUPLICATE, RECORDED, REFUSED, Receipt, Result, Submission
from headway.store import entries, identities
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Known
from headway.store.tally import Tally

# Fewer than the demo's: a running server waits for each of these transactions.
EVENTS_A_TRANSACTION: Final = 500

Handed: TypeAlias = tuple[str, Sequence[Event]]
Answered: TypeAlias = Sequence[Result] | HeadwayError


# Whoever imports cannot sign in as the account, as a client is told to.
_MOVED: Final = IdentityGone("this learner was moved into an account; name the account in the record instead")

_NOBODY: Final = IdentityGone("there is no such learner any more")


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
        answers = list(record_all(self.database, self.catalog, handed, EVENTS_A_TRANSACTION))
        pairs = [(one.learner_id, answer) for one, answer in zip(handed, answers, strict=True)]
        gone = {learner_id for learner_id, answer in pairs if isinstance(answer, IdentityGone)}
        with self.database.read() as connection:
            moved = identities.places(connection, gone).keys()
        return [_answered(answer, _MOVED if learner_id in moved else _NOBODY) for learner_id, answer in pairs]

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
        found = self._look(events)
        return [
            _MOVED if learner_id in found.moved else [self._judge(learner_id, event, found) for event in some]
            for learner_id, some in events
        ]

    def keep_streak(self, record: StreakRecord) -> bool:
        """Whether it would be kept."""
        repeated = self.seen.stands_for(f"{record.learner_id} {record.event_id}", "")
        return repeated is None and (self.database is None or not known_streaks(self.database, [record]))

    def _look(self, events: Sequence[Handed]) -> "_Seen":
        if self.database is None:
            return _Seen({}, self.planned, set())
        pairs = {(learner_id, event.id) for learner_id, some in events for event in some}
        wanted = {event.course for _, some in events for event in some} - self.planned.keys()
        with self.database.read() as connection:
            known = identities.known_of_guests(connection, pairs) | entries.known(connection, pairs)
            courses = self.catalog.in_force(connection, wanted) | self.planned
            moved = identities.places(connection, {learner_id for learner_id, _ in events}).keys()
        return _Seen(known, courses, moved)

    def _judge(self, learner_id: str, event: Event, found: "_Seen") -> Result:
        there = found.known.get((learner_id, event.id))
        version, course = found.courses.get(event.course, (0, None))
        flags = (AHEAD_FLAG,) if is_ahead(event, _now(), 0) else ()
        if there is not None:
            # Whatever its course has become since: recording does not judge again what is there either.
            if is_repeat(event, there.body, there.step_id, course):
                return Result(event.id, DUPLICATE, flags=flags)
            return Result(event.id, REFUSED, _reused())
        if course is None:
            problem = UnknownCourse(f"there is no course {event.course!r}", field="course")
            return Result(event.id, REFUSED, problem)
        try:
            made = contribute(event, Circumstances(_now(), 0, "UTC", IMPORTED, version), course, score_of)
        except HeadwayError as problem:
            return Result(event.id, REFUSED, problem)
        # A step may have two names in one file; by either it is the same event.
        body = event.body if made.step == (event.step or "") else under_name(event.body, step=made.step)
        same = self.seen.stands_for(f"{learner_id} {event.id}", body)
        if same is False:
            return Result(event.id, REFUSED, _reused())
        return Result(event.id, RECORDED if same is None else DUPLICATE, flags=flags)


class _Seen(NamedTuple):
    """What a rehearsal finds: events that are there, courses in force, and those who were moved into an account."""

    known: Mapping[tuple[str, str], Known]
    courses: Mapping[str, tuple[int, Course]]
    moved: Collection[str]


_LOST = HeadwayError("nothing was said of these events")


def _answered(answer: Answer, gone: IdentityGone) -> Answered:
    if isinstance(answer, Receipt):
        return answer.results
    return gone if isinstance(answer, IdentityGone) else answer or _LOST


def _reused() -> IdReused:
    return IdReused("this id was used for another event; make a new UUID for each event", field="id")


def _now() -> int:
    return time.time_ns() // 1000
