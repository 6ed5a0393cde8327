"""Reading a manifest as YAML or JSON, and remembering the line of each of its parts."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from headway.cli import yaml_faults
from headway.domain.errors import HeadwayError
from headway.domain.faults import join

STDIN: Final = "-"
BYTES_MAX: Final = 20 * 1024 * 1024
# A course is some ten levels deep. libyaml recurses in C, so deep nesting would crash the process.
DEPTH_MAX: Final = 100


_HALVES = re.compile(r"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})")


class ManifestUnreadable(HeadwayError):
    """The file is no manifest at all."""

    code = "invalid-manifest"


class ManifestFile(NamedTuple):
    """The content of a file, and the line on which each path begins."""

    name: str
    content: Any
    lines: dict[str, int]

    def line_of(self, path: str) -> int | None:
        """The line of a path, or of the nearest part around it that the file has."""
        while path and path not in self.lines:
            path = re.sub(r"(\.[^.\[\]]*|\[[^\[\]]*\]|^[^.\[]+)$", "", path)
        return self.lines.get(path)


def read_manifest(name: str) -> ManifestFile:
    """Read a manifest from a file, or from standard input for `-`; ManifestUnreadable says where it stops being one."""
    data = sys.stdin.buffer.read(BYTES_MAX + 1) if name == STDIN else _bytes_of(Path(name))
    shown = "standard input" if name == STDIN else name
    if len(data) > BYTES_MAX:
        raise ManifestUnreadable(f"{shown} is larger than {BYTES_MAX // 1024**2} MiB; split the course")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ManifestUnreadable(f"{shown}:{line}: this is not UTF-8; save the file as UTF-8") from None
    return _parse(shown, text)


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(BYTES_MAX + 1)
    except OSError as error:
        raise ManifestUnreadable(f"{path} cannot be read: {error.strerror}") from None


def _parse(name: str, text: str) -> ManifestFile:
    loader = _Loader(_with_whole_characters(text) if text.lstrip()[:1] == "{" else text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise ManifestUnreadable(f"{name} is empty; a course begins with `id:` and `title:`")
        if _written_out(node, {}) > BYTES_MAX:
            raise ManifestUnreadable(
                f"{name} comes to more than {BYTES_MAX // 1024**2} MiB with its aliases written out"
            )
        lines = dict(_lines(node, "", set()))
        return ManifestFile(name, loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        raise ManifestUnreadable(f"{where}: {yaml_faults.told(error, text)}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ManifestUnreadable(f"{name}: {str(error).partition(chr(10))[0]}") from None
    except RecursionError:
        raise ManifestUnreadable(f"{name} is nested too deeply for a course") from None


def _with_whole_characters(text: str) -> str:
    """Decode the surrogate pairs by which JSON escapes characters beyond U+FFFF: YAML does not read those."""
    return _HALVES.sub(lambda found: f"{found[1]}\\U{ord(json.loads(chr(34) + found[2] + chr(34))):08x}", text)


def _written_out(node: Node, known: dict[int, int]) -> int:
    """Roughly the bytes of a node with its aliases written out: a page of aliases can come to a billion."""
    if isinstance(node, ScalarNode):
        return 1 + len(node.value)
    if id(node) not in known:
        known[id(node)] = BYTES_MAX + 1  # what holds itself has no end
        parts = node.value if isinstance(node, SequenceNode) else [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_written_out(part, known) for part in parts)
    return known[id(node)]


def _lines(node: Node, path: str, seen: set[int]) -> Iterator[tuple[str, int]]:
    """Yield each path with its line; what an alias repeats has no lines within, only the alias's own."""
    yield path, node.start_mark.line + 1
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _lines(item, join(path, index), seen)
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                place = join(path, key.value)
                yield from _lines(value, place, seen)
                yield place, key.start_mark.line + 1


class _Loader(yaml.CSafeLoader):
    """YAML by version 1.2, and so JSON as well: `no` and `2026-01-01` are text, and `1:30` is not a number."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # as PyYAML declares it
    depth = 0

    def descend_resolver(self, current_node: Node | None, current_index: object) -> None:
        """Count a level down, as libyaml's parser goes there; RecursionError beyond DEPTH_MAX."""
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise RecursionError
        super().descend_resolver(current_node, current_index)

    def ascend_resolver(self) -> None:
        """Count a level up again, as libyaml's parser leaves it."""
        self.depth -= 1
        super().ascend_resolver()

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As in PyYAML, but a key that is no text is an error, and so is a duplicate: it would lose a value."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
            if key.value in seen:
                said = f"the key {key.value!r} stands here twice; take one of them out"
                raise yaml.constructor.ConstructorError(None, None, said, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


# Plain scalars that are not text: their tag, their pattern, and the characters that they may begin with.
RESOLVED: Final = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
)
for _tag, _pattern, _first in RESOLVED:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), list(_first))


def _construct_int(loader: _Loader, node: ScalarNode) -> int:
    text = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _construct_key_text(loader: _Loader, node: ScalarNode) -> float:
    return float(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_key_text)
