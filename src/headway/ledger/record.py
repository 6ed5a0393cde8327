"""Recording turns events into progress in one fixed order: lock, read, judge, write; the caller commits."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy.engine import Connection

from headway.domain.changes import Change
from headway.domain.errors import Busy, HeadwayError, IdentityGone, IdReused, UnknownCourse
from headway.domain.events import Event
from headway.domain.progress import Contribution, EnrollmentSum, StepSum
from headway.domain.recording import (
    Circumstances,
    Grade,
    contribute,
    effective_at,
    is_ahead,
    is_repeat,
    is_timed_here,
    set_after,
    trust_of,
)
from headway.domain.resets import ResetKey
from headway.domain.sums import StepKey
from headway.domain.times import local_day
from headway.graders.registry import grade, is_plugins
from headway.ledger.achieving import Cause
from headway.ledger.batch import Batch, BatchLearner
from headway.ledger.granting import Granting, StepLocked
from headway.ledger.memory import Memory
from headway.ledger.submission import (
    AHEAD_FLAG,
    CORRECTED_FLAG,
    DUPLICATE,
    LATE_FLAG,
    RECORDED,
    REFUSED,
    GradingOutcome,
    Receipt,
    Result,
    StatusChange,
    Submission,
    TouchedStep,
)
from headway.ledger.writing import entry_of
from headway.store import learners
from headway.store.catalog import Catalog
from headway.store.entries import Entry, Known

Answer: TypeAlias = Receipt | HeadwayError | None
_CONCLUDED: Final = ("course_completed", "certificate_issued", "level_changed", "achievement_unlocked")


def record(
    connection: Connection,
    catalog: Catalog,
    submissions: Sequence[Submission],
    *,
    wait: bool = True,
    tried: Iterable[StatusChange] = (),
    memory: Memory | None = None,
) -> list[Answer]:
    """Record submissions of any learners in one transaction, in a number of statements that does not grow with them.

    An answer is a receipt; or an error, if the whole submission was turned away; or, with wait=False, None: another
    transaction holds the learner, and the submission must be handed in again before any later one of that learner.
    `tried` are the status changes of an earlier try whose COMMIT went unanswered; they are passed on again if that try
    had committed. What the `memory` holds is not read again; after the commit, the caller must have it keep what this
    leaves in it.
    """
    batch = Batch(connection, catalog, memory)
    batch.lock(submissions, wait=wait)
    batch.read_facts(submissions)
    turned_away = [_turned_away(batch, one) for one in submissions]
    admitted = [one for one, refusal in zip(submissions, turned_away, strict=True) if refusal is _ADMITTED]
    recorder = _Recorder(batch)
    weighed = [recorder.weigh(one) for one in admitted]
    batch.read_sums(_contributions(admitted, weighed))
    receipts = map(recorder.judge, admitted, weighed)
    answers: list[Answer] = [next(receipts) if refusal is _ADMITTED else refusal for refusal in turned_away]
    recorder.granting.conclude()
    recorder.write(admitted)
    committed = (one for one in tried if (one.learner_id, one.reason) in recorder.found)
    return _with_statuses(answers, [*committed, *recorder.granting.statuses])


def _with_statuses(answers: list[Answer], statuses: Sequence[StatusChange]) -> list[Answer]:
    """Attach the status changes, to be logged after the commit, to the first receipt, whosever it is."""
    left = list(statuses)
    handed_on = list[Answer]()
    for one in answers:
        if isinstance(one, Receipt) and left:
            handed_on.append(one._replace(statuses=left))
            left = []
        else:
            handed_on.append(one)
    return handed_on


_ADMITTED = HeadwayError("admitted")


def _turned_away(batch: Batch, submission: Submission) -> HeadwayError | None:
    """Return why a submission is not judged at all, _ADMITTED if it is, None if its learner is held elsewhere.

    This is decided by the rows under lock, not by the request's token.
    """
    if submission.token_hash is not None and submission.token_hash not in batch.live_tokens:
        return IdentityGone("the session has ended; sign in again and send the events once more")
    if submission.learner_id in batch.held_elsewhere:
        return None
    locked = batch.locked.get(submission.learner_id)
    if locked is None:
        return IdentityGone("there is no such learner any more; sign in again")
    if not locked.is_alive:
        return IdentityGone("this identity was moved into an account or erased; sign in and send the events as it")
    # Refused as a whole, so that clients keep all of it and send it again: no single event is at fault.
    return next(
        (batch.damaged[event.course] for event in submission.events if event.course in batch.damaged), _ADMITTED
    )


def admit(batch: Batch, submission: Submission) -> None:
    """Raise the reason if a submission is not to be judged at all. Its learner was locked with wait=True."""
    refusal = _turned_away(batch, submission)
    if refusal is not None and refusal is not _ADMITTED:
        raise refusal


# What an event would contribute, or why it is refused; None where its id is known already.
_Verdict: TypeAlias = Contribution | HeadwayError | None


def _contributions(
    admitted: Sequence[Submission], weighed: Sequence[Sequence[_Verdict]]
) -> list[tuple[str, Contribution]]:
    pairs = zip(admitted, weighed, strict=True)
    return [(one.learner_id, made) for one, verdicts in pairs for made in verdicts if isinstance(made, Contribution)]


class _Recorder:
    """Judges the events of a batch one by one, and gathers what is to be written."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.granting = Granting(batch)
        self.answered: set[tuple[str, str]] = set()
        # Events that were recorded by an earlier try whose COMMIT went unanswered.
        self.found: set[tuple[str, str]] = set()
        # Cached by submission (and course), because there may be many more events.
        self._circumstances: dict[tuple[int, str], Circumstances] = {}
        self._todays: dict[int, str] = {}

    def weigh(self, submission: Submission) -> list[_Verdict]:
        """Return what each event that is not known yet would contribute, which says which sums must be read.

        An id may occur twice in a batch, with different content or times: each occurrence has a verdict of its own.
        """
        learner = self.batch.learners[submission.learner_id]
        return [
            None if event.id in learner.known else self._weigh(submission, event, learner)
            for event in submission.events
        ]

    def _weigh(self, submission: Submission, event: Event, learner: BatchLearner) -> Contribution | HeadwayError:
        if event.course not in self.batch.courses:
            return UnknownCourse(f"there is no course {event.course!r}", field="course")
        version, course = self.batch.courses[event.course]
        try:
            grade_of = (
                score_of if event.response is None else _as_judged(submission.verdicts.get((version, event.body)))
            )
            return contribute(event, self._known(submission, learner, event.course), course, grade_of)
        except HeadwayError as refusal:
            return refusal

    def judge(self, submission: Submission, verdicts: Sequence[_Verdict]) -> Receipt:
        """Judge a submission's events in order of time; answer in the order of the request."""
        learner = self.batch.learners[submission.learner_id]
        results: dict[int, Result] = {}
        told: list[Change] = []
        touched: dict[StepKey, None] = {}
        for n in _in_order_of_time(submission):
            results[n], key, changes = self._judge(submission, learner, submission.events[n], verdicts[n])
            told += changes
            if key is not None:
                touched[key] = None
        ordered = [results[n] for n in range(len(submission.events))]
        told += self._concluded_before(learner, submission)
        self.granting.tell_in(learner, told)
        self.batch.achieving.tell_in(learner.id, told)
        return Receipt(ordered, [self._touched(learner, key) for key in touched], told)

    def _judge(
        self, submission: Submission, learner: BatchLearner, event: Event, verdict: _Verdict
    ) -> tuple[Result, StepKey | None, list[Change]]:
        known = learner.known.get(event.id)
        if known is not None:
            return self._repeated(submission, learner, event, known)
        if not isinstance(verdict, Contribution):
            return Result(event.id, REFUSED, verdict), None, []
        try:
            answer = self._record(submission, learner, event, verdict)
        except StepLocked as refusal:
            return Result(event.id, REFUSED, refusal), None, []
        self.answered.add((learner.id, event.id))
        return answer

    def _repeated(
        self, submission: Submission, learner: BatchLearner, event: Event, known: Known | Entry
    ) -> tuple[Result, StepKey | None, list[Change]]:
        """Answer an event whose id is known: a repeat, an id reused for other content, or this very submission.

        The last is a batch that is run again because its COMMIT went unanswered: the answer must be the lost one.
        """
        _, course = self.batch.courses.get(event.course, (0, None))
        if not is_repeat(event, known.body, known.step_id, course):
            problem = IdReused("this id was used for another event; make a new UUID for each event", field="id")
            return Result(event.id, REFUSED, problem), None, []
        run = known.run if event.fact else learner.standing.sums.current_run(known.course_id)
        key = StepKey(known.course_id, run, known.step_id) if known.step_id else None
        is_lost_answer = known.received_at == submission.received_at and (learner.id, event.id) not in self.answered
        own = is_lost_answer and event.id not in learner.brought
        self.answered.add((learner.id, event.id))
        if own:
            self.found.add((learner.id, event.id))
        changes: list[Change] = json.loads(known.changes) if own and known.changes else []
        caused = self.batch.caused.get((learner.id, event.id), []) if own else []
        changes += (change for change in caused if change["type"] not in _CONCLUDED)
        status = RECORDED if own else DUPLICATE
        flags, passed = self._flags(submission, learner, event, known), bool(known.passed)
        # The clock of a repeat has no bearing on the times that are stored.
        flags = flags if own else tuple(one for one in flags if one != CORRECTED_FLAG)
        return Result(event.id, status, None, flags, known.score, passed, known.version), key, changes

    def _flags(
        self, submission: Submission, learner: BatchLearner, event: Event, known: Known | Entry
    ) -> tuple[str, ...]:
        """Return the flags of a known event, among them that it no longer counts since a reset."""
        resets, flags = learner.standing.sums.resets, _flags(submission, event)
        mark = resets.get(ResetKey("", known.course_id, known.run)) if known.step_id else None
        if mark is None or event.id in learner.brought:
            return flags
        at = effective_at(event, self._known(submission, learner, event.course))
        return (*flags, LATE_FLAG) if at <= mark.up_to else flags

    def _concluded_before(self, learner: BatchLearner, submission: Submission) -> Iterator[Change]:
        """Yield what the lost answer told of courses and achievements, which came after all else."""
        for n in _in_order_of_time(submission):
            place = (learner.id, submission.events[n].id)
            if place in self.found:
                yield from (change for change in self.batch.caused.pop(place, ()) if change["type"] in _CONCLUDED)

    def _record(
        self, submission: Submission, learner: BatchLearner, event: Event, made: Contribution
    ) -> tuple[Result, StepKey | None, list[Change]]:
        version, course = self.batch.courses[event.course]
        known = self._known(submission, learner, event.course)
        if is_timed_here(event):
            known = set_after(known, learner.standing.sums.enrollments.get(event.course, EnrollmentSum()))
            made = contribute(event, known, course, score_of)
        step = None if event.step is None else course.step(event.step)
        today = self._today(submission, learner)
        # A late event, from before a reset, is recorded even if its step is locked now, and brings nothing about.
        is_late = learner.standing.is_late(made)
        before = self.granting.look(learner, made)
        if step is not None and not is_late:
            self.granting.check_open(learner, made, known.source, course)
        name = step.id if step else ""
        changes = learner.standing.apply(made, name=name, today=today, rules=known.rules)
        learner.head += 1
        entry = entry_of((learner.id, learner.head), event, known, made, trust_of(event, known.source, step), changes)
        self.batch.appended.append(entry)
        learner.known[event.id] = entry
        self.batch.achieving.causes[learner.id] = Cause(event.id, made.at, submission.received_at, made.day)
        if step is not None and not is_late:
            changes = changes + self.granting.after(learner, made, known, course, before)
        key = StepKey(made.course, made.run, made.step) if step else None
        flags = (*_flags(submission, event), *((LATE_FLAG,) if is_late else ()))
        return Result(event.id, RECORDED, None, flags, made.score, made.passed, version), key, changes

    def _known(self, submission: Submission, learner: BatchLearner, course_id: str) -> Circumstances:
        place = (id(submission), course_id)
        if place not in self._circumstances:
            said = (submission.received_at, submission.clock_skew, learner.time_zone, submission.source)
            version, _ = self.batch.courses[course_id]
            run = learner.standing.sums.current_run(course_id)
            self._circumstances[place] = Circumstances(*said, version, run, submission.streak_rules)
        return self._circumstances[place]

    def _today(self, submission: Submission, learner: BatchLearner) -> str:
        if id(submission) not in self._todays:
            self._todays[id(submission)] = local_day(submission.received_at, learner.time_zone)
        return self._todays[id(submission)]

    def _touched(self, learner: BatchLearner, key: StepKey) -> TouchedStep:
        _, course = self.batch.courses[key.course]
        return TouchedStep.of(course, key, learner.standing.sums.steps.get(key) or StepSum())

    def write(self, admitted: Sequence[Submission]) -> None:
        """Write newcomers, entries and changed sums, each table in order of key."""
        active = {entry.learner_id for entry in self.batch.appended}
        new = [one.newcomer for one in admitted if one.newcomer is not None and one.learner_id in active]
        learners.add(self.batch.connection, *(one.learner for one in new))
        learners.add_sessions(self.batch.connection, *(one.session for one in new))
        self.batch.write()


def _flags(submission: Submission, event: Event) -> tuple[str, ...]:
    if is_ahead(event, submission.received_at, submission.clock_skew):
        return (AHEAD_FLAG,)
    return (CORRECTED_FLAG,) if submission.clock_skew and event.occurred_at is not None else ()


def _in_order_of_time(submission: Submission) -> Iterable[int]:
    """Return the indexes of a submission's events in order of time; at equal times in order of the request."""
    times = [submission.received_at if one.occurred_at is None else one.occurred_at for one in submission.events]
    return sorted(range(len(times)), key=times.__getitem__)


def score_of(config: Mapping[str, Any], response: Any) -> int | None:
    """A grader's score for an answer, in millionths; None where a person is to give it."""
    return grade(config, response).score


def _score_here(config: Mapping[str, Any], response: Any) -> int | None:
    """As `score_of`, for built-in graders; raise Busy for a plugin, which could hang and hold up every learner."""
    if is_plugins(config):
        raise Busy("the course was published anew while this response was graded; send it again in a moment")
    return score_of(config, response)


def _as_judged(judged: GradingOutcome | None) -> Grade:
    """Return a grader that gives an answer the score it was given beforehand; else ask a built-in grader."""
    if judged is None:
        return _score_here

    def known(*_: Any) -> int | None:
        if isinstance(judged, HeadwayError):
            raise judged.with_traceback(None)
        return judged.score

    return known
