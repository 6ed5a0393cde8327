"""The bodies of recording as the contract shows them; what does not fit is refused event by event."""

from typing import Annotated, Any, Final, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

Time: TypeAlias = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
Id: TypeAlias = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
Slug: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
Duration: TypeAlias = Annotated[float, Meta(ge=0, le=86_400, description="Seconds; at most an hour an event counts.")]
Hints: TypeAlias = Annotated[int, Meta(ge=0, le=1_000)]
_SCORE: Final = {
    "description": (
        "0 to 1, or above 1 a percentage up to 100; or an object that says its scale. Kept in millionths of 0 to 1."
    ),
    "oneOf": [
        {"type": "number"},
        {"type": "string"},
        {"type": "null"},
        {
            "type": "object",
            "properties": {"raw": {"type": "number"}, "min": {"type": "number"}, "max": {"type": "number"}},
            "required": ["raw", "max"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"scaled": {"type": "number"}},
            "required": ["scaled"],
            "additionalProperties": False,
        },
    ],
}
Score: TypeAlias = Annotated[Any, Meta(extra_json_schema=_SCORE)]
SentAt: TypeAlias = Annotated[
    str,
    Meta(
        description=(
            "The client's clock when it sends. Where that differs from the server's by more than five minutes, the"
            " times of the events are corrected by the difference."
        ),
        extra_json_schema={"format": "date-time"},
    ),
]


class EventSent(Struct, forbid_unknown_fields=True):
    """An event: `id` is made by the client before its first try, and makes sending it again harmless."""

    id: Id
    type: Literal["opened", "worked", "attempted", "completed"]
    course: Slug
    step: Slug
    occurred_at: Time
    score: Score | UnsetType = UNSET
    duration_s: Duration | UnsetType | None = UNSET
    hints: Hints | UnsetType | None = UNSET
    response: Any = UNSET


class EventsSent(Struct, forbid_unknown_fields=True):
    """Events of one learner, in any order; each is judged by itself."""

    events: Annotated[list[EventSent], Meta(min_length=1, max_length=500)]
    sent_at: SentAt | UnsetType | None = UNSET


class CompletionSent(Struct, forbid_unknown_fields=True):
    """A completion; without an id it is new each time that it is sent."""

    id: Id | UnsetType | None = UNSET
    occurred_at: Time | UnsetType | None = UNSET
    score: Score | UnsetType = UNSET
    duration_s: Duration | UnsetType | None = UNSET
    hints: Hints | UnsetType | None = UNSET
    response: Any = UNSET
    sent_at: SentAt | UnsetType | None = UNSET


class AttemptSent(Struct, forbid_unknown_fields=True):
    """An answer to be graded; without an id it is a new attempt each time that it is sent."""

    answer: Any
    id: Id | UnsetType | None = UNSET
    occurred_at: Time | UnsetType | None = UNSET
    duration_s: Duration | UnsetType | None = UNSET
    hints: Hints | UnsetType | None = UNSET
    sent_at: SentAt | UnsetType | None = UNSET
