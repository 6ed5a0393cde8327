"""One option out of several."""

from typing import Any

import pytest

from headway.graders.registry import public_grader
from tests.graders.configurations import graded, only_fault, refusal, short

FULL = 1_000_000
RANGE = {"type": "choice", "options": {"a": "0 1 2", "b": "1 2 3", "c": "3"}, "answer": "a"}


@pytest.mark.parametrize(("response", "score"), [("a", FULL), ("b", 0), ("c", 0)])
def test_the_right_option_counts_in_full(response: str, score: int) -> None:
    assert graded(RANGE, response) == (score, "")


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ("d", "response must be made of the keys 'a', 'b', 'c'; 'd' is none of them"),
        ("A", "'A' is none"),
        ("0 1 2", "'0 1 2' is none"),
        ("", "'' is none"),
        ("\ud800", "'\\ud800' is none"),
        ("x" * 100_000, "…' is none"),
        (None, "null is none"),
        (0, "a number is none"),
        (True, "true or false is none"),
        (["a"], "a list is none"),
        ({"a": 1}, "an object is none"),
    ],
    ids=short,
)
def test_a_response_that_is_no_option_is_refused(response: object, said: str) -> None:
    assert said in refusal(RANGE, response)


def test_each_option_can_have_its_comment() -> None:
    commented = {**RANGE, "feedback": {"b": "Counting starts at 0."}, "when_right": "Yes.", "when_wrong": "No."}
    assert graded(commented, "a") == (FULL, "Yes.")
    assert graded(commented, "b") == (0, "Counting starts at 0.")
    assert graded(commented, "c") == (0, "No.")


def test_a_learner_sees_the_options_and_neither_answer_nor_comments() -> None:
    shown = public_grader({**RANGE, "feedback": {"a": "Yes."}, "when_right": "Yes.", "when_wrong": "No."})
    assert shown == {"type": "choice", "options": RANGE["options"]}


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"answer": None}, "answer", "is missing; a grader of type choice needs it"),
        ({"answer": "d"}, "answer", "names 'd', which is none of the keys; they are 'a', 'b', 'c'"),
        ({"answer": ["a"]}, "answer", "must be a text, not a list"),
        ({"answer": True}, "answer", "must be a text, not true or false; write it in quotes"),
        ({"options": {"a": "x"}}, "options", "there must be at least two to choose from"),
        ({"options": ["x", "y"]}, "options", "must be an object of names and texts"),
        ({"options": {"a": "x", "b": 2}}, "options.b", "must be a text, not a number; write it in quotes"),
        ({"options": {"a": "x", "b": ""}}, "options.b", "is blank"),
        ({"options": {"a": "x", "b": "y", 3: "z"}}, "options", "has a name that must be a text, not a number"),
        ({"options": {f"o{n}": "x" for n in range(101)}}, "options", "holds 101; at most 100"),
        ({"feedback": {"z": "?"}}, "feedback", "names 'z'"),
        ({"feedback": {"a": 1}}, "feedback.a", "must be a text"),
        ({"feedback": "well done"}, "feedback", "must be an object"),
        ({"when_right": 1}, "when_right", "must be a text"),
        ({"anwser": "a"}, "anwser", "is no field of a grader of type choice; did you mean 'answer'?"),
        ({"when_partly": "x"}, "when_partly", "is no field of a grader of type choice"),
    ],
    ids=short,
)
def test_a_fault_is_named(change: dict[str, Any], path: str, said: str) -> None:
    config = {name: value for name, value in {**RANGE, **change}.items() if value is not None}
    found_path, message = only_fault(config)
    assert found_path == path
    assert said in message


def test_missing_options_are_named() -> None:
    assert only_fault({"type": "choice", "answer": "a"})[0] == "options"
