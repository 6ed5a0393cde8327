"""A course as it was published: modules of steps, immutable and complete, every default filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import lcm
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from headway.domain.errors import UnknownStep
from headway.domain.exercise_files import StepTest

StepKind: TypeAlias = Literal["lesson", "quiz", "assignment", "assessment", "exercise"]
CompleteBy: TypeAlias = Literal["score", "steps"]
Policy: TypeAlias = Literal["best", "latest", "first", "average"]
Evidence: TypeAlias = Literal["any", "graded"]

KINDS: Final = ("lesson", "quiz", "assignment", "assessment", "exercise")
COMPLETE_BY: Final = ("score", "steps")
POLICIES: Final = ("best", "latest", "first", "average")
EVIDENCE: Final = ("any", "graded")
POINTS: Final[Mapping[str, int]] = {"lesson": 5, "quiz": 10, "assignment": 20, "assessment": 30, "exercise": 10}
# A weight of 1: weights are whole millionths, so that calculations with them are exact.
ONE: Final = 1_000_000


def weight_name(kind: StepKind) -> str:
    """The name of the weight that a kind uses; exercises use that of assignments."""
    return "assignment" if kind == "exercise" else kind


class Weights(NamedTuple):
    """What each kind counts for in a module's score, in millionths; only their proportions matter."""

    lesson: int = 10 * ONE
    quiz: int = 30 * ONE
    assignment: int = 40 * ONE
    assessment: int = 20 * ONE

    def of(self, kind: StepKind) -> int:
        """The weight that a kind uses, in millionths."""
        weight: int = getattr(self, weight_name(kind))
        return weight


class Policies(NamedTuple):
    """Which of a step's scores counts in its module's score, by the step's kind."""

    lesson: Policy = "average"
    quiz: Policy = "best"
    assignment: Policy = "best"
    assessment: Policy = "latest"
    exercise: Policy = "best"

    def of(self, kind: StepKind) -> Policy:
        """The policy of a kind."""
        policy: Policy = getattr(self, kind)
        return policy


DEFAULT_WEIGHTS: Final = Weights()
DEFAULT_POLICIES: Final = Policies()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do. `pass_mark` is a score and `weight` a multiple, both in millionths.

    `grader` is the configuration of the server's grader, answer key included: never show it as it is.
    `renamed_from` are the step's former ids, the oldest first.
    `files` are the files that a learner works in, by path; `test` says how they are tested on the learner's machine.
    """

    id: str
    kind: StepKind
    title: str
    points: int
    topics: tuple[str, ...] = ()
    pass_mark: int = 700_000
    weight: int = ONE
    prompt: str | None = None
    body: str | None = None
    url: str | None = None
    grader: Mapping[str, Any] | None = field(default=None, hash=False)
    renamed_from: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict, hash=False)
    test: StepTest | None = None

    @property
    def key(self) -> str:
        """The key that progress on the step is kept under: the first id that it ever had."""
        return self.renamed_from[0] if self.renamed_from else self.id

    @property
    def is_exercise(self) -> bool:
        """Whether completing the step counts as an exercise solved: it is not a lesson."""
        return self.kind != "lesson"


class Share(NamedTuple):
    """A step's share in its module's score: `parts` of the module's `whole`."""

    key: str
    policy: Policy
    parts: int
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A part of a course; settings that it omits are the course's. `pass_mark` and `weight` are in millionths.

    `requires` are the keys of the modules to complete before this one; by default, the module before it.
    `renamed_from` are the module's former ids, the oldest first.
    `keys` are its steps' keys; `shares` those of the steps that count in its score, as whole numbers, because many
    thousand scores are computed at once.
    """

    id: str
    title: str
    steps: tuple[Step, ...]
    requires: tuple[str, ...] = ()
    description: str | None = None
    pass_mark: int = 800_000
    complete_by: CompleteBy = "score"
    weight: int = ONE
    weights: Weights = DEFAULT_WEIGHTS
    policies: Policies = DEFAULT_POLICIES
    renamed_from: tuple[str, ...] = ()
    keys: frozenset[str] = field(init=False, repr=False, compare=False)
    shares: tuple[Share, ...] = field(init=False, repr=False, compare=False)
    whole: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        of_kinds: dict[str, int] = {}
        for step in self.steps:
            name = weight_name(step.kind)
            of_kinds[name] = of_kinds.get(name, 0) + step.weight
        counting = {name: total for name, total in of_kinds.items() if total}
        common = lcm(*counting.values())
        each = {name: getattr(self.weights, name) * common // total for name, total in counting.items()}
        shares = (self._share(step, each.get(weight_name(step.kind), 0)) for step in self.steps)
        object.__setattr__(self, "keys", frozenset(step.key for step in self.steps))
        object.__setattr__(self, "shares", tuple(one for one in shares if one.parts))
        object.__setattr__(self, "whole", common * sum(getattr(self.weights, name) for name in counting))

    @property
    def key(self) -> str:
        """The key that its unlocking and completion are kept under: the first id that it ever had."""
        return self.renamed_from[0] if self.renamed_from else self.id

    def _share(self, step: Step, each: int) -> Share:
        return Share(step.key, self.policies.of(step.kind), each * step.weight, step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One version of a course; its modules default to its `pass_mark`, `complete_by`, `weights` and `policies`.

    `evidence` says whether certificates and leaderboards count any event or only graded ones. `numbers` are the
    positions of its steps by their keys, from 0.
    """

    id: str
    title: str
    modules: tuple[Module, ...]
    description: str | None = None
    locale: str | None = None
    certificate: bool = False
    pass_mark: int = 800_000
    complete_by: CompleteBy = "score"
    weights: Weights = DEFAULT_WEIGHTS
    policies: Policies = DEFAULT_POLICIES
    evidence: Evidence = "any"
    steps: tuple[Step, ...] = field(init=False, repr=False, compare=False)
    numbers: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _places: Mapping[str, tuple[Module, Step]] = field(init=False, repr=False, compare=False)
    _modules: Mapping[str, Module] = field(init=False, repr=False, compare=False)
    _dependents: Mapping[str, list[Module]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = [(module, step) for module in self.modules for step in module.steps]
        by_name = {name: (module, step) for module, step in places for name in (step.id, *step.renamed_from)}
        object.__setattr__(self, "steps", tuple(step for _, step in places))
        object.__setattr__(self, "numbers", {step.key: n for n, step in enumerate(self.steps)})
        object.__setattr__(self, "_places", by_name)
        names = {name: module for module in self.modules for name in (module.id, *module.renamed_from)}
        object.__setattr__(self, "_modules", names)
        dependents: dict[str, list[Module]] = {}
        for module in self.modules:
            for required in module.requires:
                dependents.setdefault(required, []).append(module)
        object.__setattr__(self, "_dependents", dependents)

    def step(self, step_id: str) -> Step | None:
        """The step of that id, current or former; None where there is none."""
        place = self._places.get(step_id)
        return place[1] if place else None

    def step_named(self, step_id: str) -> Step:
        """The step of that id, current or former; UnknownStep where there is none."""
        return self.place_named(step_id)[1]

    def place_named(self, step_id: str) -> tuple[Module, Step]:
        """The step of that id and the module that holds it; UnknownStep where there is none."""
        place = self._places.get(step_id)
        if place is None:
            raise UnknownStep("the course has no step of that name; its outline lists them", field="step")
        return place

    def step_by_key(self, key: str) -> Step:
        """The step whose progress is kept under the key; KeyError where this version has none."""
        step = self._places[key][1]
        if step.key != key:
            raise KeyError(key)
        return step

    def module_of(self, step_id: str) -> Module | None:
        """The module that holds the step of that id, current or former."""
        place = self._places.get(step_id)
        return place[0] if place else None

    def dependents(self, key: str) -> Sequence[Module]:
        """The modules that require the one of that key."""
        return self._dependents.get(key, ())

    def module(self, module_id: str) -> Module | None:
        """The module of that id, current or former."""
        return self._modules.get(module_id)

    def module_id(self, key: str) -> str:
        """The id in this version of the module of that key; the key itself where this version has none."""
        found = self._modules.get(key)
        return key if found is None else found.id

    def required(self, module: Module) -> list[str]:
        """The ids in this version of the modules that a module requires."""
        return [self.module_id(key) for key in module.requires]


# Stands in for the course when reading entries that belong to none.
NO_COURSE: Final = Course(id="", title="", modules=())
