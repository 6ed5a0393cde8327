"""Granting: write what the rules grant after the entry that brought it, once, in the same transaction."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias
from uuid import uuid4

from headway.domain import gating
from headway.domain.changes import Change
from headway.domain.course import Course, Module, Step
from headway.domain.errors import HeadwayError
from headway.domain.events import fact_event
from headway.domain.facts import CERTIFIED
from headway.domain.gating import DueGrant, HeldGrants
from headway.domain.module_scores import step_score
from headway.domain.progress import FIRST_RUN, Contribution, StepSum
from headway.domain.recording import IMPORTED, SERVER, Circumstances, contribute
from headway.domain.scores import fraction
from headway.domain.step_status import COMPLETED, IN_PROGRESS, OPEN
from headway.domain.sums import RunKey, StepKey
from headway.domain.times import format_time
from headway.ledger.batch import Batch, BatchLearner
from headway.ledger.memory import ModuleKey
from headway.ledger.submission import StatusChange
from headway.ledger.watched import Watched
from headway.ledger.writing import entry_of_server, no_grader

# Learner, course and run.
LearnerRun: TypeAlias = tuple[str, str, int]
_UNTOUCHED: Final = StepSum()
_STATUSES: Final = {"module_unlocked": OPEN, "module_completed": COMPLETED, "course_completed": COMPLETED}


class StepLocked(HeadwayError):
    """The step's module is locked."""

    code = "locked"


class _Moved(NamedTuple):
    """A run whose course is to be judged: the event that moved it, its circumstances, and where changes are told."""

    cause: str
    known: Circumstances
    told: list[Change] | None = None


class Before(NamedTuple):
    """A step's sum before an event was counted, and whether its run was begun."""

    step: StepSum
    is_begun: bool


class Granting:
    """Judges the runs that a batch moves, and appends what is granted to the batch's entries."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.statuses: list[StatusChange] = []
        self._moved: dict[LearnerRun, _Moved] = {}
        # Retakes with the first event in one of their modules, and that event.
        self._entered: dict[LearnerRun, Contribution] = {}
        # Runs that were read whole because a sweep is at work.
        self._whole: set[LearnerRun] = set()

    def check_open(self, learner: BatchLearner, made: Contribution, source: str, course: Course) -> None:
        """Raise StepLocked if the step is in a locked module, except for imported events and the server's own."""
        module = course.module_of(made.step)
        if module is None or not module.requires or source in (IMPORTED, SERVER):
            return
        held = self._held(learner, made.course, made.run)
        if not gating.lacking(module, held):
            return
        watched = self._watched(learner, made, module)
        if not gating.is_open(module, watched.sums, held) and not self._stays_open(made, learner):
            titles = {one.key: one.title for one in course.modules}
            missing = ", ".join(f"{titles[one]!r}" for one in gating.lacking(module, held))
            raise StepLocked(f"{module.title!r} is locked until you complete {missing}", field="step")

    def _stays_open(self, made: Contribution, learner: BatchLearner) -> bool:
        """Return whether the sweep at work will keep the step's module open, because the version before had it open."""
        before = self.batch.version_before(made.course)
        after = self.batch.courses[made.course][1].module_of(made.step)
        module = next((one for one in before.modules if after and one.key == after.key), None) if before else None
        if module is None:
            return False
        place = (learner.id, made.course, made.run)
        if place not in self._whole:
            self._whole.add(place)
            self.batch.read_runs([place])
        held = self._held(learner, made.course, made.run)
        return gating.is_open(module, learner.steps_of(made.course, made.run), held)

    def look(self, learner: BatchLearner, made: Contribution) -> Before:
        """Return a step's sum, and whether its run was begun, before an event is counted."""
        sums = learner.standing.sums
        step = sums.steps.get(StepKey(made.course, made.run, made.step)) or _UNTOUCHED
        return Before(step, RunKey(made.course, made.run) in sums.runs)

    def after(
        self, learner: BatchLearner, made: Contribution, known: Circumstances, course: Course, before: Before
    ) -> list[Change]:
        """Grant what is due for the module that an event moved; the course is judged in `conclude`."""
        module, step = course.module_of(made.step), course.step(made.step)
        if module is None or step is None:
            return []
        own, place = learner.standing.sums.steps[StepKey(made.course, made.run, made.step)], (made.course, made.run)
        watched = learner.modules.get(_key_of(made, module))
        if _counts_alike(before.step, own, module, step):
            if watched is not None:
                watched.sums[step.key] = own
            return []
        if watched is None:
            watched = self._watched(learner, made, module)
        else:
            watched.move(step, before.step, own)
        if not before.step.events:
            self._note_begun(learner, made, module, watched.sums, before)
        held = self._held(learner, *place)
        due = gating.due_of_module(course, module, watched.sums, held) if watched.is_completed else []
        told = self._give(learner, place, due, made.event_id, known)
        if due or gating.awaits_evidence(course, held):
            self._moved[learner.id, *place] = _Moved(made.event_id, known)
        return told

    def _watched(self, learner: BatchLearner, made: Contribution, module: Module) -> Watched:
        """Return the module as it is followed from now on: its steps are gone through once, not with every event."""
        key = _key_of(made, module)
        if key not in learner.modules:
            learner.modules[key] = Watched(module, self._sums(learner, made, module))
            learner.note_untouched(StepKey(made.course, made.run, one) for one in module.keys)
        return learner.modules[key]

    def _note_begun(
        self, learner: BatchLearner, made: Contribution, module: Module, sums: Mapping[str, StepSum], before: Before
    ) -> None:
        """Note the statuses that change with a step's first event."""
        if not before.is_begun:
            self._note(learner, made, "", IN_PROGRESS)
        if not any(one.events for key, one in sums.items() if key != made.step):
            self._note(learner, made, module.id, IN_PROGRESS)
            if made.run > FIRST_RUN:
                self._entered.setdefault((learner.id, made.course, made.run), made)

    def tell_in(self, learner: BatchLearner, told: list[Change]) -> None:
        """Have what `conclude` grants a learner told among the changes of the submission that brought it."""
        for place, moved in self._moved.items():
            if place[0] == learner.id and moved.told is None:
                self._moved[place] = moved._replace(told=told)

    def conclude(self) -> None:
        """Judge the courses of runs where something was granted, or graded evidence is awaited; one statement at most.

        Also note the retakes that were entered.
        """
        if not self._moved and not self._entered:
            return
        self.batch.read_runs(self._moved | self._entered)
        self._note_retakes()
        for (learner_id, course_id, run), moved in self._moved.items():
            learner = self.batch.learners[learner_id]
            _, course = self.batch.courses[course_id]
            held = self._held(learner, course_id, run)
            due = gating.due_of_course(course, learner.steps_of(course_id, run), held)
            changes = self._give(learner, (course_id, run), due, moved.cause, moved.known)
            if moved.told is not None:
                moved.told.extend(changes)
        self._moved.clear()

    def _note_retakes(self) -> None:
        """Note the retakes in which nothing was done before this batch: their rows exist from when they were begun."""
        for (learner_id, course_id, run), made in self._entered.items():
            learner = self.batch.learners[learner_id]
            stored = (one for key, one in learner.others.items() if (key.course, key.run) == (course_id, run))
            if not any(one.events for one in stored):
                self._note(learner, made, "", IN_PROGRESS)
        self._entered.clear()

    def give_all(self, place: LearnerRun, cause: str, received_at: int) -> list[Change]:
        """Grant all that is due in a run that was read whole, as `gating.due_of_all` says."""
        learner, (_, course_id, run) = self.batch.learners[place[0]], place
        _, course = self.batch.courses[course_id]
        due = gating.due_of_all(course, learner.steps_of(course_id, run), self._held(learner, course_id, run))
        return self.give(place, due, cause, received_at)

    def give(self, place: LearnerRun, due: Iterable[DueGrant], cause: str, received_at: int) -> list[Change]:
        """Grant a run what was found to be due."""
        learner, (_, course_id, run) = self.batch.learners[place[0]], place
        version, _ = self.batch.courses[course_id]
        known = Circumstances(received_at, 0, learner.time_zone, SERVER, version, run)
        return self._give(learner, (course_id, run), due, cause, known)

    def _give(
        self, learner: BatchLearner, place: tuple[str, int], due: Iterable[DueGrant], cause: str, known: Circumstances
    ) -> list[Change]:
        told: list[Change] = []
        _, course = self.batch.courses[place[0]]
        for one in due:
            changes = self._append(learner, place, one, cause, known._replace(clock_skew=0, source=SERVER))
            status = _STATUSES.get(one.kind)
            if changes and status:
                where = (learner.id, *place, course.module_id(one.module))
                self.statuses.append(StatusChange(*where, status, fraction(one.score), cause))
            told += changes
        return told

    def _append(
        self, learner: BatchLearner, place: tuple[str, int], due: DueGrant, cause: str, known: Circumstances
    ) -> list[Change]:
        course_id, run = place
        said: dict[str, object] = {"course": course_id, "run": run, "cause": cause}
        said |= {"module": due.module} if due.module else {}
        said |= {} if due.score is None else {"score": due.score}
        # The clock that dates what was done dates its completion, too; a certificate is dated by the server.
        at = known.received_at if due.kind == CERTIFIED else due.at
        event = fact_event(str(uuid4()), due.kind, format_time(at), said)
        _, course = self.batch.courses[course_id]
        made = contribute(event, known, course, no_grader)
        entry, changes = entry_of_server(learner, event, known, made, course.module_id(due.module))
        self.batch.appended.append(entry)
        return changes

    def _note(self, learner: BatchLearner, made: Contribution, module: str, status: str) -> None:
        where = (learner.id, made.course, made.run, module)
        self.statuses.append(StatusChange(*where, status, None, made.event_id))

    def _held(self, learner: BatchLearner, course_id: str, run: int) -> HeldGrants:
        found = learner.standing.sums.grants.items()
        return {(key.kind, key.module): one for key, one in found if (key.course, key.run) == (course_id, run)}

    def _sums(self, learner: BatchLearner, made: Contribution, module: Module) -> dict[str, StepSum]:
        course_id, run, own, others = made.course, made.run, learner.standing.sums.steps, learner.others
        found = {}
        for step in module.steps:
            key = StepKey(course_id, run, step.key)
            one = own.get(key) or others.get(key)
            if one is not None:
                found[step.key] = one
        return found


def _key_of(made: Contribution, module: Module) -> ModuleKey:
    return ModuleKey(made.course, made.version, made.run, module.id)


def _counts_alike(before: StepSum, after: StepSum, module: Module, step: Step) -> bool:
    """Return whether a step counts in every rule as it did before, as is so after most attempts."""
    if not before.events or (before.completion is None) != (after.completion is None):
        return False
    # An override may leave the score as it is, and still change what counts as graded evidence.
    if (before.graded_best, before.override) != (after.graded_best, after.override):
        return False
    policy = module.policies.of(step.kind)
    return step_score(before, policy) == step_score(after, policy)
