"""A text that fits a pattern."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.graders.registry import public_grader
from tests.graders.configurations import graded, only_fault, refusal, short

FULL = 1_000_000


def pattern(pattern: str, **fields: Any) -> dict[str, Any]:
    return {"type": "regex", "pattern": pattern, **fields}


@pytest.mark.parametrize(
    ("config", "response", "right"),
    [
        (pattern("[0-9]+"), "123", True),
        (pattern("[0-9]+"), " 123\n", True),
        (pattern("[0-9]+"), "a123", False),
        (pattern("[0-9]+"), "123a", False),
        (pattern("a|ab"), "ab", True),
        (pattern("[0-9]+", match="search"), "a123b", True),
        (pattern("[0-9]+", match="search"), "abc", False),
        (pattern("[0-9]+", match="full"), "a123b", False),
        (pattern("^[0-9]+$", match="search"), "a123b", False),
        (pattern("abc"), "ABC", False),
        (pattern("abc", case_sensitive=False), "ABC", True),
        (pattern("abc", case_sensitive=True), "ABC", False),
        (pattern("größe"), "größe", True),
        (pattern(r"\pL{3}"), "한국어", True),
        (pattern("a.c"), "a\nc", False),
        (pattern("(?s)a.c"), "a\nc", True),
        (pattern("x*"), "", True),
    ],
    ids=short,
)
def test_a_response_is_right_where_it_fits(config: dict[str, Any], response: str, right: bool) -> None:
    assert graded(config, response).score == (FULL if right else 0)


@pytest.mark.parametrize("match", ["full", "search"])
@pytest.mark.parametrize(
    ("catastrophic", "response"),
    [
        ("(a+)+$", "a" * 65_535 + "!"),
        ("(a|aa)+$", "a" * 65_535 + "!"),
        ("(.*a){12}b", "a" * 65_536),
        ("(a?){80}a{80}b", "a" * 65_536),
        ("(x+x+)+y", "x" * 65_536),
        ("((a{1,15}){1,15})b", "a" * 65_536),
        ("([a-z]+)*!!", "abc" * 21_000),
        ("(a|b)*a(a|b){100}c", "ab" * 32_768),
    ],
    ids=short,
)
def test_a_pattern_that_would_never_end_elsewhere_is_answered(catastrophic: str, response: str, match: str) -> None:
    assert graded(pattern(catastrophic, match=match), response).score == 0


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (None, "response must be a text, not null"),
        (12, "not a number"),
        (["a"], "not a list"),
        ("\udfff", "holds half a character"),
        ("x" * 65_537, "at most 65,536"),
    ],
    ids=short,
)
def test_a_response_that_is_no_text_is_refused(response: object, said: str) -> None:
    assert said in refusal(pattern("x+"), response)


def test_what_a_large_pattern_costs_is_bounded_by_the_length_of_the_response() -> None:
    large = pattern(r"(\pL|a){3}")
    assert graded(large, "한국어").score == FULL
    assert "too long to be matched here; at most" in refusal(large, "x" * 65_536)


def test_the_first_pattern_with_a_comment_that_fits_is_the_one_that_comments() -> None:
    feedback = {"[0-9]+": "Digits alone.", ".*": "Something else."}
    config = pattern("[a-z]+", feedback=feedback, when_right="Yes.")
    assert graded(config, "12") == (0, "Digits alone.")
    assert graded(config, "-") == (0, "Something else.")
    assert graded(pattern("[a-z]+", feedback={"[0-9]+": "x"}, when_right="Yes."), "abc") == (FULL, "Yes.")


def test_a_learner_sees_no_pattern() -> None:
    shown = public_grader(pattern("[0-9]+", feedback={"secret": "x"}))
    assert shown == {"type": "regex", "case_sensitive": True}


@pytest.mark.parametrize(
    ("config", "path", "said"),
    [
        ({"type": "regex"}, "pattern", "is missing"),
        (pattern(""), "pattern", "is blank"),
        (pattern("x" * 2_001), "pattern", "at most 2,000"),
        (pattern("("), "pattern", "missing )"),
        (pattern("[z-a]"), "pattern", "invalid character class range"),
        (pattern(r"(a)\1"), "pattern", "invalid escape sequence: \\1; look-around and back-references must be written"),
        (pattern("(?=a)b"), "pattern", "invalid perl operator: (?="),
        (pattern("(?<!a)b"), "pattern", "no pattern that can be matched in linear time"),
        (pattern("a{2000}"), "pattern", "invalid repetition size"),
        (pattern("((a{9}){9}){99}"), "pattern", "invalid repetition size"),
        (pattern(r"(\pL\pN){300}"), "pattern", "pattern too large"),
        (
            pattern("a", feedback={r"(\pL\pN){300}": "x", r"\pL{1000}": "x"}),
            r"feedback['(\\pL\\pN){300}']",
            "too large",
        ),
        (pattern(r"\pL{1,20}"), "pattern", "instructions; at most 20,000 are run: repeat less"),
        (pattern("a", feedback={r"\pL{10}": "x", r"\pL{9}": "x"}), "pattern", "at most 20,000 are run"),
        (pattern("a", match="partial"), "match", "must be one of full, search"),
        (pattern("a", case_sensitive=1), "case_sensitive", "must be true or false"),
        (pattern("a", patern="b"), "patern", "did you mean 'pattern'?"),
        (pattern("a", feedback={"(": "x"}), "feedback['(']", "missing )"),
        (pattern("a", feedback={f"b{n}": "x" for n in range(21)}), "feedback", "holds 21; at most 20"),
    ],
    ids=short,
)
def test_a_fault_is_named(config: dict[str, Any], path: str, said: str) -> None:
    found_path, message = only_fault(config)
    assert found_path == path
    assert said in message


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_whatever_is_sent_is_graded(response: str) -> None:
    assert graded(pattern("[a-c]*"), response).score == (FULL if set(response.strip()) <= set("abc") else 0)
