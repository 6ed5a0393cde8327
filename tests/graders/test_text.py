"""A short text that is one of the accepted ones."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.graders.registry import public_grader
from headway.graders.text import normalized
from tests.graders.configurations import graded, only_fault, refusal, short

FULL = 1_000_000
CITY = {"type": "text", "answers": ["Den Haag", "The Hague"]}


@pytest.mark.parametrize(
    ("answer", "response", "right"),
    [
        ("Den Haag", "Den Haag", True),
        ("Den Haag", "  den \t HAAG\n", True),
        ("  Den  Haag ", "Den Haag", True),
        ("Den Haag", "DenHaag", False),
        ("Den Haag", "Den Haag!", False),
        ("Den Haag", "", False),
        ("Straße", "STRASSE", True),
        ("caf\u00e9", "cafe\u0301", True),
        ("cafe\u0301", "CAF\u00c9", True),
        ("caf\u00e9", "cafe", False),
        ("\u1f82", "\u03b1\u0313\u0300\u0345", True),
        ("\u1fb4", "\u03b1\u0345\u0301", True),
        ("\ud55c\uad6d", "\u1112\u1161\u11ab\u1100\u116e\u11a8", True),
        ("\uff21", "A", False),
        ("2\u00a0km", "2 km", True),
    ],
    ids=short,
)
def test_space_capitals_and_composition_do_not_matter(answer: str, response: str, right: bool) -> None:
    assert graded({"type": "text", "answers": ["other", answer]}, response).score == (FULL if right else 0)


@pytest.mark.parametrize(("answer", "response"), [("Caf\u00e9", "Cafe\u0301"), ("Cafe\u0301", "Caf\u00e9")])
def test_composition_does_not_matter_even_where_capitals_do(answer: str, response: str) -> None:
    assert graded({"type": "text", "answers": [answer], "case_sensitive": True}, response).score == FULL


@pytest.mark.parametrize(("response", "right"), [("None", True), (" None ", True), ("none", False), ("NONE", False)])
def test_capitals_matter_where_the_author_says_so(response: str, right: bool) -> None:
    config = {"type": "text", "answers": ["None"], "case_sensitive": True}
    assert graded(config, response).score == (FULL if right else 0)


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (None, "response must be a text, not null"),
        (3, "response must be a text, not a number"),
        (["Den Haag"], "not a list"),
        ("a\ud800", "holds half a character"),
        ("x" * 65_537, "is 65,537 bytes long; at most 65,536"),
        ("é" * 32_769, "is 65,538 bytes long"),
    ],
    ids=short,
)
def test_a_response_that_is_no_text_is_refused(response: object, said: str) -> None:
    assert said in refusal(CITY, response)


@pytest.mark.parametrize(
    "long", ["x" * 65_536, "\u0315\u0300" * 16_384, " " * 65_536, "a" + "\u0327\u0301" * 16_383], ids=short
)
def test_the_longest_response_is_wrong_and_nothing_worse(long: str) -> None:
    assert graded(CITY, long).score == 0


def test_a_long_response_of_spaces_is_still_right() -> None:
    assert graded(CITY, " " * 60_000 + "the" + "\n" * 5_000 + "hague").score == FULL


def test_answers_right_and_wrong_can_have_comments() -> None:
    config = {**CITY, "feedback": {"the hague": "In Dutch?", "AMSTERDAM": "The capital."}, "when_wrong": "No."}
    assert graded(config, "The  Hague") == (FULL, "In Dutch?")
    assert graded(config, "Amsterdam") == (0, "The capital.")
    assert graded(config, "Delft") == (0, "No.")
    assert graded(config, "Den Haag") == (FULL, "")


def test_a_learner_sees_whether_capitals_matter() -> None:
    assert public_grader({**CITY, "feedback": {"x": "y"}}) == {"type": "text", "case_sensitive": False}
    assert public_grader({**CITY, "case_sensitive": True}) == {"type": "text", "case_sensitive": True}


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"answers": None}, "answers", "is missing"),
        ({"answers": []}, "answers", "is empty"),
        ({"answers": "Den Haag"}, "answers", "must be a list, not a text"),
        ({"answers": ["a", 3]}, "answers[1]", "must be a text, not a number; write it in quotes"),
        ({"answers": ["a", False]}, "answers[1]", "must be a text, not true or false; write it in quotes"),
        ({"answers": ["a", " "]}, "answers[1]", "is blank"),
        ({"answers": ["x" * 1_001]}, "answers[0]", "at most 1,000"),
        ({"answers": [str(n) for n in range(1_001)]}, "answers", "holds 1,001"),
        ({"case_sensitive": "no"}, "case_sensitive", "must be true or false, not a text"),
        ({"answer": "x"}, "answer", "did you mean 'answers'?"),
        ({"feedback": {"a": None}}, "feedback.a", "must be a text, not null"),
        ({"feedback": {" ": "x"}}, "feedback", "has a name that is blank"),
    ],
    ids=short,
)
def test_a_fault_is_named(change: dict[str, Any], path: str, said: str) -> None:
    config = {name: value for name, value in {**CITY, **change}.items() if value is not None}
    found_path, message = only_fault(config)
    assert found_path == path
    assert said in message


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(WORDS, st.booleans())
def test_normalizing_twice_is_normalizing_once(text: str, case_sensitive: bool) -> None:
    once = normalized(text, case_sensitive)
    assert normalized(once, case_sensitive) == once


@given(WORDS, st.booleans())
def test_whatever_is_accepted_is_right_however_it_is_spaced(text: str, case_sensitive: bool) -> None:
    if text.strip() and "\0" not in text:
        config = {"type": "text", "answers": [text], "case_sensitive": case_sensitive}
        assert graded(config, f"\n{text.replace(' ', '   ')} ").score == FULL


@given(WORDS, st.booleans())
def test_what_a_text_normalizes_to_is_no_shorter_than_a_quarter_of_it(text: str, case_sensitive: bool) -> None:
    spaced = " ".join(text.split())
    assert len(spaced) <= 4 * len(normalized(spaced, case_sensitive))
