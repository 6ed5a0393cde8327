"""The shapes of courses, as the contract tells them: what an author sends, and what a reader is given."""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from headway.http.impact import Impact

StepKind: TypeAlias = Literal["lesson", "quiz", "assignment", "assessment", "exercise"]
CompleteBy: TypeAlias = Literal["score", "steps"]
Policy: TypeAlias = Literal["best", "latest", "first", "average"]
Evidence: TypeAlias = Literal["any", "graded"]
Format: TypeAlias = Literal["exit", "junit", "tap"]
Percent: TypeAlias = Annotated[float, Meta(ge=0, le=100)]
GraderConfig: TypeAlias = Annotated[
    dict[str, Any],
    Meta(description="`type` names the grader: choice, multiple, text, regex, number, order, manual, or a plugin's."),
]


class ManifestTest(Struct):
    """How an exercise is tested on a learner's machine: the words of a command, and what it reports."""

    command: list[str]
    report: str | UnsetType = UNSET
    format: Format | UnsetType = UNSET
    timeout_s: int | UnsetType = UNSET


class ManifestStep(Struct):
    """A step as its author writes it."""

    id: str
    kind: StepKind
    title: str
    topics: list[str] | UnsetType = UNSET
    pass_mark: Percent | UnsetType = UNSET
    weight: float | UnsetType = UNSET
    points: int | UnsetType = UNSET
    prompt: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    grader: GraderConfig | UnsetType = UNSET
    renamed_from: list[str] | UnsetType = UNSET
    files: dict[str, str] | UnsetType = UNSET
    test: ManifestTest | UnsetType = UNSET


class ManifestModule(Struct):
    """A module as its author writes it."""

    id: str
    title: str
    steps: list[ManifestStep]
    description: str | UnsetType = UNSET
    requires: list[str] | UnsetType = UNSET
    pass_mark: Percent | UnsetType = UNSET
    complete_by: CompleteBy | UnsetType = UNSET
    weight: float | UnsetType = UNSET
    weights: dict[str, float] | UnsetType = UNSET
    policies: dict[str, Policy] | UnsetType = UNSET
    renamed_from: list[str] | UnsetType = UNSET


class Manifest(Struct):
    """A course as its author writes it; what is left out has the defaults that the outline shows."""

    id: str
    title: str
    modules: list[ManifestModule]
    description: str | UnsetType = UNSET
    locale: str | UnsetType = UNSET
    certificate: bool | UnsetType = UNSET
    pass_mark: Percent | UnsetType = UNSET
    complete_by: CompleteBy | UnsetType = UNSET
    weights: dict[str, float] | UnsetType = UNSET
    policies: dict[str, Policy] | UnsetType = UNSET
    evidence: Evidence | UnsetType = UNSET


class OutlineTest(Struct, forbid_unknown_fields=True):
    """How an exercise is tested; `report` is the file that the command writes, else its output is read."""

    command: list[str]
    report: str | None
    format: Format
    timeout_s: int


class OutlineStep(Struct, forbid_unknown_fields=True):
    """A step as a reader sees it; `grader` holds no answer."""

    id: str
    kind: StepKind
    title: str
    topics: list[str]
    pass_mark: float
    weight: float
    points: int
    prompt: str | None
    body: str | None
    url: str | None
    grader: GraderConfig | None
    renamed_from: list[str]
    files: list[str]
    test: OutlineTest | None


class StepShown(OutlineStep, forbid_unknown_fields=True):
    """A step as a reader sees it, with its files: text by path."""

    version: int
    files: dict[str, str]  # type: ignore[assignment]  # in the outline the paths alone


class OutlineModule(Struct, forbid_unknown_fields=True):
    """A module as a reader sees it."""

    id: str
    title: str
    description: str | None
    requires: list[str]
    pass_mark: float
    complete_by: CompleteBy
    weight: float
    weights: dict[str, float]
    policies: dict[str, Policy]
    steps: list[OutlineStep]
    renamed_from: list[str]


class Outline(Struct, forbid_unknown_fields=True):
    """A course as a reader sees it, with every default filled in."""

    version: int
    id: str
    title: str
    description: str | None
    locale: str | None
    certificate: bool
    pass_mark: float
    complete_by: CompleteBy
    weights: dict[str, float]
    policies: dict[str, Policy]
    evidence: Evidence
    modules: list[OutlineModule]


class CourseListed(Struct):
    """A course of the catalog."""

    id: str
    title: str
    version: int
    created_at: str


class CoursePage(Struct):
    """Courses in order of id."""

    items: list[CourseListed]
    next_cursor: str | None


class CoursePublished(Struct):
    """The version now in force (with a dry run: the one that would be), and what it changes."""

    course: str
    version: int
    impact: Impact


class Enrollment(Struct):
    """Whether the learner is enrolled."""

    course: str
    enrolled: bool


class RunAsked(Struct):
    """`id` is a UUID that the client makes before its first try: sent again, it begins no other run."""

    id: str | UnsetType = UNSET


class RunBegun(Struct):
    """The run of the course that the learner is in from now on."""

    course: str
    run: int
    started_at: str
