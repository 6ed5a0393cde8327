"""What a reader sees of a course is all of it but the answers."""

import json
from collections.abc import Mapping
from typing import Any

from headway.domain.course import Course, Module, Step
from headway.domain.manifest import COURSE_FIELDS, MODULE_FIELDS, STEP_FIELDS
from headway.domain.outline import outline
from tests.domain.manifests import course, module, parsed, step


def hide_answer(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name != "answer"}


def test_an_outline_names_every_field_of_the_manifest() -> None:
    seen = outline(parsed(course()), hide_answer)
    assert seen.keys() == set(COURSE_FIELDS)
    assert seen["modules"][0].keys() == set(MODULE_FIELDS)
    assert seen["modules"][0]["steps"][0].keys() == set(STEP_FIELDS)


def test_every_field_of_the_manifest_is_one_of_the_course() -> None:
    for of, fields in ((Course, COURSE_FIELDS), (Module, MODULE_FIELDS), (Step, STEP_FIELDS)):
        assert set(fields) <= of.__dataclass_fields__.keys()


def test_an_outline_holds_no_answer() -> None:
    secret = {"type": "choice", "options": {"a": "x", "b": "y"}, "answer": "b-is-it"}
    seen = outline(parsed(course(module("m", step(grader=secret)))), hide_answer)
    assert "b-is-it" not in json.dumps(seen)
    assert seen["modules"][0]["steps"][0]["grader"] == {"type": "choice", "options": {"a": "x", "b": "y"}}


def test_an_outline_reads_as_the_same_course() -> None:
    raw = course(
        module(
            "a",
            step("x", pass_mark=79.995, weight=2.5, renamed_from=["w"], topics=["t"], test={"command": ["make"]}),
            renamed_from=["oldest", "old"],
        ),
        module("b", requires=["old"], weight=0.1, weights={"quiz": 12.5}, policies={"quiz": "first"}, pass_mark=50),
        pass_mark=33.3333,
        certificate=True,
    )
    read = parsed(raw)
    seen = json.loads(json.dumps(outline(read, hide_answer)))
    # Of files an outline names the paths alone.
    without = [{**one, "steps": [{**step, "files": None} for step in one["steps"]]} for one in seen["modules"]]
    assert parsed({**seen, "modules": without}) == read
    assert (seen["pass_mark"], seen["modules"][1]["pass_mark"]) == (33.3333, 50)
    assert isinstance(seen["modules"][1]["pass_mark"], int)
