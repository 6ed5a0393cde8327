"""The bodies that the opponent takes and gives: those of Headway's `POST /api/v1/events`."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field


def _on_one_scale(sent: Any) -> Any:
    """A score from 0 to 1: above 1 up to 100 is a percentage, beyond is cut off."""
    if isinstance(sent, bool) or not isinstance(sent, int | float):
        return sent
    return max(0.0, min(1.0, sent / 100 if sent > 1 else sent))


Slug = Annotated[str, Field(min_length=1, max_length=200)]
Score = Annotated[float, BeforeValidator(_on_one_scale), Field(ge=0, le=1, strict=True)]


class EventIn(BaseModel):
    """One event, as a client sends it."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    type: Literal["opened", "worked", "attempted", "completed"]
    course: Slug
    step: Slug
    occurred_at: AwareDatetime
    score: Score | None = None


class EventsIn(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid")

    events: Annotated[list[EventIn], Field(min_length=1, max_length=500)]


class ResultOut(BaseModel):
    """What became of one event."""

    id: UUID
    status: Literal["recorded", "duplicate", "refused"]
    problem: str | None = None


class StepOut(BaseModel):
    """How the learner now stands on a step."""

    model_config = ConfigDict(from_attributes=True)

    course: str
    step: str
    attempts: int
    best_score: float | None
    latest_score: float | None
    completed_at: AwareDatetime | None
    updated_at: AwareDatetime


class ChangeOut(BaseModel):
    """What the request brought about."""

    type: Literal["step_completed"] = "step_completed"
    course: str
    step: str


class EventsOut(BaseModel):
    """The body of a response."""

    results: list[ResultOut]
    steps: list[StepOut]
    changes: list[ChangeOut]


class GuestOut(BaseModel):
    """A new guest and the token to write with."""

    learner: UUID
    token: str
