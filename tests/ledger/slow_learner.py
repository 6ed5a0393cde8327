"""A learner of one course as slow models know them: what was recorded, and what the rules granted by and by."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from tests.domain.manifests import course, module, step
from tests.domain.slow_gates import SlowCourse, SlowGrant, SlowModule, SlowRun, SlowStep
from tests.ledger.slow_fold import SENT, Fact, StepThen, day_of, enrollments, happened, knowledge, micros
from tests.ledger.world import GRADER


class Version(NamedTuple):
    """A version of a course: its steps, and its modules with their rules."""

    steps: Mapping[str, StepThen]
    course: SlowCourse

    def module_of(self, step_id: str) -> str:
        return next(name for name, one in self.course.modules.items() if step_id in one.steps)


class SlowReset(NamedTuple):
    """What a reset cleared: steps, attempts, sessions and days, how many entries, and which that were sent."""

    cleared: tuple[int, int, int, int]
    entries: int
    ids: set[str]


def version(modules: Mapping[str, tuple[SlowModule, Mapping[str, StepThen]]], *, graded_evidence: bool) -> Version:
    """A version out of modules, each with its steps."""
    steps = {name: one for _, some in modules.values() for name, one in some.items()}
    slow = {
        name: one._replace(
            steps={key: SlowStep(then.kind, Fraction(str(then.pass_mark)) / 100) for key, then in some.items()}
        )
        for name, (one, some) in modules.items()
    }
    return Version(steps, SlowCourse(slow, graded_evidence=graded_evidence))


def manifest_of(course_id: str, one: Version, number: int) -> dict[str, Any]:
    """The manifest that a creator would publish; every other one renames the modules, and requires them by old ids."""
    ids = {name: f"{name}-now" if number % 2 else name for name in one.course.modules}
    modules = [
        module(
            ids[name],
            *(_step(step_id, one.steps[step_id]) for step_id in slow.steps),
            requires=list(slow.requires),
            pass_mark=float(slow.pass_mark * 100),
            complete_by="steps" if slow.by_steps else "score",
            weights={kind: float(weight) for kind, weight in slow.weights.items()},
            policies=dict(slow.policies),
            weight=float(slow.weight),
            renamed_from=[name] if number % 2 else [],
        )
        for name, slow in one.course.modules.items()
    ]
    evidence = "graded" if one.course.graded_evidence else "any"
    return course(*modules, id=course_id, title=f"Version {number}", certificate=True, evidence=evidence)


def _step(step_id: str, one: StepThen) -> dict[str, Any]:
    fields = {"kind": one.kind, "points": one.points, "topics": list(one.topics), "pass_mark": one.pass_mark}
    grader = {"type": "manual"} if one.by_hand else GRADER if one.answer else None
    return step(step_id, **fields, **({"grader": grader} if grader else {}))


def fitted(done: dict[str, Any], now: Version) -> dict[str, Any]:
    """What is done, as a step wants it that a person grades: handed in, without a score."""
    then = now.steps.get(done["step"])
    if then is None or not then.by_hand or done["type"] not in ("attempted", "completed"):
        return done
    return done | {"type": "attempted", "score": None, "response": "Because."}


class SlowLearner:
    """All that counts for a learner, by event id, and what each run was granted."""

    def __init__(self) -> None:
        self.facts: dict[str, Fact] = {}
        self.runs: dict[int, SlowRun] = {}
        self.certificates: list[tuple[int, SlowGrant]] = []
        self.reset_at = -1

    @property
    def run(self) -> int:
        """The run that the learner is in."""
        return max([one.run for one in self.facts.values() if one.type not in ("enrolled", "left")], default=1)

    @property
    def has_done_anything(self) -> bool:
        """Whether anything was done in the run that the learner is in."""
        return any(one.run == self.run and one.type in SENT for one in self.facts.values())

    @property
    def has_begun(self) -> bool:
        return any(one.type not in ("enrolled", "left") for one in self.facts.values())

    @property
    def is_here(self) -> bool:
        """Whether the learner has to do with the course: began it, or is enrolled."""
        came_and_went = (one for one in self.facts.values() if one.type in ("enrolled", "left"))
        return self.has_begun or any(row["enrolled"] for row in enrollments(came_and_went))

    def of_run(self, run: int) -> SlowRun:
        return self.runs.setdefault(run, SlowRun())

    def known(self, run: int) -> Mapping[str, Any]:
        return knowledge(one for one in self.facts.values() if one.run == run and one.then is not None)

    def open_modules(self, now: Version) -> set[str]:
        """The modules whose steps may be written to in the run that the learner is in."""
        known = self.known(self.run)
        return {name for name in now.course.modules if self.of_run(self.run).is_open(now.course, name, known)}

    def answer(self, now: Version, step_id: str) -> str:
        """What becomes of a new event on a step."""
        if step_id not in now.steps:
            return "unknown-step"
        run = self.run
        is_open = self.of_run(run).is_open(now.course, now.module_of(step_id), self.known(run))
        return "recorded" if is_open else "locked"

    def count(self, now: Version, fact: Fact) -> None:
        """Take in what was recorded, and grant what is due of modules."""
        self.facts[fact.id] = fact
        if fact.then is not None:
            self.of_run(fact.run).grant_modules(now.course, self.known(fact.run), fact.version)

    def conclude(self, now: Version, number: int, run: int, received_at: int, at: int | None = None) -> None:
        """Grant what is due of the course; the certificate is dated by the server."""
        of_run = self.of_run(run)
        had = of_run.has("certified")
        of_run.grant_course(now.course, self.known(run), number, at)
        if of_run.has("certified") and not had:
            issued = of_run.granted["certified", ""]._replace(at=received_at)
            of_run.granted["certified", ""] = issued
            self.certificates.append((run, issued))

    def reset(self, at: int) -> "SlowReset":
        """Begin from nothing: what the run that the learner is in came to is gone, but for a certificate."""
        done = [one for one in self.facts.values() if one.then is not None]
        here = [one for one in done if one.run == self.run]
        sent = [one for one in here if one.type in SENT]
        attempts = sorted(micros(happened(one)) for one in sent if one.type == "attempted")
        gaps = sum(later - earlier > 30 * 60 * 10**6 for earlier, later in pairwise(attempts))
        days = {day_of(one) for one in sent if one.type in ("attempted", "completed")}
        steps = {one.step for one in here}
        self.reset_at = max([at, *(micros(happened(one)) for one in done)])
        granted = self.of_run(self.run).granted
        left = {key: one for key, one in granted.items() if key[0] == "certified"}
        gone = len(here) + len(granted) - len(left)
        self.of_run(self.run).granted = left
        self.facts = {name: one for name, one in self.facts.items() if one not in here}
        return SlowReset((len(steps), len(attempts), gaps + bool(attempts), len(days)), gone, {one.id for one in here})

    def is_late(self, fact: Fact) -> bool:
        """Whether something comes from before a reset."""
        return bool(fact.step) and micros(happened(fact)) <= self.reset_at

    def judge(self, now: Version, number: int, run: int, received_at: int, at: int | None = None) -> None:
        """Grant all that is due of a run."""
        self.of_run(run).grant_modules(now.course, self.known(run), number, at)
        self.conclude(now, number, run, received_at, at)

    def move_on(self, before: Version | None, now: Version, number: int, at: int) -> None:
        """What publishing a version does to the run that the learner is in."""
        run = self.run
        if not self.has_begun:
            return
        if before is not None:
            self.of_run(run).keep_open(before.course, now.course, self.known(run), number, at)
        self.judge(now, number, run, at, at)

    def granted_rows(self, course_id: str) -> list[dict[str, Any]]:
        """The rows of all grants, in order of key, without the ids of their entries."""
        return [
            {"course_id": course_id, "run": run, "kind": kind, "module_id": name, **one._asdict()}
            for run, of_run in sorted(self.runs.items())
            for (kind, name), one in sorted(of_run.granted.items())
        ]

    def certificate_rows(self) -> list[tuple[Any, ...]]:
        return sorted((run, one.at, one.score, one.version) for run, one in self.certificates)


def certified(rows: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Stored certificates as the slow model has them."""
    return sorted((row["run"], row["issued_at"], row["score"], row["version"]) for row in rows)
