"""Figures against their targets, and tables of plain text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One measured value and the bound that it must keep."""

    name: str
    value: float
    bound: Literal["at least", "under"]
    # None where it is told for comparison only.
    target: float | None
    form: str = ",.0f"
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the bound is kept; what could not be measured keeps none."""
        if self.target is None:
            return True
        return self.value >= self.target if self.bound == "at least" else self.value < self.target

    def row(self) -> tuple[str, ...]:
        """The figure as a row of a table."""
        value = f"{self.value:{self.form}}{self.unit}"
        if self.target is None:
            return self.name, value, "", "", ""
        # How well: above 1 is better than asked, by that factor.
        above, below = (self.value, self.target) if self.bound == "at least" else (self.target, self.value)
        margin = f"{above / below:.2f}" if below else ""
        target = f"{self.bound} {self.target:{self.form}}{self.unit}"
        return self.name, value, target, margin, "met" if self.met else "MISSED"

    def plain(self) -> dict[str, object]:
        """The figure as JSON takes it."""
        value = None if math.isnan(self.value) else self.value
        return {
            "name": self.name,
            "value": value,
            "bound": self.bound,
            "target": self.target,
            "unit": self.unit.strip(),
            "met": self.met,
        }


FIGURE_HEADS = ("figure", "measured", "target", "margin", "")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns in line: the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(_line(row, widths) for row in (heads, rule, *rows))


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
