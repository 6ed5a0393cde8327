"""Bars and tables for the terminal, without a library, so that `headway status` starts fast."""

import os
import sys
import unicodedata
from collections.abc import Sequence
from typing import Final

from headway.cli.screen import BOLD, DIM, END, GREEN, is_unicode

_BAR: Final = 20
_GAP: Final = 2


def bold(text: str) -> str:
    """Bold text, where the terminal has colors."""
    return _painted(text, BOLD)


def dim(text: str) -> str:
    """Dim text, where the terminal has colors."""
    return _painted(text, DIM)


def bar(percent: float) -> str:
    """A percentage as a bar; full only at 100."""
    full, empty = ("█", "░") if is_unicode() else ("#", "-")
    length = min(_BAR, max(0, int(percent * _BAR / 100)))
    return _painted(full * length, GREEN) + dim(empty * (_BAR - length))


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines of aligned columns, cut at the width of the terminal if there is one."""
    import shutil

    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    most = shutil.get_terminal_size((200, 24)).columns
    lines = []
    for row in rows:
        line = "".join(
            cell + " " * (size - width(cell) + _GAP) for cell, size in zip(row, widths, strict=True)
        ).rstrip()
        lines.append(line if width(line) <= most or not sys.stdout.isatty() else _cut(line, most))
    return lines


def width(text: str) -> int:
    """How many cells a text takes in a terminal."""
    return sum(_cells(sign) for sign in _plain(text))


def clean(text: object) -> str:
    """Text of others, without characters that could move the cursor or change colors."""
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in str(text))


def _cells(sign: str) -> int:
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def _cut(line: str, most: int) -> str:
    plain = _plain(line)
    while plain and width(plain) > most - 1:
        plain = plain[:-1]
    return plain + "…"


def _plain(text: str) -> str:
    for mark in (BOLD, DIM, GREEN, END):
        text = text.replace(mark, "")
    return text


def _painted(text: str, mark: str) -> str:
    has_colors = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"{mark}{text}{END}" if has_colors and text else text
