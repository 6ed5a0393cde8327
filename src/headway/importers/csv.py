"""Headway's own events as CSV: one row per event, with the columns named in the first line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from headway.domain.errors import Invalid
from headway.importers.own_events import FIELDS, REQUIRED, TOLD, record_of
from headway.importers.reading import CsvRow, name_of, size_of, table_of
from headway.importers.records import ImportFailed, Item, Read, Reject
from headway.store.tally import tally

COLUMNS: Final = ("learner", "id", *FIELDS, *TOLD)
_NUMBERS: Final = ("score", "duration_s", "hints")
_JSON_BEGINS: Final = ("{", "[", '"')


class Csv:
    """CSV files of events, each row with its learner."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths
        self.size = size_of(paths)

    def manifests(self) -> Iterable[Mapping[str, Any]]:
        """None: the courses are published already."""
        return ()

    def items(self, read: Read) -> Iterator[Item]:
        """One item per row."""
        for path in self.paths:
            table = table_of(path, read)
            header = next(table, None)
            if isinstance(header, Reject):
                raise ImportFailed(f"{name_of(path)}: {header.message}")
            columns = _checked_header(header.cells if header else [], name_of(path))
            with tally() as seen:
                for row in table:
                    yield row if isinstance(row, Reject) else _item(row, columns, seen)


def _checked_header(cells: Sequence[str], name: str) -> list[str]:
    columns = [cell.strip() for cell in cells]
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise ImportFailed(
            f"{name} has no column {', '.join(missing)}; its first line must name the columns, with commas"
        )
    strange = [column for column in columns if column not in COLUMNS]
    if strange:
        raise ImportFailed(f"{name} has a column {strange[0]!r} that no event has; there are {', '.join(COLUMNS)}")
    if len(set(columns)) < len(columns):
        raise ImportFailed(f"{name} names a column twice")
    return columns


def _item(row: CsvRow, columns: Sequence[str], seen: Any) -> Item:
    given = {name: _value(name, cell) for name, cell in zip(columns, row.cells, strict=True) if cell.strip()}
    try:
        return record_of(row.place, given, seen)
    except Invalid as fault:
        return Reject.of(row.place, fault)


def _value(name: str, cell: str) -> Any:
    """The value of a cell: a number in columns of numbers, JSON in a response that looks like it, else text."""
    if name in _NUMBERS or (name == "response" and cell.startswith(_JSON_BEGINS)):
        try:
            return msgspec.json.decode(cell)
        except (msgspec.DecodeError, RecursionError):
            return cell
    return cell
