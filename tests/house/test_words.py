"""What no file may be called, and what no file may say."""

import re
from pathlib import Path

import pytest

from tests.house.tree import project_files, text_of

NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "service", "misc"}
# Each written so that it does not find itself.
FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.~}*-])/(?:work|farm|root|tmp|home/\w+)(?![\w-])"),
    "a package registry's address": re.compile(r"pypi[.]org|python[h]osted|npmjs[.]|//registry[.]|crates[.]io"),
    "a mark of unfinished work": re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b"),
}


def said(text: str) -> list[str]:
    """What a text says and may not, each with its line."""
    return [
        f"{number}: {what}: {line.strip()[:100]}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in FORBIDDEN.items()
        if pattern.search(line)
    ]


def is_nameless(path: Path) -> bool:
    """Whether a path names a drawer for anything."""
    return any(part.split(".")[0].strip("_").lower() in NAMELESS for part in path.parts)


def test_no_file_is_a_drawer_for_anything() -> None:
    assert not [path for path in project_files() if is_nameless(path)]


def test_no_file_says_what_it_may_not() -> None:
    found = {str(path): said(text_of(path)) for path in project_files() if path.name != "LICENSE"}
    assert not {path: lines for path, lines in found.items() if lines}


@pytest.mark.parametrize("name", ["src/headway/utils.py", "src/headway/common/x.py", "tests/_helpers.py"])
def test_a_drawer_is_found(name: str) -> None:
    assert is_nameless(Path(name))


@pytest.mark.parametrize(
    "text",
    [
        "see /" + "work/main",
        "in `/" + "root`",
        "/" + "tmp/x",
        "/home/" + "jo/x",
        "https://pypi" + ".org/simple",
        "https://registry" + ".example.com/x",
        "# TO" + "DO: later",
    ],
)
def test_a_forbidden_word_is_found(text: str) -> None:
    assert said("fine\n" + text)


@pytest.mark.parametrize("text", ["`../work/x`", "example.org/home/x", "/tmpl", "a/root", "/rooted", "/workers"])
def test_a_word_like_it_is_not(text: str) -> None:
    assert not said(text)
