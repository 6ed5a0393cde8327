"""Faults in what an author wrote: each has the path of its place, and all are collected before any is reported."""

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Final, NamedTuple

from headway.domain.errors import HeadwayError

FAULTS_MAX: Final = 1_000
# Looking for a similar word among a thousand module ids takes milliseconds, and a hostile manifest could ask for
# hundreds of thousands of them.
_SUGGESTIONS_MAX: Final = 50
_SHOWN_MAX: Final = 60
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}", re.ASCII)


class Fault(NamedTuple):
    """One thing to fix: its path (`modules[2].steps[0].title`, empty for the whole manifest) and what to do."""

    path: str
    message: str


class ManifestInvalid(HeadwayError):
    """The manifest does not fit."""

    code = "invalid-manifest"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        first = self.faults[0]
        others = len(self.faults) - 1
        detail = f"{first.path}: {first.message}" if first.path else first.message
        super().__init__(f"{detail} (and {others} more)" if others else detail, field=first.path or None)


class Faults:
    """A list of faults of limited length, so that no manifest makes for an endless reply."""

    __slots__ = ("_left_out", "_suggestions_left", "found")

    def __init__(self) -> None:
        self.found: list[Fault] = []
        self._left_out = 0
        self._suggestions_left = _SUGGESTIONS_MAX

    def add(self, path: str, message: str) -> None:
        """Note a fault; beyond FAULTS_MAX they are only counted."""
        if len(self.found) < FAULTS_MAX:
            self.found.append(Fault(path, message))
        else:
            self._left_out += 1

    def listed(self) -> list[Fault]:
        """All faults noted, the last one counting those left out."""
        if not self._left_out:
            return self.found
        return [*self.found, Fault("", f"{self._left_out} more faults are not listed; mend these first")]

    def did_you_mean(self, word: str, known: Collection[str]) -> str:
        """`; did you mean 'title'?` where a known word is similar, else an empty string."""
        if len(word) > _SHOWN_MAX or self._suggestions_left == 0:
            return ""
        self._suggestions_left -= 1
        similar = get_close_matches(word.lower(), known, n=1)
        return f"; did you mean {show(similar[0])}?" if similar else ""


def join(path: str, part: str | int) -> str:
    """The path of a part (a name or an index) of what lies at `path`."""
    if isinstance(part, int):
        return f"{path}[{part}]"
    if _PLAIN_NAME.fullmatch(part):
        return f"{path}.{part}" if path else part
    return f"{path}[{show(part)}]"


def within(path: str, inner: str) -> str:
    """The full path of `inner`, a path relative to `path`."""
    separator = "." if path and inner and not inner.startswith("[") else ""
    return f"{path}{separator}{inner}"


def show(text: str) -> str:
    """A text in quotes, cut short, with unprintable characters escaped."""
    return repr(text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…")
