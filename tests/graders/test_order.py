"""Items to be put in order, with partial credit."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.graders.registry import public_grader
from tests.graders.configurations import graded, only_fault, refusal, scored

FULL = 1_000_000
ITEMS = {"boil": "Boil water", "leaf": "Add leaves", "wait": "Wait", "pour": "Pour"}
TEA = {"type": "order", "items": ITEMS, "answer": ["boil", "leaf", "wait", "pour"]}


@pytest.mark.parametrize(
    ("response", "score"),
    [
        (["boil", "leaf", "wait", "pour"], FULL),
        (["leaf", "boil", "wait", "pour"], FULL // 2),
        (["boil", "wait", "pour", "leaf"], FULL // 4),
        (["pour", "boil", "leaf", "wait"], 0),
    ],
)
def test_each_item_in_its_place_counts(response: list[str], score: int) -> None:
    assert graded(TEA, response).score == score


def test_credit_can_be_all_or_nothing() -> None:
    exact = {**TEA, "credit": "exact"}
    assert graded(exact, TEA["answer"]).score == FULL
    assert graded(exact, ["leaf", "boil", "wait", "pour"]).score == 0


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ("boil", "response must be a list of keys ('boil', 'leaf', 'wait', 'pour'), not a text"),
        (["boil", "leaf", "wait"], "must put every item in its place; it leaves out 'pour'"),
        ([], "it leaves out 'boil', 'leaf', 'wait', 'pour'"),
        (["boil", "leaf", "wait", "wait"], "names a key twice"),
        (["boil", "leaf", "wait", "pour", "milk"], "'milk' is none of them"),
        ([0, 1, 2, 3], "a number is none"),
        ([{}, {}, {}, {}], "an object is none"),
        ({"boil": 0}, "not an object"),
        (None, "not null"),
    ],
)
def test_a_response_that_does_not_order_the_items_is_refused(response: object, said: str) -> None:
    assert said in refusal(TEA, response)


def test_comments_go_by_success() -> None:
    config = {**TEA, "when_right": "Tea!", "when_partly": "Nearly.", "when_wrong": "Start again."}
    assert graded(config, TEA["answer"]).feedback == "Tea!"
    assert graded(config, ["leaf", "boil", "wait", "pour"]).feedback == "Nearly."
    assert graded(config, ["pour", "boil", "leaf", "wait"]).feedback == "Start again."


def test_a_learner_sees_the_items_in_an_order_that_says_nothing() -> None:
    shown = [public_grader({**TEA, "answer": list(answer)}) for answer in permutations(ITEMS)]
    rewritten = public_grader({**TEA, "items": dict(reversed(ITEMS.items()))})
    assert all(list(one["items"]) == list(rewritten["items"]) for one in shown)
    assert rewritten["items"] == ITEMS
    assert list(rewritten["items"]) != list(ITEMS)
    assert rewritten.keys() == {"type", "items", "credit"}


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"items": None}, "items", "is missing"),
        ({"items": ["boil", "pour"]}, "items", "must be an object of names and texts"),
        ({"answer": None}, "answer", "is missing"),
        ({"answer": "boil"}, "answer", "must be a list"),
        ({"answer": ["boil", "leaf", "wait"]}, "answer", "leaves out 'pour'; it must put every item in its place"),
        ({"answer": [*ITEMS, "milk"]}, "answer", "names 'milk'"),
        ({"answer": [*ITEMS, "pour"]}, "answer[4]", "twice"),
        ({"credit": "some"}, "credit", "must be one of partial, exact"),
        ({"options": {}}, "options", "is no field of a grader of type order"),
        ({"feedback": {"boil": "x"}}, "feedback", "is no field of a grader of type order"),
    ],
)
def test_a_fault_is_named(change: dict[str, Any], path: str, said: str) -> None:
    config = {name: value for name, value in {**TEA, **change}.items() if value is not None}
    found_path, message = only_fault(config)
    assert found_path == path
    assert said in message


@given(st.permutations("abcdef"), st.permutations("abcdef"))
def test_a_score_is_the_share_of_items_in_place(answer: list[str], response: list[str]) -> None:
    config = {"type": "order", "items": dict.fromkeys("abcdef", "x"), "answer": answer}
    score = scored(config, response)
    assert 0 <= score <= FULL
    assert (score == FULL) == (answer == response)
    assert score == round(FULL * sum(map(str.__eq__, answer, response)) / 6)
