"""The reference for authors says what the code does: its examples are read, its tables name every field."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from headway.domain.course import POINTS, Policies, Weights
from headway.domain.manifest import COURSE_FIELDS, MODULE_FIELDS, STEP_FIELDS, parse_manifest
from headway.graders.registry import BUILT_IN, check_grader, grade
from headway.graders.verdict import ResponseInvalid
from tests.domain.manifests import course_of
from tests.house.tree import ROOT

PAGE = (ROOT / "docs/reference/manifest.md").read_text(encoding="utf-8")
EXAMPLES: list[dict[str, Any]] = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
GRADERS = {example["grader"]["type"]: example["grader"] for example in EXAMPLES if "grader" in example}


def section(title: str) -> str:
    """What stands below a heading, up to the next of its rank."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def rows(text: str) -> dict[str, list[str]]:
    """The rows of a table by the name in their first cell."""
    return {
        name: [cell.strip() for cell in rest.split("|")]
        for name, rest in re.findall(r"^\| `(\w+)` \|(.*)\|$", text, re.MULTILINE)
    }


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_without_fault(example: dict[str, Any]) -> None:
    raw = example if "modules" in example else course_of(example)
    assert parse_manifest(raw, check_grader=check_grader).steps


@pytest.mark.parametrize(
    ("title", "fields"), [("Course", COURSE_FIELDS), ("Module", MODULE_FIELDS), ("Step", STEP_FIELDS)]
)
def test_every_field_is_explained_and_none_besides(title: str, fields: tuple[str, ...]) -> None:
    assert tuple(rows(section(title))) == fields


def test_the_defaults_are_those_that_the_page_tells() -> None:
    told = rows(section("Scores"))
    assert {kind: policy.strip("`") for kind, (_, policy) in told.items()} == Policies()._asdict()
    assert {kind: int(told[kind][0]) * 1_000_000 for kind in Weights._fields} == Weights()._asdict()
    assert rows(section("Step"))["points"][-1] == (
        f"lesson {POINTS['lesson']}, quiz and exercise {POINTS['exercise']}, assignment {POINTS['assignment']},"
        f" assessment {POINTS['assessment']}"
    )


def test_every_grader_has_an_example() -> None:
    assert GRADERS.keys() == BUILT_IN.keys()


@pytest.mark.parametrize(
    ("kind", "response", "score", "feedback"),
    [
        ("choice", "b", 0, "Counting starts at 0."),
        ("multiple", ["two"], 500_000, ""),
        ("multiple", ["two", "five", "six"], 500_000, ""),
        ("multiple", ["two", "four", "five", "six"], 0, "Two times two."),
        ("text", "the hague", 1_000_000, ""),
        ("text", "Amsterdam", 0, "That is the capital."),
        ("regex", "[0, 2,4]", 1_000_000, ""),
        ("regex", "[2, 4, 6]", 0, "Zero is even too."),
        ("number", "3.14", 1_000_000, ""),
        ("number", 3, 0, "More closely."),
        ("order", ["leaf", "boil", "wait", "pour"], 500_000, "Some steps are out of place."),
    ],
)
def test_an_example_is_graded_as_the_page_tells(kind: str, response: object, score: int, feedback: str) -> None:
    assert grade(GRADERS[kind], response) == (score, feedback)


def test_the_plugin_of_the_page_is_one() -> None:
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(source, names)
    plugin = names["palindrome"]
    config: Mapping[str, Any] = {"type": "palindrome", "length": 3}
    assert plugin.check(config) == []
    assert plugin.check({"type": "palindrome"})[0][0] == "length"
    assert plugin.grade(config, "level") == (1_000_000, "")
    assert plugin.grade(config, "abc").score == 0
    assert plugin.public(config) == {"length": 3}
    with pytest.raises(ResponseInvalid):
        plugin.grade(config, None)
