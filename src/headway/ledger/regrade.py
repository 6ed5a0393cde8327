"""Regrade a step: judge all recorded responses by the version in force. No score is lowered, nothing is revoked.

Learners are judged some at a time: their responses are graded outside of any transaction, and higher scores are written
under their locks (`raising`). Broken off, it can be run again: attempts that were raised stay so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.errors import Busy, HeadwayError
from headway.domain.events import read_event
from headway.domain.step_status import is_manual
from headway.domain.times import MINUTE
from headway.graders.registry import grade
from headway.graders.verdict import ResponseInvalid, Verdict
from headway.ledger import raising
from headway.ledger.by_hand import InForce, step_in_force
from headway.ledger.effects import Effects, KeptScore, Update
from headway.ledger.portions import portions
from headway.ledger.raising import NOTHING, AnotherVersion, JudgedAttempt, Raised, Raiser, Why, given_to
from headway.ledger.resting import Progress
from headway.store import grades, identities, reset_marks, runs
from headway.store.catalog import Catalog
from headway.store.database import Database

LEARNERS_AT_ONCE: Final = 50
# Limits what is held in memory: responses have up to 64 KiB each.
RESPONSES_AT_ONCE: Final = 100
_VERSIONS_MAX: Final = 3
# How far servers' clocks may differ.
_CLOCKS: Final = 5 * MINUTE
_NOTE: Final = "Nothing sinks by a regrade, and nothing that was granted is taken back: `kept` is what would have sunk."


class NothingToJudge(HeadwayError):
    """The step has no grader that could judge its answers anew."""

    code = "no-grader"


class RegradeAsked(NamedTuple):
    """Which step to regrade, and why; `by` is an account, None the operator."""

    course_id: str
    step_id: str
    reason: str
    by: str | None


def regrade(
    database: Database,
    catalog: Catalog,
    asked: RegradeAsked,
    *,
    now: Callable[[], int],
    dry_run: bool = False,
    progress: Progress = lambda _: None,
) -> Effects:
    """Judge all responses to a step again, and return whose results change; run twice, it changes nothing more.

    Raise UnknownCourse, UnknownStep or NothingToJudge if there is nothing to judge, and GraderFault if a plugin fails:
    what was raised by then stays, and a later run continues.
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
        except AnotherVersion:
            # In a dry run, what was raised was rolled back with its transaction.
            raised = raised if dry_run else regrading.raised
    raise Busy("versions of this course are published while it is judged anew; run it again in a moment")


class _Raised(NamedTuple):
    """The learners whose results changed, and the effects: committed, whatever version follows."""

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
        # Guests whose responses were judged together with their account's.
        self._looked_for: set[str] = set()

    def run(self, progress: Progress, raised: _Raised) -> Effects:
        """Judge everybody who began the course, and the accounts that guests were moved into meanwhile.

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
        """Return the accounts, by guest, of guests who were moved after their account's page had been read."""
        with self.database.read() as connection:
            found = grades.moved_since(connection, self.asked.course_id, since)
        return {guest: account for guest, account in found.items() if guest not in self._looked_for}

    def _judge_ledgers(self, owner: Mapping[str, str]) -> None:
        """Judge the responses in these ledgers; `owner` gives the learner for whom each ledger counts."""
        with self.database.read() as connection:
            counts = grades.attempts_of(connection, self.asked.course_id, self.found.step.key, set(owner.values()))
        for portion in portions(sorted(counts.items()), itemgetter(1), raising.ATTEMPTS_A_TRANSACTION):
            mine = dict(portion)
            judged = list(self._judged({one: account for one, account in owner.items() if account in mine}))
            told = self._write(judged)
            kept = {learner_id: list(some) for learner_id, some in told.kept.items()}
            for one in judged:
                stays = one.kept(self.found.step.pass_mark)
                if stays is not None:
                    kept.setdefault(one.learner_id, []).append(stays)
            # Learners without a response in any attempt have nothing to judge.
            for learner_id in dict.fromkeys(one.learner_id for one in judged):
                self._tell(learner_id, told.updates.get(learner_id, ()), kept.get(learner_id, ()))

    def _tell(self, learner_id: str, updates: Sequence[Update], kept: Sequence[KeptScore]) -> None:
        again = learner_id in self._raised_before
        self.effects = self.effects.with_learner(updates, kept, again=again)
        if updates:
            effects = self.raised.effects.with_learner(updates, (), again=again)
            self.raised.learner_ids.add(learner_id)
            self.raised = self.raised._replace(effects=effects)

    def _write(self, judged: Iterable[JudgedAttempt]) -> Raised:
        why = Why(self.asked.reason, self.asked.by)
        raiser = Raiser(self.database, self.catalog, self.found, why, self.now, self.dry_run)
        told = NOTHING
        try:
            for one in raiser.write(judged):
                told += one
        except AnotherVersion:
            for learner_id, updates in told.updates.items():
                self._tell(learner_id, updates, ())
            raise
        return told

    def _judged(self, owner: Mapping[str, str]) -> Iterator[JudgedAttempt]:
        """Yield the responses in these ledgers with their verdicts; no snapshot is open while they are graded."""
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
    ) -> tuple[list[JudgedAttempt], tuple[str, int] | None]:
        """Return a page of the attempts that count, and the place after which there are more, if any."""
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
        given = given_to(connection, [(account, one.event_id) for account, one in counting])
        found = [
            JudgedAttempt(account, one, given.get((account, one.event_id)), _UNJUDGED) for account, one in counting
        ]
        more = len(page) == RESPONSES_AT_ONCE
        return found, (page[-1].learner_id, page[-1].seq) if more else None


_UNJUDGED: Final = Verdict(None)
