"""The file of a backup: compressed lines of JSON, the last of which proves that the file is whole.

The first line holds format, revision and time. Each table begins with a line of its name and columns, each of its rows
is an array, and a line with the number of rows ends it. The last line holds the SHA-256 of all lines before it.
"""

import gzip
import hashlib
import zlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import msgspec

from headway.domain.errors import HeadwayError
from headway.store.rows import Row

FORMAT: Final = 1
# The first bytes of every such file: a gzip header without time and name, as written below.
_BEGINNING: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
# A mark in its first line, and within how many bytes it begins.
_FIRST: Final = b'"headway_backup"'
_BLOCK: Final = 4096
_COMPRESSION: Final = 6
_LINE_MAX: Final = 64 * 1024**2
_WRITTEN_AT_ONCE: Final = 256 * 1024


class BackupUnusable(HeadwayError):
    """A file is no whole backup."""

    code = "backup-unusable"


class Header(NamedTuple):
    """When a backup was taken (microseconds), its tables' revision, Headway's version, and the kind of database."""

    taken_at: int
    revision: str
    headway: str
    database: str


class Totals(NamedTuple):
    """What a whole file holds: rows by table, and the digest."""

    tables: dict[str, int]
    sha256: str

    @property
    def rows(self) -> int:
        """The number of rows of all tables."""
        return sum(self.tables.values())


class TableFound(NamedTuple):
    """A table in a file; its rows must be read before the next."""

    name: str
    columns: list[str]
    rows: Iterator[Row]


def is_one(path: Path) -> bool:
    """Return whether a file is a backup, whole or cut off, or empty."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        zipped = file.read(_BLOCK)
    try:
        return not zipped or _FIRST in zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(zipped, _BLOCK)
    except zlib.error:
        return False


class Writing:
    """A backup that is being written into an open file."""

    def __init__(self, file: IO[bytes], header: Header) -> None:
        self._zipped = gzip.GzipFile("", "wb", _COMPRESSION, file, mtime=0)
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self._counts: dict[str, int] = {}
        self._line({"headway_backup": FORMAT, **header._asdict()})

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Row]) -> int:
        """Write a table, and return how many rows it has."""
        self._line({"table": name, "columns": [str(one) for one in columns]})
        count = 0
        for row in rows:
            self._line(row)
            count += 1
        self._line({"rows": count})
        self._counts[name] = count
        return count

    def close(self) -> Totals:
        """Write the last line, which makes the file whole, and return the totals."""
        self._flush()
        sha256 = self._digest.hexdigest()
        self._line({"end": len(self._counts), "sha256": sha256})
        self._flush()
        self._zipped.close()
        return Totals(self._counts, sha256)

    def _line(self, value: object) -> None:
        self._waiting += msgspec.json.encode(value)
        self._waiting += b"\n"
        if len(self._waiting) >= _WRITTEN_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._digest.update(self._waiting)
        self._zipped.write(self._waiting)
        self._waiting.clear()


class Reading:
    """A backup that is being read: `header` first, then `tables`, then `totals`. BackupUnusable says what is wrong."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = self._read()
        self._digest = hashlib.sha256()
        self._counts: dict[str, int] = {}
        self._totals: Totals | None = None
        self.header = self._header()

    @property
    def totals(self) -> Totals:
        """The totals, available once all tables were read."""
        if self._totals is None:
            raise self._damaged()
        return self._totals

    def tables(self) -> Iterator[TableFound]:
        """The tables, one after the other."""
        for line in self._lines:
            found = self._object(line)
            if "end" in found:
                self._end(found)
                return
            name, columns = found.get("table"), _texts(found.get("columns"))
            if not isinstance(name, str) or not columns or name in self._counts:
                raise self._damaged()
            yield TableFound(name, columns, self._rows(name, len(columns)))
            if name not in self._counts:
                raise self._damaged()
        raise self._damaged()

    def close(self) -> None:
        """Close the file."""
        self._lines.close()

    def _rows(self, name: str, width: int) -> Iterator[Row]:
        count = 0
        for line in self._lines:
            if line[:1] == b"[":
                row = self._value(line)
                if len(row) != width:
                    raise self._damaged()
                count += 1
                yield row
                continue
            if self._object(line) != {"rows": count}:
                raise self._damaged()
            self._counts[name] = count
            return
        raise self._damaged()

    def _end(self, found: dict[str, Any]) -> None:
        before = self._digest.hexdigest()  # of the lines before this one
        if found != {"end": len(self._counts), "sha256": before} or next(self._lines, None) is not None:
            raise self._damaged()
        self._totals = Totals(self._counts, before)

    def _header(self) -> Header:
        first = next(self._lines, b"")
        if _FIRST not in first:
            raise self._foreign()
        found = self._object(first)
        if found.pop("headway_backup") != FORMAT:
            raise BackupUnusable(f"{self._path} is of a later format than this Headway reads: install the newer one")
        try:
            return msgspec.convert([found.get(name) for name in Header._fields], Header)
        except msgspec.ValidationError:
            raise self._damaged() from None

    def _read(self) -> Generator[bytes, None, None]:
        with self._path.open("rb") as file:
            if file.read(len(_BEGINNING)) != _BEGINNING:
                raise self._foreign()
            file.seek(0)
            with gzip.GzipFile(fileobj=file) as lines:
                while line := self._next(lines):
                    yield line
                    self._digest.update(line)

    def _next(self, lines: gzip.GzipFile) -> bytes:
        try:
            line = lines.readline(_LINE_MAX)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise self._damaged() from None
        if line and not line.endswith(b"\n"):
            raise self._damaged()
        return line

    def _object(self, line: bytes) -> dict[str, Any]:
        found = self._value(line)
        if not isinstance(found, dict):
            raise self._damaged()
        return found

    def _value(self, line: bytes) -> Any:
        try:
            return msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._damaged() from None

    def _foreign(self) -> BackupUnusable:
        return BackupUnusable(f"{self._path} is no backup that `headway backup` wrote")

    def _damaged(self) -> BackupUnusable:
        return BackupUnusable(f"{self._path} is cut short or damaged: nothing of it can be relied on; take another")


def _texts(value: object) -> list[str]:
    listed = value if isinstance(value, list) else []
    return [one for one in listed if isinstance(one, str)]
