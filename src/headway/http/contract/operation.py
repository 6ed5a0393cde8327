"""What an operation of the contract is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

# anyone: nobody, guests and accounts alike; learner: guests and accounts; public: who asks is not looked at.
Callers: TypeAlias = Literal["public", "anyone", "learner", "account", "creator", "admin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: its replies by status, and the refusals that do not follow from the rest.

    These follow: of a write 401, 403 and 503, of a body 400, 413, 415 and 422, of a name in the path 404.
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
    # Of those replies whose shape is another than the rest's.
    given_apart: Mapping[int, Any] | None = None
    method: str | None = None
    # What 200 can be as well: the schema by the media type.
    also: Mapping[str, Mapping[str, Any]] | None = None
    # What 200 is where it is no JSON of a shape.
    media: Mapping[str, Mapping[str, Any]] | None = None

    def example(self, status: int) -> Any:
        """The example of a reply; None where there is none."""
        return (self.given_apart or {}).get(status, self.given)
