"""What audit finds."""

from typing import Final, NamedTuple, TypeAlias

Value: TypeAlias = str | int | float | bool | None
FAULTS_SHOWN: Final = 1000
_SHOWN_MAX: Final = 200


class Fault(NamedTuple):
    """A stored value that is not what follows from the ledger; `true` is what does, or says that nothing can."""

    table: str
    learner: str
    key: str
    column: str
    stored: object
    true: object


class Found:
    """Faults as they are found: how many, and the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self.first = list[Fault]()

    def add(self, faults: list[Fault]) -> None:
        """Count more of them in."""
        self._add(len(faults), faults)

    def join(self, others: "Found") -> None:
        """Count in what was found elsewhere."""
        self._add(others.count, others.first)

    def _add(self, count: int, first: list[Fault]) -> None:
        self.count += count
        self.first += first[: max(0, FAULTS_SHOWN - len(self.first))]


def shown(value: object) -> Value:
    """A stored value as it is told; long texts are cut."""
    if value is None or isinstance(value, int | float | bool):
        return value
    text = str(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"
