"""The faults that an audit finds."""

from typing import Final, NamedTuple, TypeAlias

Value: TypeAlias = str | int | float | bool | None
FAULTS_SHOWN: Final = 1000
_SHOWN_MAX: Final = 200


class Fault(NamedTuple):
    """A stored value that does not follow from the ledger; `true` is the right value, or says that there is none."""

    table: str
    learner: str
    key: str
    column: str
    stored: object
    true: object


class Found:
    """Collects faults: how many, and the first of them."""

    def __init__(self) -> None:
        self.count = 0
        self.first = list[Fault]()

    def add(self, faults: list[Fault]) -> None:
        """Count in more faults."""
        self._add(len(faults), faults)

    def join(self, others: "Found") -> None:
        """Count in the faults of another collection."""
        self._add(others.count, others.first)

    def _add(self, count: int, first: list[Fault]) -> None:
        self.count += count
        self.first += first[: max(0, FAULTS_SHOWN - len(self.first))]


def shown(value: object) -> Value:
    """Return a stored value as it is reported; long texts are cut."""
    if value is None or isinstance(value, int | float | bool):
        return value
    text = str(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"
