"""Lines of tables that people open in spreadsheets: no cell of theirs is taken for a formula."""

import csv
import io
from collections.abc import Iterable
from typing import Final

# Spreadsheets go by it.
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def lines(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows as lines of RFC 4180."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULAS) else value
