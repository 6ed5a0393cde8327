"""Files that an admin sent to be imported."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Sent(NamedTuple):
    """A file that was sent."""

    name: str
    content: bytes


class Upload(NamedTuple):
    """Files of a format to import, or to try in a dry run; `json-files` may come with a map of the course."""

    format: str
    files: Sequence[Sent]
    course_map: Mapping[str, Any] | None = None
    dry_run: bool = False
