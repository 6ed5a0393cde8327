"""Every fault that the tables of a manifest's faults have is told with the line on which it stands."""

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from headway.cli.manifest_file import read_manifest
from tests.domain.manifests import course_of, faults_of
from tests.domain.test_manifest_faults import COURSE_FAULTS, STEP_FAULTS

HERE = "this is the place"
BYTES_MAX = 100_000
PARTS = re.compile(r"\.?([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^']*)'\]")


def written(raw: object) -> str:
    """A manifest as JSON, every part on a line of its own; empty where JSON has no way to write it, or it is huge."""
    try:
        text = json.dumps(raw, indent=1, allow_nan=False, ensure_ascii=False)
        return text if len(text.encode()) < BYTES_MAX and json.loads(text) == raw and "\0" not in repr(raw) else ""
    except (TypeError, ValueError):
        return ""


RAW: list[Any] = [course_of(fields) for fields, _, _ in STEP_FAULTS] + [raw for raw, _, _ in COURSE_FAULTS]
WRITTEN = [raw for raw in RAW if written(raw)]


def marked(raw: Any, path: str) -> Any:
    """The manifest with a mark in the place of what stands at a path, or of the nearest part around it."""
    parts = [int(index) if index else name or key for name, index, key in PARTS.findall(path)]
    if not parts:
        return HERE
    copy = deepcopy(raw)
    whole = copy
    for n, part in enumerate(parts):
        there = part < len(whole) if isinstance(part, int) else part in whole
        if not there:
            return marked(raw, "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in parts[:n]))
        if n == len(parts) - 1:
            whole[part] = HERE
        whole = whole[part]
    return copy


def test_most_of_the_tables_can_be_written() -> None:
    assert len(WRITTEN) > 0.75 * len(RAW)


@pytest.mark.parametrize("raw", WRITTEN, ids=lambda _: "")
def test_the_line_of_a_fault_is_where_it_stands(tmp_path: Path, raw: Any) -> None:
    path = tmp_path / "course.json"
    path.write_text(written(raw), encoding="utf-8")
    manifest = read_manifest(str(path))
    assert manifest.content == raw
    (fault,) = faults_of(manifest.content)
    (line,) = [n for n, text in enumerate(written(marked(raw, fault.path)).splitlines(), 1) if HERE in text]
    assert manifest.line_of(fault.path) == line
