"""Writing a manifest as an author would: YAML that reads the same by Headway's rules and by those of other tools."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.nodes import SequenceNode

from headway.cli.manifest_file import RESOLVED
from headway.domain.errors import HeadwayError

_WIDTH: Final = 120


class FileThere(HeadwayError):
    """The file is there already."""

    code = "file-there"


def manifest_text(manifest: Mapping[str, Any], *, as_json: bool = False) -> str:
    """The manifest as text; the same manifest always gives the same."""
    if as_json:
        return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    return yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write a file; without `force`, FileThere if it holds something else, which may be an author's work."""
    data = text.encode()
    if force:
        path.write_bytes(data)
        return
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        if path.read_bytes() != data:
            raise FileThere(f"{path} is there and holds something else; --force overwrites it") from None


class _Dumper(yaml.SafeDumper):
    """Writes lists of ids in one line, all else in blocks, and no aliases."""

    def ignore_aliases(self, _data: object) -> bool:
        """Never write an alias: people are to read the file."""
        return True

    def represent_ids(self, data: list[Any]) -> SequenceNode:
        """A list, in one line if it holds nothing but strings."""
        return self.represent_sequence(
            "tag:yaml.org,2002:seq", data, flow_style=all(isinstance(one, str) for one in data)
        )


_Dumper.add_representer(list, _Dumper.represent_ids)
# PyYAML quotes text that it would itself read as something else; `08` and `1e5` are numbers for Headway alone.
for _tag, _pattern, _first in RESOLVED:
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), list(_first))
