"""The desks to which an import hands its events: the ledger, or a rehearsal that only tells what would happen."""

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

# Fewer than in the demo, because a running server waits for each of these transactions.
EVENTS_A_TRANSACTION: Final = 500

Handed: TypeAlias = tuple[str, Sequence[Event]]
Answered: TypeAlias = Sequence[Result] | HeadwayError


# A client is told to sign in as the account, which an importer cannot do.
_MOVED: Final = IdentityGone("this learner was moved into an account; name the account in the record instead")

_NOBODY: Final = IdentityGone("there is no such learner any more")


class PublishedCourse(NamedTuple):
    """A course that an import brought; `unchanged` if it was published before with the same content."""

    course: str
    version: int
    unchanged: bool


class Desk(Protocol):
    """What an import needs of the desk to which it hands its events."""

    def publish(self, manifest: Mapping[str, Any]) -> PublishedCourse:
        """Publish a course."""

    def learners(self, names: Collection[str]) -> dict[str, str]:
        """Learner ids by name; names that are unknown and cannot become learners are left out."""

    def erased(self, names: Collection[str]) -> set[str]:
        """Which of the names are those of erased learners."""

    def hand_in(self, events: Sequence[Handed]) -> Sequence[Answered]:
        """The outcome of each learner's events."""

    def keep_streak(self, record: StreakRecord) -> bool:
        """Keep a streak recorded elsewhere; False where it is kept already."""


class LedgerDesk:
    """The desk that records in the ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.catalog = Catalog()

    def publish(self, manifest: Mapping[str, Any]) -> PublishedCourse:
        """Publish a course; one already published with the same content stays as it is."""
        done = publish(self.database, manifest, now=_now())
        return PublishedCourse(done.course.id, done.version, done.unchanged)

    def learners(self, names: Collection[str]) -> dict[str, str]:
        """Learner ids by name; external ids that nobody named before become learners."""
        return learners.enlisted(self.database, names, _now())

    def erased(self, names: Collection[str]) -> set[str]:
        """Which of the names are those of erased learners."""
        return learners.erased(self.database, names)

    def hand_in(self, events: Sequence[Handed]) -> Sequence[Answered]:
        """Record the events, some hundreds per transaction."""
        # Each submission has its own time, which tells a repeat from a transaction that was run again.
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
        """Keep a streak recorded elsewhere; False where it is kept already."""
        return keep_streak(self.database, self.catalog, record, now=_now())


class RehearsalDesk:
    """The desk for dry runs: tells what recording would do, and writes nothing; the database need not exist yet."""

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
        """Learner ids by name, including names that would become learners."""
        return learners.foreseen(self.database, names)

    def erased(self, names: Collection[str]) -> set[str]:
        """Which of the names are those of erased learners."""
        return set() if self.database is None else learners.erased(self.database, names)

    def hand_in(self, events: Sequence[Handed]) -> Sequence[Answered]:
        """Judge each event by what is recorded and published already, and by what would be published."""
        found = self._look(events)
        return [
            _MOVED if learner_id in found.moved else [self._judge(learner_id, event, found) for event in some]
            for learner_id, some in events
        ]

    def keep_streak(self, record: StreakRecord) -> bool:
        """Whether the streak would be kept."""
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
            # Whatever its course has become since: recording does not judge stored events again either.
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
        # One file may use two ids of the same step; by either it is the same event.
        body = event.body if made.step == (event.step or "") else under_name(event.body, step=made.step)
        same = self.seen.stands_for(f"{learner_id} {event.id}", body)
        if same is False:
            return Result(event.id, REFUSED, _reused())
        return Result(event.id, RECORDED if same is None else DUPLICATE, flags=flags)


class _Seen(NamedTuple):
    """What a rehearsal reads: stored events, courses in force, and learners who were moved into an account."""

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
