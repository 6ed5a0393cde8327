"""The tables of faults leave none out: every place in the code that notes one is reached, and each says what to do."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from headway.domain.faults import Faults, ManifestInvalid
from headway.domain.manifest import parse_manifest
from headway.domain.names import carry_keys, course_keys
from headway.graders.registry import check_grader
from tests.domain.manifests import course, course_of, faults_of, parsed
from tests.domain.test_manifest_faults import COURSE_FAULTS, STEP_FAULTS
from tests.domain.test_manifest_names import version
from tests.house.tree import ROOT

DOMAIN = ROOT / "src/headway/domain"
FILES = ("manifest.py", "fields.py", "prerequisites.py", "plain_json.py", "names.py", "exercise_files.py")
TABLE: list[object] = [course_of(fields) for fields, _, _ in STEP_FAULTS] + [raw for raw, _, _ in COURSE_FAULTS]
# What tests beside the tables have: faults that do not come alone, and those that graders find.
MANY_UNKNOWN = {**course(), **{f"x{n}": n for n in range(30)}}
OPTIONS: list[object] = [["x"], {"x" * 501: "A"}, {f"o{n}": "x" for n in range(5_000)}]
GRADED = [course_of({"grader": {"type": "choice", "options": options, "answer": "a"}}) for options in OPTIONS]
# An id of one step given to another, and one step made of two: only a second version can have these.
SECOND_VERSIONS = [
    (version(("b", ["a"])), version("b", "a")),
    (version("a", "b"), version(("c", ["a", "b"]))),
]
SAYS_WHAT_TO_DO = re.compile(
    r"\b(must|needs|write|give|take|takes|leave|round|mend|split|did you mean|would do|at most|may hold|list only"
    r"|stays with|weigh those|can carry on only one)\b"
)


def noting_places() -> Iterator[tuple[str, int, int]]:
    """Each call that notes a fault: file, first and last line."""
    for name in FILES:
        for call in ast.walk(ast.parse((DOMAIN / name).read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith((".fault", "faults.add")):
                yield name, call.lineno, call.end_lineno or call.lineno


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, int]]:
    """The lines from which faults are noted."""
    lines: set[tuple[str, int]] = set()
    add: Callable[[Faults, str, str], None] = Faults.add

    def note(faults: Faults, path: str, message: str) -> None:
        frame = sys._getframe(1)
        while frame.f_back is not None:
            if Path(frame.f_code.co_filename).parent == DOMAIN:
                lines.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
            frame = frame.f_back
        add(faults, path, message)

    monkeypatch.setattr(Faults, "add", note)
    return lines


def test_the_tests_have_every_fault_that_there_is(reached: set[tuple[str, int]]) -> None:
    for raw in [*TABLE, MANY_UNKNOWN, *GRADED]:
        with suppress(ManifestInvalid):
            parse_manifest(raw, check_grader=check_grader)
    for first, second in SECOND_VERSIONS:
        with pytest.raises(ManifestInvalid):
            carry_keys(course_keys(parsed(first)), parsed(second))
    places = list(noting_places())
    assert len(places) > 30
    assert not [
        (name, first)
        for name, first, last in places
        if not any((name, line) in reached for line in range(first, last + 1))
    ]


def test_every_fault_says_what_to_do() -> None:
    said = {fault.message for raw in TABLE for fault in faults_of(raw)}
    assert not [message for message in said if not SAYS_WHAT_TO_DO.search(message)]
