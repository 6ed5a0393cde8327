"""Files line by line: plain or gzip, with or without a byte-order mark, each line with its number."""

import csv
import gzip
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, NamedTuple

from headway.importers.records import ImportFailed, Location, Read, Reject, Unreadable

STDIN: Final = "-"
LINE_BYTES_MAX: Final = 1024 * 1024
# How much an unclosed quote can swallow; an answer of 64 KiB fits, however it is escaped.
_CELL_MAX: Final = 512 * 1024
_GZIP_MAGIC: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_REPORT_LINES: Final = 1000
_DAMAGED: Final = (EOFError, zlib.error, gzip.BadGzipFile)


class CsvRow(NamedTuple):
    """A row of a CSV file by column; its place is the line on which it begins."""

    place: Location
    cells: Sequence[str]


def size_of(paths: Sequence[Path | str]) -> int | None:
    """The size in bytes of files as they are stored; None where one is standard input or another pipe."""
    return sum(Path(path).stat().st_size for path in paths) if all(map(_is_file, paths)) else None


def _is_file(path: Path | str) -> bool:
    # A missing file counts as a file, so that the error is that of a file.
    return path != STDIN and (Path(path).is_file() or not Path(path).exists())


def folder_of(paths: Sequence[str], otherwise: str) -> Path:
    """The one folder in `paths`; ImportFailed (with the text `otherwise`) where it is not exactly one folder."""
    if len(paths) == 1 and paths[0] != STDIN and not Path(paths[0]).exists():
        raise ImportFailed(f"{paths[0]} cannot be read: there is no such folder")
    if len(paths) != 1 or not Path(paths[0]).is_dir():
        raise ImportFailed(otherwise)
    return Path(paths[0])


def file_in(folder: Path, name: str) -> Path:
    """A file in a folder, plain or gzipped; ImportFailed where there is none."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise ImportFailed(f"there is no {name} or {name}.gz in {folder}")


def name_of(path: Path | str) -> str:
    """The name of a file for messages."""
    return "standard input" if path == STDIN else str(path)


def lines(path: Path | str, read: Read) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, numbered, without line ends; one that is too long is cut, but stays over the limit."""
    with _opened(path) as (raw, data):
        told, number = 0, 0
        try:
            while line := data.readline(LINE_BYTES_MAX + 1):
                number += 1
                if number == 1:
                    line = line.removeprefix(_BOM)
                if len(line) > LINE_BYTES_MAX:
                    _skip_line(data, line)
                yield number, line.rstrip(b"\r\n") if len(line) <= LINE_BYTES_MAX else line
                if number % _REPORT_LINES == 0:
                    told = _tell(raw, told, read)
        except _DAMAGED as error:
            raise ImportFailed(f"{name_of(path)} is damaged after line {number}: {error}") from None
        _tell(raw, told, read)


def content_of(path: Path | str, most: int | None = None, read: Read = lambda _: None) -> bytes:
    """The whole content of a file that is one value; ImportFailed where it holds more than `most` bytes."""
    with _opened(path) as (raw, data):
        try:
            content = data.read(-1 if most is None else most + 1)
        except _DAMAGED as error:
            raise ImportFailed(f"{name_of(path)} is damaged: {error}") from None
        _tell(raw, 0, read)
    if most is not None and len(content) > most:
        raise ImportFailed(f"{name_of(path)} is larger than {most // 2**20} MiB; split it")
    return content.removeprefix(_BOM)


def rows(path: Path | str, read: Read, wanted: Sequence[str]) -> Iterator[CsvRow | Reject]:
    """The rows of a CSV file with a header, each as the cells of the wanted columns in their order."""
    table = table_of(path, read)
    header = next(table, None)
    names = header.cells if isinstance(header, CsvRow) else []
    missing = [name for name in wanted if name not in names]
    if missing:
        raise ImportFailed(f"{name_of(path)} has no column {', '.join(missing)}; its first line must name the columns")
    at = [names.index(name) for name in wanted]
    for row in table:
        yield CsvRow(row.place, [row.cells[n] for n in at]) if isinstance(row, CsvRow) else row


def table_of(path: Path | str, read: Read) -> Iterator[CsvRow | Reject]:
    """The rows of a CSV file, the header first, without blank lines; a row of another width is a reject."""
    width, name = 0, name_of(path)
    reader = csv.reader(_texts(path, read), strict=True)
    csv.field_size_limit(_CELL_MAX)
    while True:
        place = Location(name, reader.line_num + 1)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Reject.of(place, Unreadable(f"the row that begins here is no CSV: {error}"))
            continue
        if cells:
            width = width or len(cells)
            yield _checked(CsvRow(place, cells), width)


def _checked(row: CsvRow, width: int) -> CsvRow | Reject:
    if len(row.cells) != width:
        return Reject.of(row.place, Unreadable(f"the line has {len(row.cells)} cells, the header has {width}"))
    if any(not cell.isascii() and not is_text(cell) for cell in row.cells):
        return Reject.of(row.place, Unreadable("the line is not UTF-8; save the file as UTF-8"))
    return row


def is_text(text: str) -> bool:
    """Whether a text is valid: bytes that are not UTF-8 were decoded as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _texts(path: Path | str, read: Read) -> Iterator[str]:
    for _, line in lines(path, read):
        yield line.decode("utf-8", "surrogateescape") + "\n"


@contextmanager
def _opened(path: Path | str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """A file as it is stored, and its content, unpacked where its first bytes say gzip, whatever its name."""
    try:
        raw: IO[bytes] = sys.stdin.buffer if path == STDIN else Path(path).open("rb")  # noqa: SIM115  # closed below
    except OSError as error:
        raise ImportFailed(f"{path} cannot be read: {error.strerror}") from None
    try:
        packed = raw.peek(2)[:2] == _GZIP_MAGIC  # type: ignore[attr-defined]  # both kinds are buffered readers
        yield raw, gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[misc]  # it reads as they do
    finally:
        if path != STDIN:
            raw.close()


def _tell(raw: IO[bytes], told: int, read: Read) -> int:
    if not raw.seekable():
        return told
    position = raw.tell()
    read(position - told)
    return position


def _skip_line(data: IO[bytes], line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = data.readline(LINE_BYTES_MAX)
