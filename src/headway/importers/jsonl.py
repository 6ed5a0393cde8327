"""Headway's own events as JSON, one object per line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from headway.domain.errors import Invalid
from headway.importers.own_events import record_of
from headway.importers.reading import LINE_BYTES_MAX, lines, name_of, size_of
from headway.importers.records import Item, Location, Read, Reject, Unreadable
from headway.store.tally import Tally, tally


class Jsonl:
    """Files of lines, each an event with its learner."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths
        self.size = size_of(paths)

    def manifests(self) -> Iterable[Mapping[str, Any]]:
        """None: the courses are published already."""
        return ()

    def items(self, read: Read) -> Iterator[Item]:
        """One item per line; blank lines are skipped."""
        for path in self.paths:
            with tally() as seen:
                for number, line in lines(path, read):
                    if line and not line.isspace():
                        yield _item(Location(name_of(path), number), line, seen)


def _item(place: Location, line: bytes, seen: Tally) -> Item:
    try:
        return record_of(place, _object(line), seen)
    except Invalid as fault:
        return Reject.of(place, fault)


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > LINE_BYTES_MAX:
        raise Unreadable(f"the line is longer than {LINE_BYTES_MAX:,} bytes")
    try:
        value = msgspec.json.decode(line.decode())
    except UnicodeDecodeError:
        raise Unreadable("the line is not UTF-8; save the file as UTF-8") from None
    except (msgspec.DecodeError, RecursionError) as error:
        said = str(error).removeprefix("JSON is malformed: ").replace("Input data was truncated", "it ends too early")
        raise Unreadable(f"the line is no JSON: {said}") from None
    if not isinstance(value, dict):
        raise Unreadable("the line must be one JSON object")
    return value
