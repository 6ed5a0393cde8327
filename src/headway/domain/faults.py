"""What is wrong in what an author wrote: each fault under its place, all collected before anything is said."""

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
    """One thing to mend: where it stands (`modules[2].steps[0].title`, empty for the whole) and what to do."""

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
    """A list of faults with a bound, so that what a client sends cannot make an answer without end."""

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
        """All that was noted, and a last one that counts what is left out."""
        if not self._left_out:
            return self.found
        return [*self.found, Fault("", f"{self._left_out} more faults are not listed; mend these first")]

    def did_you_mean(self, word: str, known: Collection[str]) -> str:
        """`; did you mean 'title'?` where something known looks like the word, else nothing."""
        if len(word) > _SHOWN_MAX or self._suggestions_left == 0:
            return ""
        self._suggestions_left -= 1
        similar = get_close_matches(word.lower(), known, n=1)
        return f"; did you mean {show(similar[0])}?" if similar else ""


def join(path: str, part: str | int) -> str:
    """The place of a part within the place of its whole."""
    if isinstance(part, int):
        return f"{path}[{part}]"
    if _PLAIN_NAME.fullmatch(part):
        return f"{path}.{part}" if path else part
    return f"{path}[{show(part)}]"


def within(path: str, inner: str) -> str:
    """A path that is relative to another, as seen from the outermost."""
    separator = "." if path and inner and not inner.startswith("[") else ""
    return f"{path}{separator}{inner}"


def show(text: str) -> str:
    """A text in quotes, cut short, and with whatever a reply could not carry escaped."""
    return repr(text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…")
