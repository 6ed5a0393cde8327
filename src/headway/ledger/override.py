"""Overrides and waivers: a person says what a step counts for, for one learner, and why."""

from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.course import Policy, Step
from headway.domain.errors import IdReused
from headway.domain.events import Event, fact_event, read_event
from headway.domain.facts import OVERRIDDEN, Overridden
from headway.domain.module_scores import step_score
from headway.domain.overrides import Override
from headway.domain.progress import FIRST_RUN, StepSum
from headway.domain.recording import SERVER
from headway.domain.resets import last_reset
from headway.domain.scores import FULL, fraction
from headway.domain.sums import StepKey
from headway.domain.times import format_time
from headway.ledger.by_hand import LearnerMoved, NobodyThere, Work, lock, on_learner, signed, step_in_force, tell
from headway.ledger.effects import Effects, KeptScore, result_of, updates_of
from headway.ledger.submission import StatusChange, Submission
from headway.store import grades, reset_marks, sums
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Entry

NOT_HERE: Final = "there is no such learner in this course"
_HIGHER: Final = "An override counts where it is higher, and nothing that was granted is taken back."
_FINAL: Final = "A final override counts even where it is lower; whatever was completed or granted before stays so."


class OverrideAsked(NamedTuple):
    """What a step is to count for in the learner's current run: `score` in millionths, None for a waiver.

    A `final` score counts even where it is lower than what the learner reached. `by` is an account, None the operator;
    `entry_id` is the override's own id: sent twice, it counts once.
    """

    course_id: str
    learner_id: str
    step_id: str
    score: int | None
    final: bool
    reason: str
    by: str | None
    entry_id: str


def override(database: Database, catalog: Catalog, asked: OverrideAsked, *, now: int, dry_run: bool = False) -> Effects:
    """Set what a step counts for, and grant the learner whatever is due by it, in one transaction.

    Raise NobodyThere if the learner has nothing to do with the course, and UnknownStep if it has no such step. A dry
    run is rolled back.
    """

    def of(learner_id: str) -> Work[Effects | LearnerMoved]:
        return _Overriding(catalog, asked._replace(learner_id=learner_id), now)

    return on_learner(database, asked.learner_id, of, dry_run=dry_run)


class _Overriding:
    """One override. Run again after a COMMIT whose answer was lost, it finds the override and returns the same."""

    def __init__(self, catalog: Catalog, asked: OverrideAsked, now: int) -> None:
        self.catalog = catalog
        self.asked = asked
        self.now = now
        self._tried: Effects | None = None

    def __call__(self, connection: Connection, statuses: list[StatusChange]) -> Effects | LearnerMoved:
        asked = self.asked
        locked = lock(connection, asked.learner_id)
        if isinstance(locked, LearnerMoved):
            return locked
        found = step_in_force(connection, self.catalog, asked.course_id, asked.step_id)
        again = grades.entries_by_id(connection, asked.learner_id, [asked.entry_id]).get(asked.entry_id)
        if again is not None:
            _check_same(asked, again, found.step)
            # Recorded by an earlier try of this very override; or sent again, which changes nothing.
            return self._tried or self._effects().with_learner([], [])
        key, before = _standing(connection, asked, found.step)
        event = self._event(connection, found.step, key.run, before.override)
        told = [Submission(asked.learner_id, (event,), self.now, source=SERVER)]
        (receipt,) = tell(connection, self.catalog, told, statuses)
        was, now = (result_of(one, found.policy) for one in (before, receipt.steps[0].sum))
        updates = updates_of((asked.learner_id, key.run), was, now, receipt.changes)
        self._tried = self._effects().with_learner(updates, self._kept(before, found.policy))
        return self._tried

    def _effects(self) -> Effects:
        return Effects(_FINAL if self.asked.final else _HIGHER)

    def _event(self, connection: Connection, step: Step, run: int, standing: Override | None) -> Event:
        asked = self.asked
        # The override that is given last must be the latest, whatever the servers' clocks say.
        at = self.now if standing is None else max(self.now, standing.at + 1)
        resets = reset_marks.of_learners(connection, [asked.learner_id]).get(asked.learner_id, reset_marks.NO_MARKS)
        mark = last_reset(resets, asked.course_id)
        at = at if mark is None else max(at, mark.up_to + 1)
        said: dict[str, Any] = {"course": asked.course_id, "run": run, "step": step.id, "reason": asked.reason}
        said |= {"score": FULL if asked.score is None else asked.score, "waived": asked.score is None}
        said |= {"final": asked.final}
        return fact_event(asked.entry_id, OVERRIDDEN, format_time(at), signed(connection, said, asked.by))

    def _kept(self, before: StepSum, policy: Policy) -> list[KeptScore]:
        counted = step_score(before._replace(override=None), policy)
        if self.asked.score is None or self.asked.final or self.asked.score >= counted:
            return []
        stays, instead = float(counted) / FULL, fraction(self.asked.score)
        why = "the step counts more by the learner's own attempts; a final override has it count less"
        return [KeptScore(self.asked.learner_id, None, stays, instead, why)]


def _standing(connection: Connection, asked: OverrideAsked, step: Step) -> tuple[StepKey, StepSum]:
    """Return the step's key in the learner's current run, and its sum; NobodyThere if they never were in the course."""
    place = (asked.learner_id, asked.course_id)
    wanted: list[tuple[sums.Reading, list[tuple[str, ...]]]] = [
        (sums.of_kind(sums.RUNS, "learner_id", "course_id"), [place]),
        (sums.of_kind(sums.ENROLLMENTS), [place]),
        (sums.of_kind(sums.STEPS, "learner_id", "course_id", "step_id"), [(*place, step.key)]),
    ]
    begun, enrolled, found = (rows for _, rows in sums.read_together(connection, wanted))
    if not begun and not any(one.enrolled for _, _, one in enrolled):
        raise NobodyThere(NOT_HERE, field="learner")
    run = max((key.run for _, key, _ in begun), default=FIRST_RUN)
    key = StepKey(asked.course_id, run, step.key)
    return key, next((one for _, known, one in found if known == key), StepSum())


def _check_same(asked: OverrideAsked, known: Entry, step: Step) -> None:
    """Raise IdReused if the id was used for something else."""
    event = read_event(known.event_id, known.body)
    said = Overridden(asked.final, asked.score is None, asked.reason)
    score = FULL if asked.score is None else asked.score
    told = (event.fact, known.course_id, known.step_id, event.score)
    if told != (said, asked.course_id, step.key, score):
        raise IdReused("this id was used for something else; make a new UUID for each override", field="id")
