"""Litestar and msgspec, as under Headway: validate a small body, echo it, store nothing."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar import Litestar, get, post
from msgspec import Meta, Struct

Slug = Annotated[str, Meta(min_length=1, max_length=200)]


class Event(Struct, forbid_unknown_fields=True):
    """One event, as a client sends it."""

    id: UUID
    type: Literal["opened", "worked", "attempted", "completed"]
    course: Slug
    step: Slug
    occurred_at: Annotated[datetime, Meta(tz=True)]
    score: Annotated[float, Meta(ge=0, le=100)] | None = None


class Events(Struct, forbid_unknown_fields=True):
    """The body of a request."""

    events: Annotated[list[Event], Meta(min_length=1, max_length=500)]


class Result(Struct):
    """An event, given back."""

    id: UUID
    status: str
    event: Event


class Results(Struct):
    """The body of a response."""

    results: list[Result]


@post("/api/v1/events", status_code=200)
async def post_events(data: Events) -> Results:
    """Say of every event that it was recorded, which it was not."""
    return Results([Result(event.id, "recorded", event) for event in data.events])


@get("/health/ready")
async def ready() -> dict[str, str]:
    """Say that the process is up."""
    return {"status": "ready"}


app = Litestar([post_events, ready], openapi_config=None)
