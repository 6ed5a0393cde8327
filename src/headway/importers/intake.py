"""From records to the ledger: items are read in windows, sorted by learner, and handed in some hundreds at a time."""

import gc
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from headway.domain.errors import HeadwayError, IdentityGone
from headway.domain.recording import ERASED
from headway.importers.desks import EVENTS_A_TRANSACTION, Answered, Desk, PublishedCourse
from headway.importers.records import (
    Doubted,
    Importer,
    ImportFailed,
    Item,
    LeftOut,
    Location,
    Read,
    Record,
    Reject,
    Streak,
)
from headway.ledger.ahead import ahead
from headway.ledger.enlist import derived_id
from headway.ledger.keep_streaks import StreakRecord
from headway.ledger.submission import AHEAD_FLAG, DUPLICATE, RECORDED
from headway.store.tally import Tally

ITEMS_A_WINDOW: Final = 20_000
CHARACTERS_A_WINDOW: Final = 32 * 1024 * 1024
REJECTS_KEPT: Final = 1_000

# Called for each record that was refused or doubted, while records are read.
Rejected: TypeAlias = Callable[[Reject | Doubted], None]


@dataclass
class Summary:
    """The outcome of an import, or what a dry run says it would be; `read` and `left_out` count records, not events."""

    read: int = 0
    recorded: int = 0
    duplicates: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    courses: list[PublishedCourse] = field(default_factory=list)
    learners: int = 0
    enrollments: int = 0
    rejects: list[Reject] = field(default_factory=list)
    streaks: int = 0
    doubted: Counter[str] = field(default_factory=Counter)
    doubts: list[Doubted] = field(default_factory=list)

    @property
    def fruitless(self) -> bool:
        """Whether records were refused, and none taken."""
        return bool(self.refused) and not self.recorded and not self.duplicates and not self.streaks


class Intake:
    """An import in progress."""

    def __init__(self, desk: Desk, named: Tally, rejected: Rejected, *, alone: bool = True) -> None:
        # Whether the process does nothing else: a server must not go without garbage collection.
        self.alone = alone
        self.desk = desk
        self.named = named
        self.rejected = rejected
        self.summary = Summary()
        self._place: Location | None = None

    def run(self, importer: Importer, read: Read) -> Summary:
        """Take in everything; what an earlier run has taken counts as duplicate."""
        self.summary.courses = [self.desk.publish(manifest) for manifest in importer.manifests()]
        with _garbage_left() if self.alone else nullcontext():
            windows = _windows(importer.items(read))
            # Read ahead while the database works; not from a pipe, because a thread waiting for it could not be
            # stopped.
            with closing(windows if importer.size is None else ahead(windows)) as found:
                for window in found:
                    self._take([*self._counted(window)])
                    gc.collect()
        self.summary.learners = self.named.distinct
        return self.summary

    def _counted(self, items: Iterable[Item]) -> Iterator[Record]:
        """The records among the items; all other items are handled and counted here."""
        for item in items:
            # Places are compared by identity, because a file may hold many records on one line.
            self.summary.read += item.place is not self._place
            self._place = item.place
            if isinstance(item, Record):
                yield item
            elif isinstance(item, Doubted):
                self._doubt(item)
            elif isinstance(item, Streak):
                self._keep(item)
            elif isinstance(item, LeftOut):
                self.summary.left_out[item.why] += 1
            else:
                self._reject(item)

    def _take(self, window: Sequence[Record]) -> None:
        known = self.desk.learners({record.learner for record in window})
        for one in known.values():
            self.named.count(one)
        gone = self.desk.erased({record.learner for record in window} - known.keys())
        of: dict[str, list[Record]] = {}
        for record in window:
            learner_id = known.get(record.learner)
            if record.learner in gone:
                self.summary.left_out[ERASED] += 1
            elif learner_id is None:
                said = f"there is no learner {record.learner}; a UUID must be that of a learner who is known"
                self._reject(Reject(record.place, "unknown-learner", said))
            else:
                of.setdefault(learner_id, []).append(record)
        portions = list(_portions(of))
        answers = self.desk.hand_in([(learner_id, [one.event for one in some]) for learner_id, some in portions])
        for (_, records), answered in zip(portions, answers, strict=True):
            if isinstance(answered, IdentityGone) and self.desk.erased({one.learner for one in records}):
                self.summary.left_out[ERASED] += len(records)  # while this was being imported
            else:
                self._count(records, answered)

    def _count(self, records: Sequence[Record], answered: Answered) -> None:
        if isinstance(answered, HeadwayError):
            for record in records:
                self._reject(Reject.of(record.place, answered))
            return
        for record, result in zip(records, answered, strict=True):
            if result.problem is not None:
                self._reject(Reject.of(record.place, result.problem))
                continue
            if AHEAD_FLAG in result.flags:
                said = "its time is still to come: it counts as of when it was first imported"
                self._doubt(Doubted(record.place, AHEAD_FLAG, said))
            self.summary.recorded += result.status == RECORDED
            self.summary.duplicates += result.status == DUPLICATE
            self.summary.enrollments += record.event.type == "enrolled"

    def _keep(self, item: Streak) -> None:
        learner_id = self.desk.learners({item.learner}).get(item.learner)
        if learner_id is None:
            self.summary.left_out[ERASED] += 1
            return
        self.named.count(learner_id)
        event_id = derived_id("json-files", "streak", item.learner, item.longest)
        if self.desk.keep_streak(StreakRecord(learner_id, event_id, item.longest)):
            self.summary.streaks += 1
        else:
            self.summary.duplicates += 1

    def _doubt(self, doubt: Doubted) -> None:
        self.summary.doubted[doubt.reason] += 1
        if len(self.summary.doubts) < REJECTS_KEPT:
            self.summary.doubts.append(doubt)
        self.rejected(doubt)

    def _reject(self, reject: Reject) -> None:
        self.summary.refused[reject.reason] += 1
        if len(self.summary.rejects) < REJECTS_KEPT:
            self.summary.rejects.append(reject)
        self.rejected(reject)


@contextmanager
def _garbage_left() -> Iterator[None]:
    """Stop automatic garbage collection: with a window of records, all in use, it takes a fifth of the time."""
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _windows(items: Iterable[Item]) -> Generator[list[Item], None, None]:
    """Items in lists of some thousand, or fewer where they are large (by the length of events' bodies).

    Where the file is damaged, the items before the damage are yielded before the error is raised.
    """
    window: list[Item] = []
    characters = 0
    try:
        for item in items:
            window.append(item)
            characters += len(item.event.body) if isinstance(item, Record) else 0
            if len(window) >= ITEMS_A_WINDOW or characters >= CHARACTERS_A_WINDOW:
                yield window
                window, characters = [], 0
    except ImportFailed:
        yield window
        raise
    if window:
        yield window


def _portions(of: dict[str, list[Record]]) -> Iterator[tuple[str, Sequence[Record]]]:
    """The records of each learner, in order of learner's id, in portions no larger than a transaction."""
    for learner_id in sorted(of):
        records = of[learner_id]
        for start in range(0, len(records), EVENTS_A_TRANSACTION):
            yield learner_id, records[start : start + EVENTS_A_TRANSACTION]
