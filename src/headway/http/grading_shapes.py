"""The shapes of grading by hand: what a course's creator reads, sends, and gets back."""

from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from headway.domain.changes import Change
from headway.http.sent_shapes import Id, Score, Slug
from headway.http.shapes import StepProgress
from headway.ledger.by_hand import FEEDBACK_MAX, REASON_MAX
from headway.ledger.effects import Value
from headway.views.submissions import Submission

Learner: TypeAlias = Annotated[str, Meta(min_length=1, max_length=255, description="An id or an external id.")]
Reason: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=REASON_MAX, description="Why; whom it is about can read it.")
]


class SubmissionList(Struct):
    """What was handed in, the oldest first; `guides` are the manifest's notes for graders, by step."""

    items: list[Submission]
    next_cursor: str | None
    guides: dict[str, str]


class GradeSent(Struct, forbid_unknown_fields=True):
    """A grade for an attempt; with an id it can be sent again and counts once."""

    learner: Learner
    attempt: Id
    score: Score
    feedback: Annotated[str, Meta(max_length=FEEDBACK_MAX)] | UnsetType | None = UNSET
    id: Id | UnsetType | None = UNSET


class GradeResult(Struct):
    """What became of a grade: recorded, duplicate, or kept, where the attempt has a higher one."""

    id: str
    status: str


class GradeTold(Struct, omit_defaults=True):
    """What became of the grade, how the step stands, and what that brought about; `why` if a higher grade was kept."""

    result: GradeResult
    progress: StepProgress
    changes: list[Change]
    why: str | UnsetType = UNSET


class RegradeSent(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A step to be judged anew; with `learner`, an override by `score`, or a waiver by `waive`.

    With `final` the score counts even where it is lower. With an id an override can be sent again and counts once.
    """

    step: Slug
    reason: Reason
    learner: Learner | UnsetType | None = UNSET
    score: Score | UnsetType = UNSET
    waive: bool = False
    final: bool = False
    id: Id | UnsetType | None = UNSET


class FigureUpdated(Struct):
    """A figure of a learner that changed. Scores are 0 to 1; for a grant, `new` is the module or course."""

    learner: str
    run: int
    field: str
    old: Value
    new: Value


class ScoreKept(Struct):
    """A score that stays although it would have been lower: `instead`, or null where that cannot be judged."""

    learner: str
    attempt: str | None
    score: float | None
    instead: float | None
    why: str


class RegradeTold(Struct):
    """Whose result changed, or with a dry run would; the lists hold the first thousand, `left_out` counts the rest."""

    dry_run: bool
    total: int
    updated: int
    unchanged: int
    updates: list[FigureUpdated]
    kept: list[ScoreKept]
    left_out: int
    note: str
