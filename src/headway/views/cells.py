"""Lines of tables that people open in spreadsheets: no cell of theirs is taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Final

# Spreadsheets go by it.
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# The wide ones count as the others where people write with them.
_SIGNS: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_FORMULA: Final = re.compile(rf"[{_SIGNS}\t\r\n']")
# Where a spreadsheet takes a semicolon or a tab for what separates cells, another one begins within the text.
_WITHIN: Final = re.compile(rf"([;\t\r\n][\"'\s]*)(?=[{_SIGNS}])")


def lines(rows: Iterable[Iterable[object]]) -> bytes:
    """Rows as lines of RFC 4180."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return value
    kept = _WITHIN.sub(r"\1'", value)
    return f"'{kept}" if _FORMULA.match(value) else kept
