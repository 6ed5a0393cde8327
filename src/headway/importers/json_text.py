"""JSON files from elsewhere, in any encoding, cut off, or with a value per line; each record with its line."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

_SPACE: Final = re.compile(r"[\s,]*")
_KEY: Final = re.compile(r'\s*,?\s*("(?:[^"\\]|\\.)*")\s*:\s*', re.DOTALL)
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
# More digits than any count has; Python refuses to read numbers of several thousand digits.
_DIGITS_MAX: Final = 300
_decoder: Final = json.JSONDecoder(parse_int=lambda digits: int(digits[:_DIGITS_MAX]))
# Characters that no database can store.
_UNKEPT: Final = re.compile("[\0\ud800-\udfff]")


class Value(NamedTuple):
    """A value in a file: its first line, its name there, if any, and the simple fields beside it."""

    line: int
    name: str | None
    value: Any
    beside: Mapping[str, Any]


class Cut(NamedTuple):
    """From this line on the file is no JSON."""

    line: int
    why: str


class Text(NamedTuple):
    """The text of a file, and its encoding; `sure` if that is not a guess."""

    text: str
    encoding: str
    sure: bool


def text_of(raw: bytes) -> Text:
    """The text of a file: by its byte-order mark, by its zeros, as UTF-8, and else as Latin-1, which any bytes are."""
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return Text(raw[len(mark) :].decode(encoding, "replace"), encoding, sure=True)
    if b"\0" in raw[:4]:
        encoding = "utf-16-be" if raw[:1] == b"\0" else "utf-16-le"
        return Text(raw.decode(encoding, "replace"), encoding, sure=True)
    try:
        return Text(raw.decode(), "utf-8", sure=True)
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and error.start >= len(raw) - 4:
            return Text(raw[: error.start].decode(), "utf-8", sure=True)
        return Text(raw.decode("latin-1"), "latin-1", sure=False)


def kept(text: str) -> str:
    """A text that can be stored: each NUL and lone surrogate is replaced."""
    return _UNKEPT.sub("\ufffd", text)


def values(text: str) -> Iterator[Value | Cut]:
    """The values of a file one by one: those in lists, in objects of lists, and on lines of their own.

    Where a file is cut off, the complete values come first, then a `Cut`.
    """
    yield from _Scan(text).all()


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        # Lines are counted only as far as needed; a list of their positions would take more memory than the text.
        self._counted, self._number = 0, 1

    def all(self) -> Iterator[Value | Cut]:
        """All top-level values, one after another."""
        while not self._ended():
            for one in self._top():
                yield one
                if isinstance(one, Cut):
                    return

    def _top(self) -> Iterator[Value | Cut]:
        opens = self.text[self.at]
        if opens == "[":
            yield from self._list(None, {})
        elif opens == "{":
            yield from self._object()
        else:
            yield self._whole(None, {})

    def _ended(self) -> bool:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]  # it matches nothing too
        return self.at >= len(self.text)

    def _line(self, at: int) -> int:
        self._number += self.text.count("\n", self._counted, at)
        self._counted = max(at, self._counted)
        return self._number

    def _whole(self, name: str | None, beside: Mapping[str, Any]) -> Value | Cut:
        begins = self.at
        try:
            value, self.at = _decoder.raw_decode(self.text, self.at)
        except (ValueError, RecursionError) as error:
            return Cut(self._line(begins), f"no whole JSON from here on: {error}")
        return Value(self._line(begins), name, value, beside)

    def _list(self, name: str | None, beside: Mapping[str, Any]) -> Iterator[Value | Cut]:
        self.at += 1
        while not self._ended():
            if self.text[self.at] == "]":
                self.at += 1
                return
            one = self._whole(name, beside)
            yield one
            if isinstance(one, Cut):
                return
        yield Cut(self._line(len(self.text) - 1), "the file ends within a list")

    def _object(self) -> Iterator[Value | Cut]:
        """The parts of an object of lists or objects, each with its own line; any other object is one record itself."""
        begins, one = self.at, self._whole(None, {})
        members = one.value if isinstance(one, Value) else {}
        if isinstance(one, Value) and not any(isinstance(part, list | dict) for part in members.values()):
            yield one
            return
        self.at = begins + 1
        beside = {name: part for name, part in members.items() if not isinstance(part, list | dict)}
        while not self._ended() and self.text[self.at] != "}":
            key = _KEY.match(self.text, self.at)
            if key is None:
                yield Cut(self._line(self.at), "no JSON from here on: a name was expected")
                return
            self.at, name = key.end(), json.loads(key[1])
            if self.text.startswith("[", self.at):
                yield from self._list(name, beside)
                continue
            part = self._whole(name, beside)
            if isinstance(part, Value) and not isinstance(part.value, dict):
                beside[name] = part.value
                continue
            yield part
            if isinstance(part, Cut):
                return
        if self._ended():
            yield Cut(self._line(len(self.text) - 1), "the file ends within an object")
        self.at += 1
