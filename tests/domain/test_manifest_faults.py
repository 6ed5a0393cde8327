"""Every fault that a manifest can have is named by its path, with what to do about it; all of them at once."""

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.errors import HeadwayError
from headway.domain.faults import FAULTS_MAX, Fault, ManifestInvalid
from headway.domain.manifest import BODY_MAX, DESCRIPTION_MAX, PROMPT_MAX, parse_manifest
from tests.domain.manifests import course, course_of, faults_of, module, parsed, step

NAN, INFINITY = float("nan"), float("inf")
# A step's fields, the field at fault, and a part of what is said about it.
STEP_FAULTS: list[tuple[dict[Any, Any], str, str]] = [
    ({"id": None}, "id", "is missing; a step needs it"),
    ({"id": 7}, "id", "must be a text, not a number; write it in quotes"),
    ({"id": ""}, "id", "is blank"),
    ({"id": "For Loops!"}, "id", "'for-loops' would do"),
    ({"id": "größe"}, "id", "lower-case letters a to z"),
    ({"id": "-a"}, "id", "'a' would do"),
    ({"id": "a-"}, "id", "with a letter or digit at both ends"),
    ({"id": ".."}, "id", "with a letter or digit at both ends"),
    ({"id": "a/b"}, "id", "'a-b' would do"),
    ({"id": "a\n"}, "id", "'a' would do"),
    ({"id": "x" * 201}, "id", "is 201 characters long; at most 200"),
    ({"kind": None}, "kind", "is missing"),
    ({"kind": "quizz"}, "kind", "must be one of lesson, quiz, assignment, assessment, exercise; did you mean 'quiz'?"),
    ({"kind": 1}, "kind", "not a number"),
    ({"kind": ["quiz"]}, "kind", "not a list"),
    ({"title": None}, "title", "is missing"),
    ({"title": " \t"}, "title", "is blank"),
    ({"title": True}, "title", "must be a text, not true or false; write it in quotes"),
    ({"title": date(2026, 3, 1)}, "title", "must be a text, not a date; write it in quotes"),
    ({"title": {"en": "x"}}, "title", "must be a text, not an object"),
    ({"title": "a\0b"}, "title", "holds a NUL character"),
    ({"title": "a\ud83d"}, "title", "holds half a character"),
    ({"title": "x" * 501}, "title", "is 501 characters long; at most 500"),
    ({"topics": "loops"}, "topics", "must be a list, not a text"),
    ({"topics": ["loops", 3]}, "topics[1]", "must be a text"),
    ({"topics": ["loops", "loops"]}, "topics[1]", "'loops' stands in topics twice"),
    ({"topics": [" loops"]}, "topics", "begins or ends with a space"),
    ({"topics": ["x" * 101]}, "topics[0]", "at most 100"),
    ({"topics": [str(n) for n in range(51)]}, "topics", "holds 51; at most 50"),
    ({"pass_mark": 100.5}, "pass_mark", "must lie between 0 and 100"),
    ({"pass_mark": -1}, "pass_mark", "must lie between 0 and 100"),
    ({"pass_mark": 79.99999}, "pass_mark", "has more than 4 decimals; round it"),
    ({"pass_mark": 5e-324}, "pass_mark", "has more than 4 decimals"),
    ({"pass_mark": True}, "pass_mark", "must be a number from 0 to 100, not true or false"),
    ({"pass_mark": "80"}, "pass_mark", "must be a number from 0 to 100, not a text; write it without quotes"),
    ({"pass_mark": NAN}, "pass_mark", "not infinity or no number at all"),
    ({"pass_mark": INFINITY}, "pass_mark", "not infinity or no number at all"),
    ({"pass_mark": 10**5000}, "pass_mark", "must lie between 0 and 100"),
    ({"pass_mark": [80]}, "pass_mark", "not a list"),
    ({"weight": -0.5}, "weight", "must lie between 0 and 1,000,000"),
    ({"weight": 0.0000001}, "weight", "has more than 6 decimals"),
    ({"weight": False}, "weight", "not true or false"),
    ({"points": 2.5}, "points", "must be a whole number"),
    ({"points": -1}, "points", "must lie between 0 and 1,000,000"),
    ({"prompt": 5}, "prompt", "must be a text"),
    ({"prompt": "x" * (PROMPT_MAX + 1)}, "prompt", "is 20,001 characters long; at most 20,000"),
    ({"body": "x" * (BODY_MAX + 1)}, "body", "at most 200,000"),
    ({"body": "\ud800"}, "body", "holds half a character"),
    ({"url": "javascript:alert(1)"}, "url", "must be a whole address"),
    ({"url": "/relative"}, "url", "must be a whole address"),
    ({"url": "https://"}, "url", "must be a whole address"),
    ({"url": "https://a b"}, "url", "must be a whole address"),
    ({"url": 'https://a/"onclick='}, "url", "must be a whole address"),
    ({"url": "https://a/" + "x" * 2_000}, "url", "at most 2,000"),
    ({"grader": "choice"}, "grader", "must be an object with a `type`"),
    ({"grader": {"type": "choice", "answer": NAN}}, "grader.answer", "not infinity"),
    ({"grader": {"type": "choice", "answer": "\0"}}, "grader.answer", "holds a NUL"),
    ({"grader": {"type": "choice", "a": [{"\ud800": 1}]}}, "grader.a[0]", "has a name that holds half a character"),
    ({"grader": {"type": "choice", 3: 1}}, "grader", "has a name that must be a text, not a number"),
    ({"grader": {"type": "choice", "on": date(2026, 3, 1)}}, "grader.on", "not a date"),
    ({"grader": {"type": "choice", "n": 10**301}}, "grader.n", "is too large a number"),
    ({"grader": {"type": "choice", "n": [0] * 10_000}}, "grader.n[9997]", "holds more than 10,000 values"),
    ({"grader": {"type": "choice", "a b": "x" * 20_001}}, "grader['a b']", "at most 20,000"),
    ({"files": ["main.py"]}, "files", "must be an object of paths and texts"),
    ({"files": {f"{number}.py": "x" for number in range(101)}}, "files", "at most 100"),
    ({"files": {7: "x"}}, "files", "write it in quotes"),
    ({"files": {"a/" * 8 + "b": "x"}}, "files", "take a shorter one"),
    ({"files": {"a.py": 7}}, "files['a.py']", "must be a text, not a number"),
    ({"files": {"a.py": "\0"}}, "files['a.py']", "NUL"),
    ({"files": {f"{number}.py": "x" * 100_000 for number in range(6)}}, "files", "leave out what is not needed"),
    ({"files": {"A.py": "x", "a.py": "x"}}, "files", "'A.py' and 'a.py', one file on many systems"),
    ({"files": {"a": "x", "A/b": "x"}}, "files", "'A/b' within what is a file"),
    *(
        ({"files": {path: "x"}}, "files", "it must be one such as src/main.py")
        for path in (
            "../x",
            "/etc/passwd",
            "a//b",
            "a\\b",
            "C:x",
            ".envrc",
            "a/.git/config",
            "x.",
            "nul.txt",
            "a b",
            "é",
            "",
        )
    ),
    ({"test": "pytest"}, "test", "must be an object with named fields"),
    ({"test": {"command": "pytest"}}, "test.command", "must be a list"),
    ({"test": {"command": []}}, "test.command", "is empty"),
    ({"test": {"command": [1]}}, "test.command[0]", "must be a text"),
    ({"test": {"command": ["x"], "report": "../x"}}, "test.report", "it must be one such as src/main.py"),
    ({"test": {"command": ["x"], "format": "junit"}}, "test.report", "is missing; write the name of the file"),
    ({"test": {"command": ["x"], "format": "xml"}}, "test.format", "must be one of exit, junit, tap"),
    ({"test": {"command": ["x"], "timeout_s": 0}}, "test.timeout_s", "must be at least 1"),
    ({"renamed_from": "old"}, "renamed_from", "must be a list, not a text"),
    ({"renamed_from": ["Old"]}, "renamed_from[0]", "'old' would do"),
    ({"renamed_from": ["old", "old"]}, "renamed_from[1]", "stands in renamed_from twice"),
    ({"renamed_from": ["one"]}, "renamed_from[0]", "'one' is the id that the step has"),
    ({"renamed_from": [f"o{n}" for n in range(51)]}, "renamed_from", "holds 51; at most 50"),
    ({"titel": "x"}, "titel", "is no field of a step; did you mean 'title'?"),
    ({"zzz": 1}, "zzz", "is no field of a step; a step may hold id, kind, title"),
    ({"a b": 1}, "['a b']", "is no field of a step"),
    ({"\ud800": 1}, "['\\ud800']", "is no field of a step"),
]
# A whole manifest, the path of its one fault, and a part of what is said about it.
COURSE_FAULTS: list[tuple[object, str, str]] = [
    (None, "", "a course must be an object with named fields, not null"),
    ([], "", "a course must be an object with named fields, not a list"),
    ("x", "", "not a text"),
    (course(certificate="yes"), "certificate", "must be true or false, not a text"),
    (course(certificate=1), "certificate", "must be true or false, not a number"),
    (course(complete_by="score "), "complete_by", "must be one of score, steps; did you mean 'score'?"),
    (course(evidence="grade"), "evidence", "must be one of any, graded; did you mean 'graded'?"),
    (course(evidence=True), "evidence", "not true or false"),
    (course(locale="de_DE"), "locale", "must be a language tag"),
    (course(description="x" * (DESCRIPTION_MAX + 1)), "description", "at most 20,000"),
    (course(pass_mark=101), "pass_mark", "must lie between 0 and 100"),
    (course(passmark=80), "passmark", "did you mean 'pass_mark'?"),
    (dict[object, object](course()) | {5: 1}, "", "has a field whose name is a number"),
    (course(weights=10), "weights", "weights must be an object with named fields, not a number"),
    (course(weights={"quiz": -1}), "weights.quiz", "must lie between 0 and 1,000,000"),
    (course(weights={"quizzes": 1}), "weights.quizzes", "did you mean 'quiz'?"),
    (course(weights={"exercise": 1}), "weights.exercise", "exercises count with the assignments"),
    (course(weights=dict.fromkeys(("lesson", "quiz", "assignment", "assessment"), 0)), "weights", "are all 0"),
    (course(policies={"quiz": "worst"}), "policies.quiz", "must be one of best, latest, first, average"),
    (course(policies={"quizz": "best"}), "policies.quizz", "did you mean 'quiz'?"),
    (course(policies=[]), "policies", "policies must be an object with named fields, not a list"),
    ({**course(), "modules": None}, "modules", "is missing; a course needs it"),
    ({**course(), "modules": []}, "modules", "is empty; a course needs at least one"),
    ({**course(), "modules": {}}, "modules", "must be a list, not an object"),
    (course(*[module(f"m{n}") for n in range(1_001)]), "modules", "holds 1,001; at most 1,000"),
    (course(*[module(f"m{n}", *[step()] * 5_001) for n in range(2)]), "modules", "hold 10,002 steps; at most 10,000"),
    ({**course(), "modules": ["x"]}, "modules[0]", "a module must be an object with named fields, not a text"),
    (course({**module(), "steps": []}), "modules[0].steps", "is empty; a module needs at least one"),
    (course({**module(), "steps": None}), "modules[0].steps", "is missing"),
    (course({**module(), "steps": [None]}), "modules[0].steps[0]", "a step must be an object"),
    (course({**module(), "id": None}), "modules[0].id", "is missing; a module needs it"),
    (course({**module(), "title": 3}), "modules[0].title", "must be a text"),
    (course(module(step=[])), "modules[0].step", "did you mean 'steps'?"),
    (course(module(weight=-1)), "modules[0].weight", "must lie between 0 and 1,000,000"),
    (course(module("a", weight=0), module("b", weight=0)), "modules", "all weigh 0"),
    (course(module("a", step(weight=0))), "modules[0].steps", "all weigh 0; give one a weight above 0"),
    (course(module(weights={"quiz": 0})), "modules[0].weights", "the weights of their kinds (quiz)"),
    (course(module("a"), module("a", step())), "modules[1].id", "'a' is already the module at modules[0].id"),
    (course(module("a", step(), step())), "modules[0].steps[1].id", "the step at modules[0].steps[0].id"),
    (course(module("a", step()), module("b", step())), "modules[1].steps[0].id", "the step at modules[0].steps[0].id"),
    (
        course(module("a", step("x", renamed_from=["y"]), step("y"))),
        "modules[0].steps[0].renamed_from[0]",
        "'y' belongs to the step at modules[0].steps[1].id",
    ),
    (
        course(module("a", step("x", renamed_from=["z"]), step("y", renamed_from=["z"]))),
        "modules[0].steps[1].renamed_from[0]",
        "'z' belongs to the step at modules[0].steps[0].id",
    ),
    (course(module("a", renamed_from="z")), "modules[0].renamed_from", "must be a list, not a text"),
    (course(module("a", renamed_from=["z", "z"])), "modules[0].renamed_from[1]", "stands in renamed_from twice"),
    (course(module("a", renamed_from=["a"])), "modules[0].renamed_from[0]", "'a' is the id that the module has"),
    (
        course(module("a", renamed_from=["b"]), module("b")),
        "modules[0].renamed_from[0]",
        "'b' belongs to the module at modules[1].id",
    ),
    (
        course(module("a", renamed_from=["z"]), module("b", renamed_from=["z"])),
        "modules[1].renamed_from[0]",
        "'z' belongs to the module at modules[0].id",
    ),
    (
        course(module("a", requires=["y"], renamed_from=["z"]), module("b", requires=["z"], renamed_from=["y"])),
        "modules[0].requires",
        "in a circle, so that none could ever be opened: a → b → a",
    ),
    (course(module("aaa"), module("b", requires=["aab"])), "modules[1].requires", "'aab'; did you mean 'aaa'?"),
    (course(module("a"), module("b", requires=["zz"])), "modules[1].requires", "leave it out, or add the module"),
    (course(module("a"), module("b", requires="a")), "modules[1].requires", "must be a list, not a text"),
    (course(module("a"), module("b", requires=None)), "modules[1].requires", "is null; write [] for none"),
    (course(module("a"), module("b", requires=["a", "a"])), "modules[1].requires[1]", "twice"),
    (
        course(module("a", requires=["a"])),
        "modules[0].requires",
        "in a circle, so that none could ever be opened: a → a",
    ),
    (course(module("a", requires=["b"]), module("b")), "modules[0].requires", "a → b → a;"),
    (
        course(module("a"), module("b", requires=["d"]), module("c"), module("d")),
        "modules[1].requires",
        "b → d → c → b;",
    ),
    (
        course(*(module(f"m{n}", requires=[f"m{i}" for i in range(n)]) for n in range(145))),
        "modules",
        "name 10,440 prerequisites; at most 10,000 are taken",
    ),
]


def only_fault(raw: object) -> Fault:
    (fault,) = faults_of(raw)
    return fault


@pytest.mark.parametrize(("fields", "place", "said"), STEP_FAULTS)
def test_a_fault_of_a_step_is_named(fields: dict[Any, Any], place: str, said: str) -> None:
    path, message = only_fault(course_of(fields))
    assert path == "modules[0].steps[0]" + ("" if place.startswith("[") else ".") + place
    assert said in message


@pytest.mark.parametrize(("raw", "path", "said"), COURSE_FAULTS)
def test_a_fault_of_a_course_or_module_is_named(raw: object, path: str, said: str) -> None:
    found_path, message = only_fault(raw)
    assert found_path == path
    assert said in message


def test_what_the_tables_vary_is_itself_without_fault() -> None:
    assert faults_of(course()) == faults_of(course_of({})) == ()


def test_all_faults_are_found_at_once() -> None:
    broken = course(module("a", step(title=3), {"id": "two"}), module("b", requires=["c"], pass_mark=-1), titel="x")
    assert [fault.path for fault in faults_of(broken)] == [
        "titel",
        "modules[0].steps[0].title",
        "modules[0].steps[1].kind",
        "modules[0].steps[1].title",
        "modules[1].pass_mark",
        "modules[1].requires",
    ]


def test_the_refusal_says_the_first_fault_and_how_many_follow() -> None:
    with pytest.raises(ManifestInvalid) as refused:
        parsed(course(titel="x", locale=3))
    assert isinstance(refused.value, HeadwayError)
    assert refused.value.code == "invalid-manifest"
    assert (refused.value.field, str(refused.value)) == (
        "titel",
        "titel: is no field of a course; did you mean 'title'? (and 1 more)",
    )


@pytest.mark.parametrize(
    ("inner", "path"),
    [("answer", ".grader.answer"), ("options.a", ".grader.options.a"), ("['x y']", ".grader['x y']"), ("", ".grader")],
)
def test_the_faults_of_a_grader_are_named_within_the_manifest(inner: str, path: str) -> None:
    def check(config: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [(inner, f"no {config['type']}")]

    raw = course(module("a"), module("b"), module("c", step(grader={"type": "riddle"})))
    with pytest.raises(ManifestInvalid) as refused:
        parse_manifest(raw, check_grader=check)
    assert refused.value.faults == (("modules[2].steps[0]" + path, "no riddle"),)


def test_a_grader_that_json_cannot_hold_is_not_even_checked() -> None:
    def check(config: Mapping[str, Any]) -> list[tuple[str, str]]:
        raise AssertionError(config)

    with pytest.raises(ManifestInvalid):
        parse_manifest(course_of({"grader": {"type": "\0"}}), check_grader=check)


def test_a_grader_that_holds_itself_is_refused() -> None:
    endless: dict[str, Any] = {"type": "choice"}
    endless["again"] = endless
    assert "is nested deeper than 16" in only_fault(course_of({"grader": endless})).message


def test_a_grader_that_doubles_itself_is_refused() -> None:
    wide: list[Any] = ["x"] * 9
    for _ in range(12):
        wide = [wide] * 9
    assert "holds more than 10,000 values" in only_fault(course_of({"grader": {"type": "choice", "n": wide}})).message


def test_each_of_several_circles_is_named() -> None:
    pairs = (module("a", requires=["b"]), module("b"), module("c", requires=["d"]), module("d"), module("e"))
    assert [fault.path for fault in faults_of(course(*pairs))] == ["modules[0].requires", "modules[2].requires"]


def test_a_chain_of_a_thousand_modules_is_no_circle() -> None:
    ids = [f"m{n}" for n in range(1_000)]
    backwards = [module(one, requires=[after]) for one, after in pairwise(ids)]
    assert not faults_of(course(*backwards, module(ids[-1], requires=[])))


def test_faults_without_number_are_counted_and_not_listed() -> None:
    found = faults_of(course(module("a", *[{} for _ in range(5_000)])))
    assert len(found) == FAULTS_MAX + 1
    assert found[-1] == ("", "14000 more faults are not listed; mend these first")


def test_unknown_fields_without_number_are_counted_and_not_listed() -> None:
    found = faults_of({**course(), **{f"x{n}": n for n in range(10_000)}})
    assert len(found) == 21
    assert found[-1] == ("", "has 9,980 more unknown fields")


def test_similar_words_are_not_sought_without_end() -> None:
    modules = [module(f"module-{n:03}", requires=[f"modul-{n:03}-{k}" for k in range(20)]) for n in range(40)]
    found = faults_of(course(*modules))
    assert len(found) == 800
    assert sum("did you mean" in fault.message for fault in found) == 50


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
NAMES = ["grader", "id", "kind", "modules", "pass_mark", "renamed_from", "requires", "steps", "title", "weights"]


def assert_sayable(raw: object) -> None:
    for fault in faults_of(raw):
        assert "\0" not in fault.message
        assert f"{fault.path}{fault.message}".encode()


@given(JSON_VALUES | st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, JSON_VALUES)))
def test_whatever_is_sent_is_read_or_refused(raw: object) -> None:
    assert_sayable(raw)


@given(st.sampled_from(NAMES), JSON_VALUES)
def test_whatever_a_part_is_replaced_by_is_read_or_refused(name: str, value: object) -> None:
    assert_sayable(course_of({name: value}))
    assert_sayable(course({**module("a"), name: value}))
    assert_sayable({**course(), name: value})


def test_graders_are_not_checked_once_no_more_faults_are_told() -> None:
    checked = []

    def check_grader(config: Any) -> list[tuple[str, str]]:
        checked.append(config)
        return [("pattern", "is slow to check")]

    steps = [step(f"s{n}", grader={"type": "regex"}) for n in range(FAULTS_MAX + 100)]
    with pytest.raises(ManifestInvalid):
        parse_manifest(course(module("m", *steps)), check_grader=check_grader)
    assert len(checked) == FAULTS_MAX
