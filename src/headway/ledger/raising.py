"""Write what a regrade raises, under the learners' locks; a learner's many attempts are written in portions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import uuid4

from sqlalchemy.engine import Connection

from headway.domain.course import Policy
from headway.domain.errors import Busy, HeadwayError
from headway.domain.events import Event, fact_event
from headway.domain.facts import GRADED as GRADED_FACT
from headway.domain.facts import Graded
from headway.domain.first_scores import Move, Way, added_by, one_by_one, sinks, way
from headway.domain.progress import AttemptGrade, Contribution, GivenGrade, Scored, StepSum
from headway.domain.recording import GRADED, SERVER
from headway.domain.scores import fraction
from headway.domain.sums import StepKey
from headway.domain.times import format_time
from headway.graders.verdict import Verdict
from headway.ledger.by_hand import InForce, carry_out, grade_of, signed, tell
from headway.ledger.effects import KeptScore, Update, merged, result_of, updates_of
from headway.ledger.portions import portions
from headway.ledger.submission import Receipt, StatusChange, Submission
from headway.store import learners, sums
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Entry

ATTEMPTS_A_TRANSACTION: Final = 500
# How often recording by a learner may make the rest be worked out anew.
_WAYS_MAX: Final = 10
_SINKS: Final = "it has no score, and with this one the step would count for less than it does"
_LOWER: Final = "by the version in force it is worth less; a regrade never lowers"
_PASSED: Final = "it passed by the mark of its time, and stays passed"
_UNFIT: Final = "the version in force cannot judge it: "


class AnotherVersion(HeadwayError):
    """Another version was published while attempts were judged by this one."""


class _Overtaken(Exception):
    """Something was recorded meanwhile, and giving the scores in this order would lower the step."""


class Why(NamedTuple):
    """Why a step is regraded; `by` is an account, None the operator."""

    reason: str
    by: str | None


class JudgedAttempt(NamedTuple):
    """A learner's attempt (its entry without the body), the grade it has, and the verdict of the version in force."""

    learner_id: str
    entry: Entry
    grade: GivenGrade | None
    verdict: Verdict | HeadwayError

    @property
    def score(self) -> int | None:
        """The score that the attempt has now, in millionths."""
        return self.entry.score if self.grade is None else self.grade.score

    @property
    def passed(self) -> bool:
        """Whether the attempt passed."""
        return bool(self.entry.passed if self.grade is None else self.grade.passed)

    @property
    def place(self) -> tuple[str, StepKey]:
        """The learner, and the step in its run."""
        return self.learner_id, StepKey(self.entry.course_id, self.entry.run, self.entry.step_id)

    def raised(self, pass_mark: int) -> int | None:
        """Return the score that the attempt is to have (millionths); None if it keeps what it has."""
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

    def move(self, pass_mark: int) -> Move | None:
        """Return how raising the attempt moves its step; None if it keeps what it has."""
        score = self.raised(pass_mark)
        return None if score is None else Move(Scored(self.entry.at, self.entry.event_id, score), self.score)

    def adds(self, pass_mark: int) -> StepSum:
        """Return what raising the attempt adds to its step's sum, apart from the completion."""
        one, score = self.entry, self.raised(pass_mark) or 0
        waited = self.grade is None and one.score is None and one.trust == GRADED
        fact = Graded(one.event_id, one.at, one.day, self.score, self.passed, waited)
        place, passes = (one.course_id, one.run, one.step_id, one.version), self.passes(pass_mark)
        said = Contribution(
            "", GRADED_FACT, *place, one.at, one.day, score, passes, 0, 0, (), is_graded=True, fact=fact
        )
        return StepSum.of(said)._replace(completion=None)

    def passes(self, pass_mark: int) -> bool:
        """Return whether the attempt passes once it is raised."""
        return self.passed or (self.raised(pass_mark) or 0) >= pass_mark

    def kept(self, pass_mark: int) -> KeptScore | None:
        """Return the result that stays although the verdict is lower or impossible; None if there is none."""
        if not isinstance(self.verdict, Verdict):
            return KeptScore(
                self.learner_id, self.entry.event_id, fraction(self.score), None, _UNFIT + self.verdict.detail
            )
        judged, score = self.verdict.score, self.score
        if judged is None or score is None or judged > score:
            return None
        why = _LOWER if judged < score else _PASSED if self.passed and judged < pass_mark else None
        said = (self.learner_id, self.entry.event_id, fraction(score), fraction(judged))
        return None if why is None else KeptScore(*said, why)

    def left_out(self) -> KeptScore:
        """Return the record of an attempt that gets no score, because its step would count for less."""
        judged = self.verdict.score if isinstance(self.verdict, Verdict) else None
        return KeptScore(self.learner_id, self.entry.event_id, None, fraction(judged), _SINKS)


class Raised(NamedTuple):
    """The effects by learner: what was raised, and which scores were kept or left out because the step would sink."""

    updates: Mapping[str, list[Update]]
    kept: Mapping[str, list[KeptScore]]

    def __add__(self, other: "Raised") -> "Raised":  # type: ignore[override]  # a sum, not a longer tuple
        """Join the effects of both; figures that changed twice become one update."""
        updates, kept = dict(self.updates), dict(self.kept)
        for learner_id, some in other.updates.items():
            updates[learner_id] = merged([*updates.get(learner_id, ()), *some])
        for learner_id, stays in other.kept.items():
            kept[learner_id] = [*kept.get(learner_id, ()), *stays]
        return Raised(updates, kept)


NOTHING: Final = Raised({}, {})
# Chooses, of the attempts to be raised on a step, those that are given their scores, and their order.
_Choice: TypeAlias = Callable[[Policy, StepSum, Sequence[Move]], list[Move]]


class Raiser:
    """Gives attempts the scores that they are judged to be worth, where those are higher."""

    def __init__(
        self, database: Database, catalog: Catalog, found: InForce, why: Why, now: Callable[[], int], dry_run: bool
    ) -> None:
        self.catalog = catalog
        self.found = found
        self.why = why
        self.now = now
        self._database = database
        self._dry_run = dry_run
        self._mark = found.step.pass_mark

    def write(self, judged: Iterable[JudgedAttempt]) -> Iterator[Raised]:
        """Raise what is to be raised, and yield the effects after each commit.

        Raise AnotherVersion if another version is in force by now.
        """
        raised = [one for one in judged if one.raised(self._mark) is not None]
        if len(raised) <= ATTEMPTS_A_TRANSACTION:
            if raised:
                yield self._commit(raised, _by_way)
            return
        of_steps: dict[tuple[str, StepKey], list[JudgedAttempt]] = {}
        for one in raised:
            of_steps.setdefault(one.place, []).append(one)
        for some in of_steps.values():
            yield from self._some_at_a_time(some)

    def _commit(self, judged: Sequence[JudgedAttempt], choice: _Choice, assumed: StepSum | None = None) -> Raised:
        return carry_out(self._database, _Raising(self, judged, choice, assumed), dry_run=self._dry_run)

    def _some_at_a_time(self, judged: Sequence[JudgedAttempt]) -> Iterator[Raised]:
        """Raise a learner's attempts at one step in portions. Broken off and begun anew, it ends the same."""
        left = {one.entry.event_id: one for one in judged}
        for _ in range(_WAYS_MAX):
            left, found = self._way(judged[0].place, left)
            try:
                yield from self._rehearsed(left, found) if self._dry_run else self._walked(left, found)
            except _Overtaken:
                continue
            if found.left_out:
                yield Raised({}, {judged[0].learner_id: [left[one.name].left_out() for one in found.left_out]})
            return
        raise Busy("a learner goes on beside it all the time; run it again in a moment")

    def _way(
        self, place: tuple[str, StepKey], judged: Mapping[str, JudgedAttempt]
    ) -> tuple[dict[str, JudgedAttempt], Way]:
        """Return the attempts that are to be raised as things stand now, and the order to do it in."""
        learner_id, _ = place
        with self._database.read() as connection:
            known = steps_of(connection, [place]).get(place, StepSum())
            given = given_to(connection, [(learner_id, attempt) for attempt in judged])
        now = {name: one._replace(grade=given.get((learner_id, name))) for name, one in judged.items()}
        moves = {name: move for name, one in now.items() if (move := one.move(self._mark)) is not None}
        return {name: now[name] for name in moves}, way(known, self.found.policy, list(moves.values()))

    def _walked(self, left: dict[str, JudgedAttempt], found: Way) -> Iterator[Raised]:
        """Raise portion by portion; attempts that are raised are removed from `left`."""
        parts = list(portions(found.moves, lambda _: 1, ATTEMPTS_A_TRANSACTION))
        behind = [added_by(moves) for moves in parts]
        rests = list(accumulate(reversed(behind[1:]), initial=StepSum()))[::-1]
        for moves, rest in zip(parts, rests, strict=False):
            choice = partial(_all_or_overtaken, rest) if found.is_whole else _one_by_one
            told = self._commit([left[one.name] for one in moves], choice)
            for one in moves:
                del left[one.name]
            yield told

    def _rehearsed(self, left: Mapping[str, JudgedAttempt], found: Way) -> Iterator[Raised]:
        """Raise one attempt as if all others were raised: the one that completes the step, if any does."""
        if not found.moves:
            return
        one, *others = sorted((left[move.name] for move in found.moves), key=self._completes_first)
        yield self._commit([one], _all, sum((other.adds(self._mark) for other in others), StepSum()))

    def _completes_first(self, one: JudgedAttempt) -> tuple[bool, int, str]:
        return not one.passes(self._mark), one.entry.at, one.entry.event_id


def _by_way(policy: Policy, known: StepSum, moves: Sequence[Move]) -> list[Move]:
    return way(known, policy, moves).moves


def _one_by_one(policy: Policy, known: StepSum, moves: Sequence[Move]) -> list[Move]:
    return one_by_one(known, policy, moves).moves


def _all_or_overtaken(rest: StepSum, policy: Policy, known: StepSum, moves: Sequence[Move]) -> list[Move]:
    if sinks(known, policy, added_by(moves) + rest):
        raise _Overtaken
    return list(moves)


def _all(_policy: Policy, _known: StepSum, moves: Sequence[Move]) -> list[Move]:
    return list(moves)


def given_to(connection: Connection, attempts: Iterable[tuple[str, str]]) -> dict[tuple[str, str], GivenGrade | None]:
    """Return the grades of (learner, attempt) pairs, None for attempts that wait for theirs; others are left out."""
    found: Iterable[tuple[str, str, AttemptGrade]] = sums.read(connection, sums.GRADES, attempts)
    return {(learner_id, attempt): one.given for learner_id, attempt, one in found}


def steps_of(connection: Connection, places: Iterable[tuple[str, StepKey]]) -> dict[tuple[str, StepKey], StepSum]:
    """Return learners' sums of steps."""
    found = sums.read(connection, sums.STEPS, {(learner_id, *key) for learner_id, key in places})
    return {(learner_id, key): one for learner_id, key, one in found}


class _Raising:
    """One transaction. Run again after a COMMIT whose answer was lost, it returns the same effects."""

    def __init__(
        self, raiser: Raiser, judged: Sequence[JudgedAttempt], choice: _Choice, assumed: StepSum | None
    ) -> None:
        self.raiser = raiser
        self.found = raiser.found
        self.now = raiser.now()
        self._choice = choice
        self._mark = raiser.found.step.pass_mark
        self._assumed = assumed
        self._judged = {str(uuid4()): one for one in judged}
        self._tried = NOTHING

    def __call__(self, connection: Connection, statuses: list[StatusChange]) -> Raised:
        """Return the effects for each learner; learners moved or erased meanwhile have none."""
        locked = learners.lock(connection, {one.learner_id for one in self._judged.values()})
        here = {one.id for one in locked.values() if one.is_alive}
        mine = {entry_id: one for entry_id, one in self._judged.items() if one.learner_id in here}
        given = given_to(connection, ((one.learner_id, one.entry.event_id) for one in mine.values()))
        if any(one is not None and one.event_id in self._judged for one in given.values()):
            return self._tried
        now = {
            entry_id: one._replace(grade=given.get((one.learner_id, one.entry.event_id)))
            for entry_id, one in mine.items()
        }
        before = steps_of(connection, (one.place for one in now.values()))
        chosen, left_out = self._chosen(before, now)
        if self._assumed is not None:
            assumed = [(learner_id, key, one + self._assumed) for (learner_id, key), one in before.items()]
            sums.write(connection, sums.STEPS, assumed)
        told = self._told(connection, chosen)
        receipts = tell(connection, self.raiser.catalog, told, statuses)
        if any(one.version != self.found.version for receipt in receipts for one in receipt.results):
            raise AnotherVersion("another version is in force by now")
        updates: dict[str, list[Update]] = {}
        for one, receipt in zip(told, receipts, strict=True):
            updates.setdefault(one.learner_id, []).extend(_updates(one.learner_id, self.found, before, receipt))
        kept: dict[str, list[KeptScore]] = {}
        for left in left_out:
            kept.setdefault(left.learner_id, []).append(left.left_out())
        self._tried = Raised(updates, kept)
        return self._tried

    def _chosen(
        self, before: Mapping[tuple[str, StepKey], StepSum], judged: Mapping[str, JudgedAttempt]
    ) -> tuple[dict[str, JudgedAttempt], list[JudgedAttempt]]:
        """Return the attempts that get a grade, in order, and those left out because their steps would sink."""
        of_steps: dict[tuple[str, StepKey], dict[str, str]] = {}
        for entry_id, one in judged.items():
            of_steps.setdefault(one.place, {})[one.entry.event_id] = entry_id
        given, left_out = dict[str, JudgedAttempt](), list[JudgedAttempt]()
        for place, entries in of_steps.items():
            moves = {name: judged[entry_id].move(self._mark) for name, entry_id in entries.items()}
            wanted = [one for one in moves.values() if one is not None]
            chosen = [one.name for one in self._choice(self.found.policy, before[place], wanted)]
            given |= {entries[name]: judged[entries[name]] for name in chosen}
            left_out += [judged[entries[one.name]] for one in wanted if entries[one.name] not in given]
        return given, left_out

    def _told(self, connection: Connection, judged: Mapping[str, JudgedAttempt]) -> list[Submission]:
        scores = {entry_id: one.raised(self._mark) for entry_id, one in judged.items()}
        raised = [(entry_id, score) for entry_id, score in scores.items() if score is not None]
        signature = signed(connection, {}, self.raiser.why.by) if raised else {}
        # One submission for each run: the changes of a submission do not say which run they are of.
        events: dict[tuple[str, int], list[Event]] = {}
        for entry_id, score in raised:
            one = judged[entry_id]
            said = grade_of(connection, self.raiser.catalog, one.entry, one.grade)
            of_run = events.setdefault((one.learner_id, one.entry.run), [])
            of_run.append(self._event(entry_id, one, said | signature, score))
        return [
            Submission(learner_id, tuple(some), self.now, source=SERVER)
            for (learner_id, _), some in sorted(events.items())
        ]

    def _event(self, entry_id: str, one: JudgedAttempt, said: dict[str, Any], score: int) -> Event:
        said |= {"step": self.found.step.id, "score": score, "reason": self.raiser.why.reason}
        feedback = one.verdict.feedback if isinstance(one.verdict, Verdict) else ""
        said |= {"feedback": feedback} if feedback else {}
        at = self.now if one.grade is None else max(self.now, one.grade.at + 1)
        return fact_event(entry_id, GRADED_FACT, format_time(at), said)


def _updates(
    learner_id: str, found: InForce, before: Mapping[tuple[str, StepKey], StepSum], receipt: Receipt
) -> list[Update]:
    updates: list[Update] = []
    changes = receipt.changes
    for touched in receipt.steps:
        was, now = (result_of(one, found.policy) for one in (before[learner_id, touched.key], touched.sum))
        updates += updates_of((learner_id, touched.key.run), was, now, changes)
        changes = []
    return updates
