"""What a person grades: anything but nothing is taken, and has no score yet."""

from typing import Any

import pytest

from headway.graders.manual import GUIDE_MAX
from headway.graders.registry import check_grader, public_grader
from tests.graders.configurations import graded, only_fault, refusal

ESSAY = {"type": "manual", "guide": "Names both locks."}


@pytest.mark.parametrize("response", ["Because.", ["a", "b"], {"url": "https://example.org"}, 0, False])
def test_an_answer_waits_without_a_score(response: object) -> None:
    assert graded(ESSAY, response) == (None, "Handed in: it waits for a grade.")


@pytest.mark.parametrize("response", [None, "", [], {}, " \n\t"])
def test_nothing_is_refused(response: object) -> None:
    assert "nothing to grade" in refusal(ESSAY, response)


def test_the_guide_is_not_the_learners() -> None:
    assert public_grader(ESSAY) == {"type": "manual"}


def test_a_guide_may_be_left_out() -> None:
    assert check_grader({"type": "manual"}) == check_grader({"type": "manual", "guide": None}) == []


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        ({"guide": 7}, "guide", "must be a text"),
        ({"guide": " "}, "guide", "blank"),
        ({"guide": "x" * (GUIDE_MAX + 1)}, "guide", "20,000"),
        ({"answer": "a"}, "answer", "is no field of a grader of type manual"),
        ({"when_right": "Well done."}, "when_right", "is no field of a grader of type manual"),
    ],
)
def test_a_fault_names_its_field(fields: dict[str, Any], path: str, said: str) -> None:
    found, message = only_fault({"type": "manual"} | fields)
    assert found == path
    assert said in message
