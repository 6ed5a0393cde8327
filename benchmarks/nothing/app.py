"""Litestar and msgspec, as under Headway: validate a small body, echo it, store nothing.

Twice: by a handler of Litestar's, and by plain ASGI within its routing, the way of Headway's own hot path.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Litestar, asgi, get, post
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


_decode = msgspec.json.Decoder(Events).decode
_encode = msgspec.json.Encoder().encode


def echo(sent: Events) -> Results:
    """Say of every event that it was recorded, which it was not."""
    return Results([Result(event.id, "recorded", event) for event in sent.events])


@post("/api/v1/events", status_code=200)
async def by_handler(data: Events) -> Results:
    """Echo events, with all that Litestar does for a handler."""
    return echo(data)


@asgi("/api/v1/events", copy_scope=False)
async def by_asgi(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - Litestar asks for the name
    """Echo events, with Litestar's routing alone."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    reply = _encode(echo(_decode(body)))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(reply)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": reply})


@get("/health/ready")
async def ready() -> dict[str, str]:
    """Say that the process is up."""
    return {"status": "ready"}


app = Litestar([by_handler, ready], openapi_config=None, logging_config=None)
bare = Litestar([by_asgi, ready], openapi_config=None, logging_config=None)
