"""What the server tells, as types: the fields of its contract that a client is likely to want."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypedDict, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What was read: `data`, as of `at`; `is_fresh` is False if the server was not asked or could not be reached.

    `trouble` says why it could not be reached.
    """

    data: T
    at: datetime
    is_fresh: bool
    trouble: str | None = None


def together(data: T, parts: Sequence[Answer[Any]]) -> Answer[T]:
    """Several answers as one: as old as the oldest of them, and fresh if all are."""
    trouble = next((one.trouble for one in parts if one.trouble), None)
    return Answer(data, min(one.at for one in parts), all(one.is_fresh for one in parts), trouble)


class StreakSummary(TypedDict):
    """Active days in a row."""

    current: int
    longest: int
    last_active_on: str | None
    active_today: bool
    freezes: int


class CourseSummary(TypedDict):
    """How a learner stands in one of their courses."""

    course: str
    title: str
    version: int
    enrolled: bool
    status: str
    percent: float
    steps_completed: int
    steps_total: int
    updated_at: str | None


class Overview(TypedDict):
    """A learner at a glance."""

    exercises_completed: int
    steps_completed: int
    attempts: int
    average_percent: float | None
    duration_s: float
    hints: int
    points: int
    streak: StreakSummary
    achievements: dict[str, int]
    skill_levels: list[dict[str, Any]]
    courses: list[CourseSummary]


class StepStanding(TypedDict):
    """How a learner stands on a step; scores are 0 to 1."""

    id: str
    kind: str
    title: str
    status: str
    attempts: int
    best_score: float | None
    latest_score: float | None
    completed: bool
    completed_at: str | None
    feedback: str | None


class ModuleProgress(TypedDict):
    """How a learner stands in a module."""

    id: str
    title: str
    status: str
    score_percent: float
    completed_at: str | None
    locked_by: list[str]
    to_go: dict[str, Any] | None
    breakdown: list[dict[str, Any]]
    missing: list[dict[str, Any]]
    steps: list[StepStanding]


class CourseProgress(TypedDict):
    """How a learner stands in a course."""

    course: str
    version: int
    run: int
    enrolled: bool
    status: str
    percent: float
    score_percent: float
    completed_at: str | None
    certificate: str | None
    modules: list[ModuleProgress]


class History(TypedDict):
    """What a learner did, day by day."""

    days: list[dict[str, Any]]


class CourseListed(TypedDict):
    """A course of the catalog."""

    id: str
    title: str
    version: int
    created_at: str


class OutlineStep(TypedDict):
    """A step as its author wrote it; `grader` holds no answer."""

    id: str
    kind: str
    title: str
    topics: list[str]
    pass_mark: float
    weight: float
    points: int
    prompt: str | None
    body: str | None
    url: str | None
    grader: dict[str, Any] | None
    renamed_from: list[str]
    files: list[str]
    test: dict[str, Any] | None


class StepShown(TypedDict):
    """A step with its files: text by path."""

    version: int
    id: str
    title: str
    files: dict[str, str]
    test: dict[str, Any] | None


class OutlineModule(TypedDict):
    """A module as its author wrote it."""

    id: str
    title: str
    description: str | None
    requires: list[str]
    steps: list[OutlineStep]


class Outline(TypedDict):
    """A course as its author wrote it."""

    version: int
    id: str
    title: str
    description: str | None
    certificate: bool
    modules: list[OutlineModule]
