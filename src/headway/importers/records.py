"""What an importer makes of each record that it reads: an event of a learner, something left out, or a reject."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, Protocol, Self, TypeAlias

from headway.domain.errors import HeadwayError, Invalid
from headway.domain.events import Event

EXTERNAL_ID_MAX: Final = 255


class Place(NamedTuple):
    """Where a record stands; `record` is which of its file it is, from 1, where many may stand on one line."""

    file: str
    line: int
    record: int | None = None


class Record(NamedTuple):
    """An event to record; `learner` is an external id, or the UUID of a learner that is known."""

    place: Place
    learner: str
    event: Event


class LeftOut(NamedTuple):
    """A record that is right and yet no event; `why` is a stable slug."""

    place: Place
    why: str


class Reject(NamedTuple):
    """A record that cannot be taken; `reason` is a stable slug, `message` says what to mend."""

    place: Place
    reason: str
    message: str

    @classmethod
    def of(cls, place: Place, problem: HeadwayError) -> Self:
        """The reject that a refusal makes of a record."""
        return cls(place, problem.code, problem.detail)


class Doubted(NamedTuple):
    """Something about a record that was taken and may be wrong; `reason` is a stable slug."""

    place: Place
    reason: str
    message: str


class Streak(NamedTuple):
    """A longest streak, in days, that was recorded elsewhere."""

    place: Place
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
    """One format: the courses that it brings, and its records one by one."""

    @property
    def size(self) -> int | None:
        """How many bytes there are to read, where that is known."""

    def manifests(self) -> Iterable[Mapping[str, Any]]:
        """The courses to publish before anything is recorded."""

    def items(self, read: Read) -> Iterable[Item]:
        """All records, in bounded memory; `read` is told of bytes as they are read."""


def checked_learner(name: object) -> str:
    """A learner's external id or UUID as a record gives it; Unreadable where it can be neither."""
    if not isinstance(name, str) or not 1 <= len(name) <= EXTERNAL_ID_MAX or not name.isprintable() or not name.strip():
        raise Unreadable(
            f"learner must be an external id of 1 to {EXTERNAL_ID_MAX} characters, or a UUID", field="learner"
        )
    return name.strip()
