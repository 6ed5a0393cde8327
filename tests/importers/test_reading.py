"""Files as they come: with marks and odd line ends, packed, damaged, in other encodings."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest

from headway.importers.reading import LINE_BYTES_MAX, CsvRow, file_in, lines, rows, size_of, table_of
from headway.importers.records import ImportFailed, Reject


def nothing(_: int) -> None:
    pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def read_all(path: Path) -> list[tuple[int, bytes]]:
    return list(lines(path, nothing))


def cells(path: Path, *wanted: str) -> list[Sequence[str]]:
    found = list(rows(path, nothing, wanted))
    assert all(isinstance(row, CsvRow) for row in found), found
    return [row.cells for row in found if isinstance(row, CsvRow)]


@pytest.mark.parametrize(
    "content",
    [
        b"one\ntwo\n",
        b"one\r\ntwo\r\n",
        b"one\ntwo",
        b"\xef\xbb\xbfone\r\ntwo",
        gzip.compress(b"\xef\xbb\xbfone\ntwo\n"),
    ],
    ids=["plain", "crlf", "no end", "mark", "packed"],
)
def test_lines_are_the_same_however_the_file_is_written(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert read_all(path) == [(1, b"one"), (2, b"two")]


def test_a_mark_counts_at_the_beginning_alone(path: Path) -> None:
    path.write_bytes(b"one\n\xef\xbb\xbftwo")
    assert read_all(path)[1] == (2, b"\xef\xbb\xbftwo")


def test_a_line_without_end_takes_no_memory_and_spoils_none_behind_it(path: Path) -> None:
    path.write_bytes(b"x" * (3 * LINE_BYTES_MAX) + b"\nnext\n")
    (first, long), second = read_all(path)
    assert (first, len(long)) == (1, LINE_BYTES_MAX + 1)
    assert second == (2, b"next")


def test_all_bytes_of_a_file_are_told_as_they_lie(path: Path) -> None:
    path.write_bytes(gzip.compress(b"some line\n" * 5000))
    told: list[int] = []
    list(lines(path, told.append))
    assert sum(told) == path.stat().st_size == size_of([path])


@pytest.mark.parametrize("cut", [20, -4])
def test_a_damaged_file_ends_the_import_and_says_where(path: Path, cut: int) -> None:
    path.write_bytes(gzip.compress(bytes(range(256)) * 500 + b"\n")[:cut])
    with pytest.raises(ImportFailed, match="is damaged after line"):
        read_all(path)


def test_a_file_that_is_not_there_is_told(path: Path) -> None:
    with pytest.raises(ImportFailed, match="cannot be read: No such file"):
        read_all(path)


def test_columns_are_found_by_name_in_any_order(path: Path) -> None:
    path.write_text('c,a,b\n3,1,"2\nwith a line"\n\n6,4,5\n')
    assert cells(path, "a", "b") == [["1", "2\nwith a line"], ["4", "5"]]


def test_the_line_of_a_row_is_the_one_on_which_it_begins(path: Path) -> None:
    path.write_text('a\n"x\ny"\n\nz\n')
    assert [row.place.line for row in rows(path, nothing, ["a"])] == [2, 5]


def test_a_missing_column_ends_the_import(path: Path) -> None:
    path.write_text("a;b\n1;2\n")
    with pytest.raises(ImportFailed, match="has no column b; its first line must name the columns"):
        list(rows(path, nothing, ["b"]))


def test_a_row_of_another_width_or_encoding_is_rejected_alone(path: Path) -> None:
    path.write_bytes(b"a,b\n1\n" + "2,Zoë\n".encode("latin-1") + "3,Zoë\n".encode())
    first, second, third = rows(path, nothing, ["a", "b"])
    assert isinstance(first, Reject)
    assert "has 1 cells, the header has 2" in first.message
    assert isinstance(second, Reject)
    assert (second.place.line, "not UTF-8" in second.message) == (3, True)
    assert isinstance(third, CsvRow)
    assert third.cells == ["3", "Zoë"]


@pytest.mark.parametrize("tail", ['"x\n4,5', '"x"y\n', '"x\n' + "4,5\n" * 200_000])
def test_a_row_with_broken_quotes_is_rejected_with_the_line_on_which_it_begins(path: Path, tail: str) -> None:
    path.write_text(f"a,b\n1,2\n3,{tail}")
    _, good, bad, *_ = table_of(path, nothing)
    assert isinstance(good, CsvRow)
    assert isinstance(bad, Reject)
    assert (bad.place.line, "is no CSV" in bad.message) == (3, True)


def test_a_cell_that_is_too_long_spoils_no_row_behind_it(path: Path) -> None:
    path.write_text("a,b\n1," + "x" * (LINE_BYTES_MAX + 10) + "\n2,3\n")
    _, bad, good = table_of(path, nothing)
    assert isinstance(bad, Reject)
    assert isinstance(good, CsvRow)
    assert good.cells == ["2", "3"]


def test_a_file_of_a_folder_may_be_packed(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").touch()
    assert file_in(tmp_path, "a.csv").name == "a.csv.gz"
    with pytest.raises(ImportFailed, match=r"there is no b.csv or b.csv.gz in"):
        file_in(tmp_path, "b.csv")
