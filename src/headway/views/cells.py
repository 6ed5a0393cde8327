"""Lines of CSV that people open in spreadsheets: no cell is taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Final

# Spreadsheets detect UTF-8 by it.
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# The wide signs count like the others in spreadsheets of languages that use them.
_SIGNS: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_FORMULA: Final = re.compile(rf"[{_SIGNS}\t\r\n']")
# If a spreadsheet takes a semicolon or a tab for the separator, another cell begins within the text.
_WITHIN: Final = re.compile(rf"([;\t\r\n][\"'\s]*)(?=[{_SIGNS}])")


def lines(rows: Iterable[Iterable[object]]) -> bytes:
    """Return rows as lines of CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: object) -> object:
    """Return a cell's value so that no spreadsheet takes it for a formula."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return value
    kept = _WITHIN.sub(r"\1'", value)
    return f"'{kept}" if _FORMULA.match(value) else kept
