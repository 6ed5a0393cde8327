"""A copy of plain JSON data, limited in depth and size, for configurations of graders."""

from collections.abc import Mapping
from typing import Final

from headway.domain.faults import Faults, join
from headway.domain.fields import exact_number, kind_of, text_fault

DEPTH_MAX: Final = 16
VALUES_MAX: Final = 10_000
TEXT_MAX: Final = 20_000
_INTEGER_MAX: Final = 10**300


class _Copier:
    """Counts values while it copies: aliases in YAML can make a billion out of a page."""

    __slots__ = ("faults", "left")

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.left = VALUES_MAX

    def copy(self, value: object, path: str, depth: int) -> object:
        self.left -= 1
        if depth > DEPTH_MAX or self.left < 0:
            if self.left >= -1:
                limits = f"is nested deeper than {DEPTH_MAX} or holds more than {VALUES_MAX:,} values"
                self.faults.add(path, f"{limits}; split the question, or leave something out")
            self.left = -2  # said once; what is left unread is refused with it
            return None
        if isinstance(value, Mapping):
            return {
                str(name): self.copy(part, join(path, str(name)), depth + 1)
                for name, part in value.items()
                if self._is_name(name, path)
            }
        if isinstance(value, list | tuple):
            return [self.copy(part, join(path, i), depth + 1) for i, part in enumerate(value)]
        return self._scalar(value, path)

    def _scalar(self, value: object, path: str) -> object:
        message = "" if value == "" or value is None or isinstance(value, bool) else _scalar_fault(value)
        if message:
            self.faults.add(path, message)
        return value

    def _is_name(self, name: object, path: str) -> bool:
        message = text_fault(name, TEXT_MAX)
        if message:
            self.faults.add(path, f"has a name that {message}")
        return not message


def _scalar_fault(value: object) -> str:
    if isinstance(value, str):
        return text_fault(value, TEXT_MAX) if value.strip() else ""
    exact = exact_number(value)
    if exact is None:
        return f"must be a text, a number, true, false, null, a list or an object, not {kind_of(value)}"
    return "is too large a number; write it as a text" if exact.copy_abs() > _INTEGER_MAX else ""


def copy_json(value: object, path: str, faults: Faults) -> object:
    """The value, copied as dicts, lists, texts and finite numbers; what JSON cannot carry is noted as a fault."""
    return _Copier(faults).copy(value, path, 0)
