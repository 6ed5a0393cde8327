"""What an operation of the contract is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

# anyone: nobody, guests and accounts alike; learner: guests and accounts; public: who asks is not looked at.
Callers: TypeAlias = Literal["public", "anyone", "learner", "account", "creator", "admin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: its replies by status (`gives`), and the refusals that do not follow from the rest (`refuses`).

    `openapi.py` adds those that follow: 400 always, 503 except for health, 401 unless the public reads, 403 for a
    write, 413, 415 and 422 for a body, 422 for query parameters, and 404 for a name in the path.
    """

    tag: str
    gives: Mapping[int, Any]
    callers: Callers = "anyone"
    takes: Any = None
    may_be_empty: bool = False
    takes_form: bool = False
    refuses: tuple[int, ...] = ()
    has_etag: bool = False
    sent: Any = None
    given: Any = None
    # The examples of replies whose shape differs from that of the others.
    given_apart: Mapping[int, Any] | None = None
    method: str | None = None
    # Other media types that 200 can have, with their schemas.
    also: Mapping[str, Mapping[str, Any]] | None = None
    # The media types of 200, with their schemas, where it is not JSON of a shape.
    media: Mapping[str, Mapping[str, Any]] | None = None

    def example(self, status: int) -> Any:
        """The example of a reply; None where there is none."""
        return (self.given_apart or {}).get(status, self.given)
