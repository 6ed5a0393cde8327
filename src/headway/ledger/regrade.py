"""Regrading a step: all recorded responses are judged anew by the version in force. Nothing sinks, nothing is revoked.

Learners are gone through some at a time: their responses are graded outside of any transaction, and what comes out
higher is written under their locks. Broken off, it is run again: what was raised is found to be so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import uuid4

from sqlalchemy.engine import Connection

from headway.domain.errors import Busy, HeadwayError
from headway.domain.events import Event, fact_event, read_event
from headway.domain.facts import GRADED as GRADED_FACT
from headway.domain.first_scores import raised_by, sinking
from headway.domain.progress import AttemptGrade, GivenGrade, Scored, StepSum
from headway.domain.recording import GRADED, SERVER
from headway.domain.scores import fraction
from headway.domain.step_status import is_manual
from headway.domain.sums import StepKey
from headway.domain.times import MINUTE, format_time
from headway.graders.registry import grade
from headway.graders.verdict import ResponseInvalid, Verdict
from headway.ledger.by_hand import InForce, carry_out, grade_of, signed, step_in_force, tell
from headway.ledger.effects import Effects, Kept, Update, result_of, updates_of
from headway.ledger.submission import Receipt, StatusChange, Submission
from headway.store import grades, identities, learners, reset_marks, runs, sums
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Entry

LEARNERS_AT_ONCE: Final = 50
ATTEMPTS_A_TRANSACTION: Final = 500
# With responses of 64 KiB each, what is held at once.
RESPONSES_AT_ONCE: Final = 100
_VERSIONS_MAX: Final = 3
# How far servers' clocks may differ.
_CLOCKS: Final = 5 * MINUTE
_NOTE: Final = "Nothing sinks by a regrade, and nothing that was granted is taken back: `kept` is what would have sunk."
_SINKS: Final = "it has no score, and with this one the step would count for less than it does"
_LOWER: Final = "by the version in force it is worth less; a regrade never lowers"
_PASSED: Final = "it passed by the mark of its time, and stays passed"
_UNFIT: Final = "the version in force cannot judge it: "


class NothingToJudge(HeadwayError):
    """The step has no grader that could judge its answers anew."""

    code = "no-grader"


class _AnotherVersion(HeadwayError):
    """Another version was published while this one was judged by."""


class RegradeAsked(NamedTuple):
    """Which step is to be judged anew, and why; `by` is an account, None the operator."""

    course_id: str
    step_id: str
    reason: str
    by: str | None


class _Judged(NamedTuple):
    """A learner's attempt, and what the version in force says of it; its entry without the body."""

    learner_id: str
    entry: Entry
    grade: GivenGrade | None
    verdict: Verdict | HeadwayError

    @property
    def score(self) -> int | None:
        """What it is worth now."""
        return self.entry.score if self.grade is None else self.grade.score

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return bool(self.entry.passed if self.grade is None else self.grade.passed)

    def raised(self, pass_mark: int) -> int | None:
        """The score that it is to have; None where it keeps what it has."""
        judged = self.verdict.score if isinstance(self.verdict, Verdict) else None
        if judged is None:
            return None
        score = self.score
        if score is None or judged > score:
            return judged
        vouched = self.grade is not None or self.entry.trust == GRADED
        passes = judged >= pass_mark and not self.passed
        if (vouched and passes) or (not vouched and judged == score):
            return score
        return None

    def kept(self, pass_mark: int) -> Kept | None:
        """What would have been lower, and stays."""
        if not isinstance(self.verdict, Verdict):
            return Kept(self.learner_id, self.entry.event_id, fraction(self.score), None, _UNFIT + self.verdict.detail)
        judged, score = self.verdict.score, self.score
        if judged is None or score is None or judged > score:
            return None
        why = _LOWER if judged < score else _PASSED if self.passed and judged < pass_mark else None
        said = (self.learner_id, self.entry.event_id, fraction(score), fraction(judged))
        return None if why is None else Kept(*said, why)

    def left_out(self) -> Kept:
        """What has no score and gets none, for its step would sink by it."""
        judged = self.verdict.score if isinstance(self.verdict, Verdict) else None
        return Kept(self.learner_id, self.entry.event_id, None, fraction(judged), _SINKS)


def regrade(
    database: Database,
    catalog: Catalog,
    asked: RegradeAsked,
    *,
    now: Callable[[], int],
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Effects:
    """Judge all responses to a step anew, and tell whose result that changes; run twice, it changes nothing more.

    UnknownCourse, UnknownStep or NothingToJudge where there is nothing to judge; GraderFault where a plugin fails: what
    was raised by then stays so, and a later run goes on.
    """
    raised = _Raised(set(), Effects(_NOTE))
    for _ in range(_VERSIONS_MAX):
        with database.read() as connection:
            found = step_in_force(connection, catalog, asked.course_id, asked.step_id)
        if found.step.grader is None or is_manual(found.step):
            raise NothingToJudge(f"step {found.step.id} is not graded by the server: nothing can judge it anew")
        regrading = _Regrading(database, catalog, asked, found, now, dry_run)
        try:
            return regrading.run(progress, raised)
        except _AnotherVersion:
            # What a dry run raised before was taken back with its transaction.
            raised = raised if dry_run else regrading.raised
    raise Busy("versions of this course are published while it is judged anew; run it again in a moment")


class _Raised(NamedTuple):
    """For whom something changed, and what: committed, whatever version follows."""

    learner_ids: set[str]
    effects: Effects


class _Regrading:
    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        asked: RegradeAsked,
        found: InForce,
        now: Callable[[], int],
        dry_run: bool,
    ) -> None:
        self.database = database
        self.catalog = catalog
        self.asked = asked
        self.found = found
        self.now = now
        self.dry_run = dry_run
        self.raised = _Raised(set(), Effects(_NOTE))
        self.effects = self.raised.effects
        self._raised_before = self.raised.learner_ids
        # Guests whose responses were looked for as those of the account that they are part of.
        self._looked_for: set[str] = set()

    def run(self, progress: Callable[[int], None], raised: _Raised) -> Effects:
        """Go through everybody who began the course, and through those whom guests were moved into meanwhile.

        `raised` is what was changed by the version before.
        """
        self.raised, self.effects = _Raised(set(raised.learner_ids), raised.effects), raised.effects
        self._raised_before = raised.learner_ids
        began, up_to = self.now() - _CLOCKS, ""
        while True:
            with self.database.read() as connection:
                page = runs.page(connection, self.asked.course_id, up_to, LEARNERS_AT_ONCE)
                learner_ids = [learner_id for learner_id, _ in page]
                guests = identities.moved_into(connection, learner_ids)
            if not page:
                break
            owner = {guest.id: account for account, moved in guests.items() for guest in moved}
            self._looked_for.update(owner)
            self._judge_ledgers(owner | {learner_id: learner_id for learner_id in learner_ids})
            up_to = page[-1][0]
            progress(len(page))
        while missed := self._missed(began):
            self._looked_for.update(missed)
            self._judge_ledgers(missed)
        return self.effects

    def _missed(self, since: int) -> dict[str, str]:
        """The accounts of guests who were moved into them when their page had been read, before they had one."""
        with self.database.read() as connection:
            found = grades.moved_since(connection, self.asked.course_id, since)
        return {guest: account for guest, account in found.items() if guest not in self._looked_for}

    def _judge_ledgers(self, owner: Mapping[str, str]) -> None:
        """Judge what lies in these ledgers, each with the learner as whose it counts."""
        with self.database.read() as connection:
            counts = grades.attempts_of(connection, self.asked.course_id, self.found.step.key, set(owner.values()))
        for portion in _portions(counts):
            judged = list(self._judged({one: account for one, account in owner.items() if account in portion}))
            mark = self.found.step.pass_mark
            raised = [one for one in judged if one.raised(mark) is not None]
            told = self._write(raised) if raised else _Told({}, {})
            kept = {learner_id: list(some) for learner_id, some in told.kept.items()}
            for one in judged:
                stays = one.kept(mark)
                if stays is not None:
                    kept.setdefault(one.learner_id, []).append(stays)
            # Whoever sent no response with any attempt has nothing that could be judged.
            for learner_id in dict.fromkeys(one.learner_id for one in judged):
                self._tell(learner_id, told.updates.get(learner_id, ()), kept.get(learner_id, ()))

    def _tell(self, learner_id: str, updates: Sequence[Update], kept: Sequence[Kept]) -> None:
        again = learner_id in self._raised_before
        self.effects = self.effects.with_learner(updates, kept, again=again)
        if updates:
            effects = self.raised.effects.with_learner(updates, (), again=again)
            self.raised.learner_ids.add(learner_id)
            self.raised = self.raised._replace(effects=effects)

    def _write(self, raised: Sequence[_Judged]) -> "_Told":
        work = _Raising(self.catalog, self.asked, self.found, raised, self.now())
        return carry_out(self.database, work, dry_run=self.dry_run)

    def _judged(self, owner: Mapping[str, str]) -> Iterator[_Judged]:
        """The responses in these ledgers with their verdicts; the database is let go of while they are graded."""
        after: tuple[str, int] | None = None
        while True:
            with self.database.read() as connection:
                found, after = self._responses(connection, owner, after)
            for one in found:
                response = read_event(one.entry.event_id, one.entry.body).response
                if response is not None:
                    yield one._replace(entry=one.entry._replace(body=""), verdict=self._verdict(response))
            if after is None:
                return

    def _verdict(self, response: object) -> Verdict | HeadwayError:
        try:
            return grade(self.found.step.grader or {}, response)
        except ResponseInvalid as refusal:
            return refusal.with_traceback(None)

    def _responses(
        self, connection: Connection, owner: Mapping[str, str], after: tuple[str, int] | None
    ) -> tuple[list[_Judged], tuple[str, int] | None]:
        """Some of the attempts that count, and behind which there are more."""
        place = (self.asked.course_id, self.found.step.key)
        page = grades.attempts(connection, place, owner, after, RESPONSES_AT_ONCE)
        pairs = [(owner[one.learner_id], one) for one in page]
        from_guests = [(account, one.event_id) for account, one in pairs if account != one.learner_id]
        brought = grades.brought_ids(connection, from_guests)
        marks = reset_marks.of_learners(connection, owner.values())
        counting = [
            (account, one)
            for account, one in pairs
            if reset_marks.counts(marks.get(account, {}), one, account)
            and (account == one.learner_id or brought.get((account, one.event_id)) == one.learner_id)
        ]
        given = _given(connection, [(account, one.event_id) for account, one in counting])
        found = [_Judged(account, one, given.get((account, one.event_id)), _UNJUDGED) for account, one in counting]
        more = len(page) == RESPONSES_AT_ONCE
        return found, (page[-1].learner_id, page[-1].seq) if more else None


_UNJUDGED: Final = Verdict(None)


def _portions(counts: Mapping[str, int]) -> Iterator[list[str]]:
    """Learners for one transaction each: some, or one with very many attempts."""
    portion: list[str] = []
    attempts = 0
    for learner_id, count in sorted(counts.items()):
        if portion and attempts + count > ATTEMPTS_A_TRANSACTION:
            yield portion
            portion, attempts = [], 0
        portion.append(learner_id)
        attempts += count
    if portion:
        yield portion


def _given(connection: Connection, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], GivenGrade | None]:
    found: Iterable[tuple[str, str, AttemptGrade]] = sums.read(connection, sums.GRADES, wanted)
    return {(learner_id, attempt): one.given for learner_id, attempt, one in found}


class _Told(NamedTuple):
    """What one transaction came to, by learner: what it raised, and what it left out because the step would sink."""

    updates: Mapping[str, list[Update]]
    kept: Mapping[str, list[Kept]]


class _Raising:
    """One transaction of a regrade. Run again after a COMMIT whose answer was lost, it tells the same of its doing."""

    def __init__(
        self, catalog: Catalog, asked: RegradeAsked, found: InForce, judged: Sequence[_Judged], now: int
    ) -> None:
        self.catalog = catalog
        self.asked = asked
        self.found = found
        self.now = now
        self._judged = {str(uuid4()): one for one in judged}
        self._tried = _Told({}, {})

    def __call__(self, connection: Connection, statuses: list[StatusChange]) -> _Told:
        """What came of it for each learner; of whom was moved or erased meanwhile there is nothing."""
        locked = learners.lock(connection, {one.learner_id for one in self._judged.values()})
        here = {one.id for one in locked.values() if one.merged_into is None and one.erased_at is None}
        mine = {entry_id: one for entry_id, one in self._judged.items() if one.learner_id in here}
        given = _given(connection, ((one.learner_id, one.entry.event_id) for one in mine.values()))
        if any(one is not None and one.event_id in self._judged for one in given.values()):
            return self._tried
        now = {
            entry_id: one._replace(grade=given.get((one.learner_id, one.entry.event_id)))
            for entry_id, one in mine.items()
        }
        before = self._steps(connection, now.values())
        left_out = self._sinking(before, now)
        told = self._told(connection, {entry_id: one for entry_id, one in now.items() if entry_id not in left_out})
        receipts = tell(connection, self.catalog, told, statuses)
        if any(one.version != self.found.version for receipt in receipts for one in receipt.results):
            raise _AnotherVersion("another version is in force by now")
        updates = {
            one.learner_id: self._updates(one.learner_id, before, receipt)
            for one, receipt in zip(told, receipts, strict=True)
        }
        kept: dict[str, list[Kept]] = {}
        for entry_id in left_out:
            kept.setdefault(now[entry_id].learner_id, []).append(now[entry_id].left_out())
        self._tried = _Told(updates, kept)
        return self._tried

    def _sinking(self, before: Mapping[tuple[str, StepKey], StepSum], judged: Mapping[str, _Judged]) -> list[str]:
        """The grades among these by which a step would count for less than it does."""
        of_steps: dict[tuple[str, StepKey], dict[str, _Judged]] = {}
        for entry_id, one in judged.items():
            key = StepKey(one.entry.course_id, one.entry.run, one.entry.step_id)
            of_steps.setdefault((one.learner_id, key), {})[entry_id] = one
        return [entry_id for place, some in of_steps.items() for entry_id in self._sinking_of(before[place], some)]

    def _sinking_of(self, known: StepSum, judged: Mapping[str, _Judged]) -> list[str]:
        raised, first = list[StepSum](), list[Scored]()
        for one in judged.values():
            score, place = one.raised(self.found.step.pass_mark), (one.entry.at, one.entry.event_id)
            if score is not None and one.score is None:
                first.append(Scored(*place, score))
            elif score is not None:
                raised.append(raised_by(score, one.score or 0, place))
        attempts = sinking(known, self.found.policy, raised, first)
        return [entry_id for entry_id, one in judged.items() if one.entry.event_id in attempts]

    def _steps(self, connection: Connection, judged: Iterable[_Judged]) -> Mapping[tuple[str, StepKey], StepSum]:
        places = {(one.learner_id, one.entry.course_id, one.entry.run, one.entry.step_id) for one in judged}
        return {(learner_id, key): one for learner_id, key, one in sums.read(connection, sums.STEPS, places)}

    def _told(self, connection: Connection, judged: Mapping[str, _Judged]) -> list[Submission]:
        scores = {entry_id: one.raised(self.found.step.pass_mark) for entry_id, one in judged.items()}
        raised = [(entry_id, score) for entry_id, score in scores.items() if score is not None]
        signature = signed(connection, {}, self.asked.by) if raised else {}
        events: dict[str, list[Event]] = {}
        for entry_id, score in raised:
            one = judged[entry_id]
            said = grade_of(connection, self.catalog, one.entry, one.grade)
            events.setdefault(one.learner_id, []).append(self._event(entry_id, one, said | signature, score))
        return [
            Submission(learner_id, tuple(some), self.now, source=SERVER) for learner_id, some in sorted(events.items())
        ]

    def _event(self, entry_id: str, one: _Judged, said: dict[str, Any], score: int) -> Event:
        said |= {"step": self.found.step.id, "score": score, "reason": self.asked.reason}
        feedback = one.verdict.feedback if isinstance(one.verdict, Verdict) else ""
        said |= {"feedback": feedback} if feedback else {}
        at = self.now if one.grade is None else max(self.now, one.grade.at + 1)
        return fact_event(entry_id, GRADED_FACT, format_time(at), said)

    def _updates(
        self, learner_id: str, before: Mapping[tuple[str, StepKey], StepSum], receipt: Receipt
    ) -> list[Update]:
        updates: list[Update] = []
        changes = receipt.changes
        for touched in receipt.steps:
            was, now = (result_of(one, self.found.policy) for one in (before[learner_id, touched.key], touched.sum))
            updates += updates_of((learner_id, touched.key.run), was, now, changes)
            changes = []
        return updates
