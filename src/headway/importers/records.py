"""What an importer makes of each record that it reads: a learner's event, an item left out, a reject and others."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, Protocol, Self, TypeAlias

from headway.domain.errors import HeadwayError, Invalid
from headway.domain.events import Event

EXTERNAL_ID_MAX: Final = 255


class Location(NamedTuple):
    """Where a record is; `record` numbers the records of a file, from 1, where many may be on one line."""

    file: str
    line: int
    record: int | None = None


class Record(NamedTuple):
    """An event to record; `learner` is an external id, or the UUID of a learner that is known."""

    place: Location
    learner: str
    event: Event


class LeftOut(NamedTuple):
    """A valid record that is no event; `why` is a stable slug."""

    place: Location
    why: str


class Reject(NamedTuple):
    """A record that cannot be imported; `reason` is a stable slug, `message` says what to fix."""

    place: Location
    reason: str
    message: str

    @classmethod
    def of(cls, place: Location, problem: HeadwayError) -> Self:
        """The reject of a record, from the error that refused it."""
        return cls(place, problem.code, problem.detail)


class Doubted(NamedTuple):
    """A doubt about a record that was imported and may be wrong; `reason` is a stable slug."""

    place: Location
    reason: str
    message: str


class Streak(NamedTuple):
    """A longest streak, in days, that was recorded elsewhere."""

    place: Location
    learner: str
    longest: int


Item: TypeAlias = Record | LeftOut | Reject | Doubted | Streak
Read: TypeAlias = Callable[[int], None]


class Unreadable(Invalid):
    """The record cannot be read."""


class ImportFailed(HeadwayError):
    """The import cannot be done."""

    code = "import-failed"


class Importer(Protocol):
    """An importer of one format: the courses that its files bring, and their records one by one."""

    @property
    def size(self) -> int | None:
        """The number of bytes to read; None where it is not known."""

    def manifests(self) -> Iterable[Mapping[str, Any]]:
        """The courses to publish before anything is recorded."""

    def items(self, read: Read) -> Iterable[Item]:
        """All items, in bounded memory; `read` is called with the number of bytes read since its last call."""


def checked_learner(name: object) -> str:
    """A learner's external id or UUID from a record, trimmed; Unreadable where it can be neither."""
    if not isinstance(name, str) or not 1 <= len(name) <= EXTERNAL_ID_MAX or not name.isprintable() or not name.strip():
        raise Unreadable(
            f"learner must be an external id of 1 to {EXTERNAL_ID_MAX} characters, or a UUID", field="learner"
        )
    return name.strip()
