"""What a run of a course is due, worked out the slow way: from all that is known, one by one, with fractions.

Nothing here is of the code under test. Places are (microseconds, id): what decides which of two came first.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import floor
from typing import NamedTuple, TypeAlias

WEIGHT_OF = {"lesson": "lesson", "quiz": "quiz", "assignment": "assignment", "exercise": "assignment"}
WEIGHT_OF["assessment"] = "assessment"
Place: TypeAlias = tuple[int, str]
# By kind ("module_completed", …) and module; no module where it is about the course.
Key: TypeAlias = tuple[str, str]


class SlowStep(NamedTuple):
    """A step as a version of its course has it; marks are of 1."""

    kind: str
    pass_mark: Fraction = Fraction(7, 10)
    weight: Fraction = Fraction(1)


class SlowModule(NamedTuple):
    """A module as a version of its course has it."""

    steps: Mapping[str, SlowStep]
    requires: tuple[str, ...] = ()
    pass_mark: Fraction = Fraction(8, 10)
    by_steps: bool = False
    weight: Fraction = Fraction(1)
    weights: Mapping[str, Fraction] = {"lesson": Fraction(10), "quiz": Fraction(30), "assignment": Fraction(40)} | {
        "assessment": Fraction(20)
    }
    policies: Mapping[str, str] = {"lesson": "average", "quiz": "best", "assignment": "best", "exercise": "best"} | {
        "assessment": "latest"
    }


class SlowCourse(NamedTuple):
    """A version of a course."""

    modules: Mapping[str, SlowModule]
    certificate: bool = True
    graded_evidence: bool = False


class Word(NamedTuple):
    """What a person said that a step counts for."""

    place: Place
    score: Fraction
    final: bool = False
    waived: bool = False


class Known(NamedTuple):
    """All that is known of a step of a run: each score at its place, the highest that it was ever given.

    `vouched` are the scores that the server gave; `moved` is the latest time of anything; `tried` says
    that the learner did anything there, `done` that they completed it themselves.
    """

    scores: tuple[tuple[Place, Fraction], ...] = ()
    completed: bool = False
    words: tuple[Word, ...] = ()
    vouched: tuple[Fraction, ...] = ()
    moved: int = 0
    tried: bool = True
    done: bool = False


Knowledge: TypeAlias = Mapping[str, Known]
NOTHING = Known()


def counted(known: Known, policy: str) -> Fraction:
    """What a step counts for, 0 to 1."""
    said = max(known.words, key=lambda one: one.place, default=None)
    if said is not None and said.final:
        return said.score
    by_policy = _by_policy(known, policy)
    return by_policy if said is None else max(by_policy, said.score)


def _by_policy(known: Known, policy: str) -> Fraction:
    scores = [score for _, score in sorted(known.scores)]
    if not scores:
        # Completed without a score counts in full, whatever a person said of it.
        return Fraction(1) if known.done else Fraction(0)
    found = {"best": max(scores), "latest": scores[-1], "first": scores[0]}
    return Fraction(sum(scores), len(scores)) if policy == "average" else found[policy]


def module_score(module: SlowModule, knowledge: Knowledge) -> Fraction:
    """The score of a module, 0 to 1: kind by kind, the weights of those that it lacks shared out over the others."""
    total = shared = Fraction(0)
    for name, weight in module.weights.items():
        own = {step_id: step for step_id, step in module.steps.items() if WEIGHT_OF[step.kind] == name}
        of_steps = sum(step.weight for step in own.values())
        if not of_steps:
            continue
        reached = sum(
            step.weight * counted(knowledge.get(step_id, NOTHING), module.policies[step.kind])
            for step_id, step in own.items()
        )
        shared += weight
        total += weight * reached / of_steps
    return total / shared


def is_done(module: SlowModule, knowledge: Knowledge) -> bool:
    """Whether the module's rule says yes."""
    if module.by_steps:
        return all(knowledge.get(step_id, NOTHING).completed for step_id in module.steps)
    return module_score(module, knowledge) >= module.pass_mark


def vouched_alone(course: SlowCourse, knowledge: Knowledge) -> Knowledge:
    """What is known where only lessons and what the server vouches for count."""
    found = dict(knowledge)
    steps = {step_id: step for module in course.modules.values() for step_id, step in module.steps.items()}
    for step_id, known in knowledge.items():
        step = steps.get(step_id)
        if step is None or step.kind == "lesson":
            continue
        said = sorted(known.words, key=lambda one: one.place)[-1:]
        best = [*known.vouched, *(one.score for one in said if one.score or one.final)]
        completed = known.completed and bool(best) and max(best) >= step.pass_mark
        scores = (((0, ""), max(known.vouched)),) if known.vouched else ()
        found[step_id] = Known(scores, completed, tuple(said), (), known.moved)
    return found


class SlowGrant(NamedTuple):
    """What was granted: the score in millionths, rounded down, and its date."""

    score: int | None
    at: int
    version: int = 0


class SlowRun:
    """A run of a course: what is known of it, and what it was granted."""

    def __init__(self) -> None:
        self.granted: dict[Key, SlowGrant] = {}

    def has(self, kind: str, module_id: str = "") -> bool:
        return (kind, module_id) in self.granted

    def is_open(self, course: SlowCourse, module_id: str, knowledge: Knowledge) -> bool:
        """Whether a module's steps may be written to."""
        module = course.modules[module_id]
        begun = any(step_id in knowledge and knowledge[step_id].tried for step_id in module.steps)
        granted = self.has("module_unlocked", module_id) or self.has("module_completed", module_id)
        return begun or granted or all(self.has("module_completed", one) for one in module.requires)

    def grant_modules(self, course: SlowCourse, knowledge: Knowledge, version: int = 0, at: int | None = None) -> None:
        """Complete and open whatever is due, until nothing is; dated `at`, or by what brought it."""
        before = None
        while before != len(self.granted):
            before = len(self.granted)
            for module_id, module in course.modules.items():
                self._complete(module_id, module, knowledge, version, at)
                self._open(module_id, module, version, at)

    def _complete(self, module_id: str, module: SlowModule, knowledge: Knowledge, version: int, at: int | None) -> None:
        moved = [knowledge[step_id].moved for step_id in module.steps if step_id in knowledge]
        if not self.has("module_completed", module_id) and moved and is_done(module, knowledge):
            score = floor(module_score(module, knowledge) * 1_000_000)
            self.granted["module_completed", module_id] = SlowGrant(score, max(moved) if at is None else at, version)

    def _open(self, module_id: str, module: SlowModule, version: int, at: int | None) -> None:
        if self.has("module_unlocked", module_id) or not module.requires:
            return
        if all(self.has("module_completed", one) for one in module.requires):
            last = max(self.granted["module_completed", one].at for one in module.requires)
            self.granted["module_unlocked", module_id] = SlowGrant(None, last if at is None else at, version)

    def keep_open(self, before: SlowCourse, after: SlowCourse, knowledge: Knowledge, version: int, at: int) -> None:
        """What was open by the version before stays open."""
        was_open = [one for one in before.modules if self.is_open(before, one, knowledge)]
        for module_id in after.modules:
            if module_id in was_open and not self.is_open(after, module_id, knowledge):
                self.granted["module_unlocked", module_id] = SlowGrant(None, at, version)

    def grant_course(self, course: SlowCourse, knowledge: Knowledge, version: int = 0, at: int | None = None) -> None:
        """Complete the course and certify it, where all of its modules are completed."""
        grants = [self.granted.get(("module_completed", one)) for one in course.modules]
        dates = [one.at for one in grants if one is not None]
        if not self.has("course_completed"):
            if len(dates) < len(grants):
                return
            score = floor(self.course_score(course, knowledge) * 1_000_000)
            self.granted["course_completed", ""] = SlowGrant(score, max(dates) if at is None else at, version)
        if course.certificate and not self.has("certified"):
            self._certify(course, knowledge, version, at)

    def _certify(self, course: SlowCourse, knowledge: Knowledge, version: int, at: int | None) -> None:
        completed = self.granted["course_completed", ""].at
        if not course.graded_evidence:
            score = floor(self.course_score(course, knowledge) * 1_000_000)
            self.granted["certified", ""] = SlowGrant(score, completed if at is None else at, version)
            return
        alone = vouched_alone(course, knowledge)
        if all(is_done(module, alone) for module in course.modules.values()):
            score = floor(
                _mean(course, {name: module_score(one, alone) for name, one in course.modules.items()}) * 10**6
            )
            moved = max(knowledge[step_id].moved for step_id in _steps(course) if step_id in knowledge)
            self.granted["certified", ""] = SlowGrant(score, max(completed, moved) if at is None else at, version)

    def course_score(self, course: SlowCourse, knowledge: Knowledge) -> Fraction:
        """The mean of the modules' scores, none of them, and not itself, less than it was granted with."""
        scores = {
            name: max(module_score(module, knowledge), self._floor("module_completed", name))
            for name, module in course.modules.items()
        }
        return max(_mean(course, scores), self._floor("course_completed", ""))

    def _floor(self, kind: str, module_id: str) -> Fraction:
        granted = self.granted.get((kind, module_id))
        return Fraction(granted.score or 0, 1_000_000) if granted else Fraction(0)


def _mean(course: SlowCourse, scores: Mapping[str, Fraction]) -> Fraction:
    weights = sum(module.weight for module in course.modules.values())
    return sum((module.weight * scores[name] for name, module in course.modules.items()), Fraction(0)) / weights


def _steps(course: SlowCourse) -> Iterable[str]:
    return (step_id for module in course.modules.values() for step_id in module.steps)
