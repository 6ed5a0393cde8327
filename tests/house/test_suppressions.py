"""A check may be silenced where a reason stands behind it."""

import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.house.tree import python_files, text_of

SILENCED = re.compile(
    r"#\s*(?:"
    r"(?P<noqa>(?:ruff:\s*)?noqa\b(?::\s*(?P<rules>[A-Z]+\d+(?:[, ]+[A-Z]+\d+)*))?)"
    r"|(?P<ignore>type:\s*ignore(?:\[(?P<codes>[^\]]+)\])?)"
    r"|(?P<other>pragma:\s*no[ ]?\w+|fmt:\s*(?:off|skip)|mypy:\s*[\w-]+|pylint:\s*\w+)"
    r")(?P<rest>.*)"
)
REASON = re.compile(r"^\s*(?:[-:;(]|#)\s*\S+\s+\S+")


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Each comment of a Python source, with its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def unreasoned(source: str) -> list[str]:
    """The suppressions that name no rule or give no reason of at least two words."""
    found = []
    # Taking a file apart takes long, and most have nothing of the kind.
    for line, comment in comments(source) if SILENCED.search(source) else ():
        for silenced in SILENCED.finditer(comment):
            named = silenced["rules"] or silenced["codes"] or silenced["other"]
            if not (named and REASON.match(silenced["rest"])):
                found.append(f"{line}: {comment}")
    return found


def test_every_suppression_has_a_reason_behind_it() -> None:
    found = {str(path): unreasoned(text_of(path)) for path in python_files()}
    assert not {path: lines for path, lines in found.items() if lines}


@pytest.mark.parametrize(
    "comment",
    [
        "noqa",
        "noqa: S608",
        "noqa - a reason, but which rule",
        "ruff: noqa: S608",
        "type: ignore",
        "type: ignore[arg-type]",
        "type: ignore  # a reason, but which rule",
        "pragma: no cover",
        "fmt: off",
        "noqa: S608 - why",
    ],
)
def test_a_suppression_without_rule_or_reason_is_found(comment: str) -> None:
    assert unreasoned(f"x = 1  # {comment}\n")


@pytest.mark.parametrize(
    "comment",
    [
        "noqa: S608 - the names are constants",
        "noqa: S608, E501 (the names are constants)",
        "type: ignore[arg-type]  # the stubs know only str",
        "pragma: no cover - the kill ends it here",
        "a comment like any other",
    ],
)
def test_a_suppression_with_both_passes(comment: str) -> None:
    assert not unreasoned(f"x = 1  # {comment}\n")
