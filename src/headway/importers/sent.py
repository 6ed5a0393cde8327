"""Files that an admin sent to be imported."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Sent(NamedTuple):
    """A file as it was sent."""

    name: str
    content: bytes


class Upload(NamedTuple):
    """What is to be imported: files of a format, for `json-files` with a map, or only looked at."""

    format: str
    files: Sequence[Sent]
    course_map: Mapping[str, Any] | None = None
    dry_run: bool = False
