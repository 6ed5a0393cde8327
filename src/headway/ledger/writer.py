"""Group commit: one thread records all waiting submissions in one transaction, and answers after the commit."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from threading import Condition, Thread
from typing import NamedTuple, TypeAlias

import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from headway.domain.errors import Busy, HeadwayError, Invalid, Unavailable
from headway.ledger.commit import commit
from headway.ledger.memory import AGE_MAX_S, Memory
from headway.ledger.submission import RECORDED, REFUSED, Receipt, Result, Submission
from headway.store.catalog import Catalog, CourseDamaged
from headway.store.database import CommitFailed, Database, is_fault_of_data, told

log = structlog.get_logger()

EVENTS_A_TRANSACTION = 512
EVENTS_WAITING_MAX = 20_000
LOCKED_PAUSE_S = 0.005
LOCKED_PATIENCE_S = 5.0
PROBES_A_TRANSACTION = 64
_LOCKED = "another transaction has held this learner for long; nothing was saved, send the events again in a moment"

Outcome: TypeAlias = Receipt | HeadwayError
Answered: TypeAlias = Callable[[Sequence[tuple["Waiting", Outcome]]], None]


class Waiting(NamedTuple):
    """A submission in the queue; `reply` identifies the request to the caller."""

    submission: Submission
    reply: object
    since: float


class Writer:
    """The one writer of a process. `answered` is called from its thread with all outcomes of a transaction at once."""

    def __init__(self, database: Database, catalog: Catalog, answered: Answered) -> None:
        self.database = database
        self.catalog = catalog
        self.answered = answered
        self.commits = 0
        self._memory = Memory()
        self._queue: deque[Waiting] = deque()
        self._held: dict[str, deque[Waiting]] = {}
        self._waiting_events = 0
        self._changed = Condition()
        self._stopping = False
        self._thread = Thread(target=self._run, name="headway-writer", daemon=True)

    def start(self) -> None:
        """Start the writer's thread."""
        self._thread.start()

    def stop(self) -> None:
        """Accept nothing more, write and answer what waits, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    @property
    def waiting_events(self) -> int:
        """The number of events waiting to be written."""
        return self._waiting_events

    @property
    def waits_since(self) -> float | None:
        """When the oldest submission still in the queue was submitted, by the monotonic clock; None if empty."""
        with self._changed:
            return self._queue[0].since if self._queue else None

    def submit(self, submission: Submission, reply: object) -> None:
        """Put a submission into the queue; Busy if too many events wait already, Unavailable when stopping."""
        with self._changed:
            if self._stopping:
                raise Unavailable("the server is stopping; send the events again in a moment", retry_after_s=2)
            if self._waiting_events + len(submission.events) > EVENTS_WAITING_MAX:
                raise Busy("more events are waiting than can be written soon; send these again in a moment")
            self._queue.append(Waiting(submission, reply, time.monotonic()))
            self._waiting_events += len(submission.events)
            self._changed.notify()

    def _run(self) -> None:
        while batch := self._take():
            self._settle(*self._survive(batch))

    def _survive(self, batch: Sequence[Waiting]) -> tuple[list[tuple[Waiting, Outcome]], list[Waiting]]:
        """Write a batch.

        A defect must neither end the only thread that writes, nor fail submissions beside the one that caused it.
        """
        try:
            return self._write(batch)
        except Exception as error:
            if len(batch) == 1 and isinstance(error, CourseDamaged):
                log.error("course_damaged", detail=error.detail)  # noqa: TRY400  # the detail says all: it is no defect
                return [(batch[0], error)], []
            if len(batch) == 1:
                log.exception("writer_defect")
                return _all_fail(batch, error), []
        middle = len(batch) // 2
        (outcomes, busy), (more_outcomes, more_busy) = map(self._survive, (batch[:middle], batch[middle:]))
        return outcomes + more_outcomes, busy + more_busy

    def _take(self) -> list[Waiting]:
        """Return the next batch, up to a transaction's size; wait while there is nothing; empty when stopped and done.

        Of a learner whom another transaction held, one submission is tried; the others stay behind it, in order.
        """
        with self._changed:
            while not self._queue and not self._held and not self._stopping:
                if not self._changed.wait(AGE_MAX_S):
                    self._memory.forget(time.monotonic())
            batch = [behind.popleft() for behind in list(self._held.values())[:PROBES_A_TRANSACTION]]
            size = sum(len(one.submission.events) for one in batch)
            while self._queue and (not batch or size + len(self._queue[0].submission.events) <= EVENTS_A_TRANSACTION):
                one = self._queue.popleft()
                if one.submission.learner_id in self._held:
                    self._held[one.submission.learner_id].append(one)
                else:
                    batch.append(one)
                    size += len(one.submission.events)
            return batch

    def _settle(self, outcomes: Sequence[tuple[Waiting, Outcome]], busy: Sequence[Waiting]) -> None:
        """Answer the outcomes; keep aside, in order, the submissions whose learners were locked elsewhere."""
        with self._changed:
            for one in reversed(busy):
                self._held.setdefault(one.submission.learner_id, deque()).appendleft(one)
            held = {one.submission.learner_id for one in busy}
            for free in self._held.keys() & {one.submission.learner_id for one, _ in outcomes} - held:
                self._queue.extendleft(reversed(self._held.pop(free)))
            self._waiting_events -= sum(len(one.submission.events) for one, _ in outcomes)
        try:
            self.answered(outcomes)
        except Exception:  # the client may be gone; the waiting events must be written all the same
            log.exception("answers_not_taken")
        if busy and not outcomes:
            time.sleep(LOCKED_PAUSE_S)

    def _write(self, batch: Sequence[Waiting]) -> tuple[list[tuple[Waiting, Outcome]], list[Waiting]]:
        try:
            answers = commit(
                self.database, self.catalog, [one.submission for one in batch], wait=False, memory=self._memory
            )
            self.commits += 1
        except DBAPIError as error:
            if is_fault_of_data(error):
                return self._isolate(batch, error), []
            return _all_fail(batch, error), []
        except (SQLAlchemyError, CommitFailed, OSError) as error:
            return _all_fail(batch, error), []
        outcomes: list[tuple[Waiting, Outcome]] = []
        busy: list[Waiting] = []
        now = time.monotonic()
        for one, answer in zip(batch, answers, strict=True):
            if answer is not None:
                outcomes.append((one, answer))
            elif now - one.since < LOCKED_PATIENCE_S:
                busy.append(one)
            else:
                outcomes.append((one, Unavailable(_LOCKED, retry_after_s=2)))
        return outcomes, busy

    def _isolate(self, batch: Sequence[Waiting], error: DBAPIError) -> list[tuple[Waiting, Outcome]]:
        """Refuse only the event that the database refuses: each half of the batch is tried by itself."""
        if len(batch) > 1:
            middle = len(batch) // 2
            return [pair for half in (batch[:middle], batch[middle:]) for pair in self._write_apart(half)]
        one = batch[0]
        if len(one.submission.events) > 1:
            return [(one, self._split(one))]
        log.error("event_refused_by_database", event_id=one.submission.events[0].id, error=told(error))
        problem = Invalid("the database cannot hold this event; the server's log says why", field="id")
        return [(one, Receipt([Result(one.submission.events[0].id, REFUSED, problem)], [], []))]

    def _write_apart(self, batch: Sequence[Waiting]) -> list[tuple[Waiting, Outcome]]:
        outcomes, busy = self._write([one._replace(since=0) for one in batch])
        return outcomes + [pair for one in busy for pair in _all_fail([one], None)]

    def _split(self, one: Waiting) -> Outcome:
        """The outcome of a submission whose halves are recorded apart; its events keep their order."""
        events, rest = one.submission.events, one.submission
        parts: list[Outcome] = []
        for half in (events[: len(events) // 2], events[len(events) // 2 :]):
            parts += [
                outcome for _, outcome in self._write_apart([one._replace(submission=rest._replace(events=half))])
            ]
            if any(isinstance(part, Receipt) and _recorded(part) for part in parts):
                rest = rest._replace(newcomer=None)  # the first half made the guest
        refusal = next((part for part in parts if isinstance(part, HeadwayError)), None)
        if refusal is not None:
            return refusal
        return _joined([part for part in parts if isinstance(part, Receipt)])


def _recorded(receipt: Receipt) -> bool:
    return any(result.status == RECORDED for result in receipt.results)


def _joined(parts: Iterable[Receipt]) -> Receipt:
    whole = Receipt([], [], [])
    for part in parts:
        whole.results.extend(part.results)
        whole.steps.extend(part.steps)
        whole.changes.extend(part.changes)
    latest = {touched.key: touched for touched in whole.steps}
    return whole._replace(steps=list(latest.values()))


def _all_fail(batch: Sequence[Waiting], error: Exception | None) -> list[tuple[Waiting, Outcome]]:
    log.error("transaction_failed", error=told(error) if error else None, submissions=len(batch))
    outcome = Unavailable("nothing of this request is known to be saved; send it again in a moment", retry_after_s=2)
    return [(one, outcome) for one in batch]
