"""Any number of options out of several, with partial credit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.graders.registry import public_grader
from tests.graders.configurations import graded, only_fault, refusal, scored

FULL = 1_000_000
PRIMES = {"type": "multiple", "options": {"two": "2", "four": "4", "five": "5", "six": "6"}, "answers": ["two", "five"]}


@pytest.mark.parametrize(
    ("response", "score"),
    [
        (["two", "five"], FULL),
        (["five", "two"], FULL),
        (["two"], FULL // 2),
        (["two", "five", "four"], FULL // 2),
        (["two", "four"], 0),
        (["four", "six"], 0),
        (["two", "four", "six"], 0),
        (["two", "four", "five", "six"], 0),
        ([], 0),
    ],
)
def test_right_ones_gain_what_wrong_ones_lose(response: list[str], score: int) -> None:
    assert graded(PRIMES, response).score == score


def test_a_share_is_rounded_once_to_the_nearest_millionth() -> None:
    options = {key: key for key in "abcd"}
    config = {"type": "multiple", "options": options, "answers": ["a", "b", "c"]}
    assert [graded(config, list(chosen)).score for chosen in ("a", "ab", "abc")] == [333_333, 666_667, FULL]


def test_where_all_are_right_there_is_nothing_to_lose() -> None:
    config = {"type": "multiple", "options": {"a": "x", "b": "y"}, "answers": ["a", "b"]}
    assert [graded(config, chosen).score for chosen in ([], ["a"], ["a", "b"])] == [0, FULL // 2, FULL]


@pytest.mark.parametrize(("response", "score"), [(["two", "five"], FULL), (["two"], 0), ([], 0)])
def test_credit_can_be_all_or_nothing(response: list[str], score: int) -> None:
    assert graded({**PRIMES, "credit": "exact"}, response).score == score


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ("two", "response must be a list of keys ('two', 'four', 'five', 'six'), not a text"),
        (None, "not null"),
        ({"two": True}, "not an object"),
        (["two", "three"], "'three' is none of them"),
        (["two", 4], "a number is none"),
        (["two", ["five"]], "a list is none"),
        (["two", "two"], "names a key twice"),
    ],
)
def test_a_response_that_is_no_list_of_options_is_refused(response: object, said: str) -> None:
    assert said in refusal(PRIMES, response)


def test_comments_on_all_that_was_chosen_are_given_in_the_order_of_the_options() -> None:
    config = {
        **PRIMES,
        "feedback": {"six": "2 by 3.", "four": "2 by 2."},
        "when_partly": "Nearly.",
        "when_wrong": "No.",
    }
    assert graded(config, ["six", "two", "four"]).feedback == "2 by 2.\n2 by 3."
    assert graded(config, ["two"]).feedback == "Nearly."
    assert graded(config, []).feedback == "No."
    assert graded(config, ["two", "five"]).feedback == ""


def test_a_learner_sees_the_options_and_how_they_count() -> None:
    shown = public_grader({**PRIMES, "feedback": {"two": "Yes."}})
    assert shown == {"type": "multiple", "options": PRIMES["options"], "credit": "partial"}


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"answers": None}, "answers", "is missing"),
        ({"answers": []}, "answers", "is empty"),
        ({"answers": "two"}, "answers", "must be a list, not a text"),
        ({"answers": ["two", "two"]}, "answers[1]", "stands in answers twice"),
        ({"answers": ["two", "sixx"]}, "answers", "names 'sixx', which is none of the keys; did you mean 'six'?"),
        ({"answer": "two"}, "answer", "did you mean 'answers'?"),
        ({"credit": "half"}, "credit", "must be one of partial, exact"),
        ({"feedback": {"z": "?"}}, "feedback", "names 'z'"),
        ({"when_partly": 3}, "when_partly", "must be a text"),
    ],
)
def test_a_fault_is_named(change: dict[str, Any], path: str, said: str) -> None:
    config = {name: value for name, value in {**PRIMES, **change}.items() if value is not None}
    found_path, message = only_fault(config)
    assert found_path == path
    assert said in message


KEYS = "abcdefgh"


@given(st.integers(2, 8), st.data())
def test_a_score_lies_between_0_and_1_and_only_the_right_choice_is_1(size: int, data: st.DataObject) -> None:
    keys = list(KEYS[:size])
    answers = data.draw(st.lists(st.sampled_from(keys), min_size=1, unique=True))
    chosen = data.draw(st.lists(st.sampled_from(keys), unique=True))
    config = {"type": "multiple", "options": dict.fromkeys(keys, "x"), "answers": answers}
    score = scored(config, chosen)
    assert 0 <= score <= FULL
    assert (score == FULL) == (set(chosen) == set(answers))
    for wrong in set(keys) - set(answers) - set(chosen):
        assert scored(config, [*chosen, wrong]) <= score
    for right in set(answers) - set(chosen):
        assert scored(config, [*chosen, right]) >= score


@given(st.integers(2, 8), st.data())
def test_choosing_everything_is_worth_nothing_unless_everything_is_right(size: int, data: st.DataObject) -> None:
    keys = list(KEYS[:size])
    answers = data.draw(st.lists(st.sampled_from(keys), min_size=1, unique=True))
    config = {"type": "multiple", "options": dict.fromkeys(keys, "x"), "answers": answers}
    assert graded(config, keys).score == (FULL if len(answers) == size else 0)
