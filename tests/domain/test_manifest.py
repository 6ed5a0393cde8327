"""What an author leaves out is filled in, and what is written is kept exactly."""

from dataclasses import FrozenInstanceError
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.course import KINDS, Policies, Weights
from tests.domain.manifests import course, course_of, module, parsed, step

ONE = 1_000_000


def test_what_is_left_out_of_a_course_has_its_default() -> None:
    read = parsed(course())
    assert (read.certificate, read.pass_mark, read.complete_by, read.evidence) == (False, 800_000, "score", "any")
    assert read.weights == Weights(10 * ONE, 30 * ONE, 40 * ONE, 20 * ONE)
    assert read.policies == Policies("average", "best", "best", "latest", "best")
    assert (read.description, read.locale) == (None, None)


@pytest.mark.parametrize(
    ("kind", "points"), [("lesson", 5), ("quiz", 10), ("exercise", 10), ("assignment", 20), ("assessment", 30)]
)
def test_what_is_left_out_of_a_step_has_its_default(kind: str, points: int) -> None:
    read = parsed(course_of({"kind": kind})).steps[0]
    assert (read.pass_mark, read.weight, read.points, read.topics) == (700_000, ONE, points, ())
    assert (read.prompt, read.body, read.url, read.grader, read.renamed_from) == (None, None, None, None, ())
    assert read.key == read.id == "one"


def test_a_module_is_as_its_course_unless_it_says_otherwise() -> None:
    inherits = module("a")
    differs = module(
        "b", pass_mark=60, complete_by="steps", weights={"quiz": 5}, policies={"quiz": "latest"}, weight=2.5
    )
    said: dict[str, Any] = {"pass_mark": 90, "weights": {"lesson": 0}, "policies": {"lesson": "best"}}
    read = parsed(course(inherits, differs, **said))
    a, b = read.modules
    assert (a.pass_mark, a.complete_by, a.weights, a.policies) == (900_000, "score", read.weights, read.policies)
    assert (a.weight, b.weight) == (ONE, 2_500_000)
    assert (b.pass_mark, b.complete_by) == (600_000, "steps")
    assert b.weights == Weights(lesson=0, quiz=5 * ONE)
    assert b.policies == Policies(lesson="best", quiz="latest")


def test_everything_that_is_written_is_kept() -> None:
    written: dict[str, Any] = {
        "kind": "assignment",
        "title": "Größe",
        "topics": ["loops", "Depth-First Search"],
        "pass_mark": 55.5,
        "weight": 0,
        "points": 7,
        "prompt": "Why?",
        "body": "# Read\n",
        "url": "https://example.org/a?b=c#d",
        "grader": {"type": "choice", "options": {"a": ""}, "nested": [1, None, True, 0.5]},
        "renamed_from": ["oldest", "older"],
    }
    said: dict[str, Any] = {"certificate": True, "evidence": "graded", "locale": "zh-Hant", "description": "Why."}
    read = parsed(course(module("m", step("other"), step("new", **written), description="What."), **said))
    made = read.steps[1]
    assert {name: getattr(made, name) for name in written} == {
        **written,
        "topics": ("loops", "Depth-First Search"),
        "pass_mark": 555_000,
        "renamed_from": ("oldest", "older"),
    }
    assert {name: getattr(read, name) for name in said} == said
    assert read.modules[0].description == "What."


def test_an_author_may_write_null_for_what_is_left_out() -> None:
    assert parsed(course(module("m", step(points=None, grader=None)))) == parsed(course(module("m", step())))
    assert parsed(course(description=None, weights=None, policies=None)) == parsed(course())


@pytest.mark.parametrize(
    ("percent", "millionths"),
    [(0, 0), (100, ONE), (79.995, 799_950), (80, 800_000), (80.0, 800_000), (0.0001, 1), (99.9999, 999_999)],
)
def test_a_pass_mark_is_exact(percent: float, millionths: int) -> None:
    read = parsed(course(module("m", step(pass_mark=percent), pass_mark=percent), pass_mark=percent))
    assert (read.pass_mark, read.modules[0].pass_mark, read.steps[0].pass_mark) == (millionths,) * 3


@given(st.integers(0, ONE))
def test_every_pass_mark_of_four_decimals_is_the_one_that_was_written(millionths: int) -> None:
    percent = float(Decimal(millionths) / 10_000)
    assert parsed(course_of({"pass_mark": percent})).steps[0].pass_mark == millionths


@pytest.mark.parametrize("weight", [0.1, 12.5, 1, 33.333333, 1_000_000])
def test_a_weight_is_exact(weight: float) -> None:
    read = parsed(course(module("m", step("other"), step(weight=weight), weights={"lesson": weight}, weight=weight)))
    exact = Fraction(Decimal(repr(weight)))
    kept = (read.steps[1].weight, read.modules[0].weights.lesson, read.modules[0].weight)
    assert [Fraction(one, ONE) for one in kept] == [exact] * 3


def test_a_module_requires_the_one_before_unless_it_says_otherwise() -> None:
    modules = (module("a"), module("b"), module("c", requires=[]), module("d", requires=["a", "b"]), module("e"))
    assert [one.requires for one in parsed(course(*modules)).modules] == [(), ("a",), (), ("a", "b"), ("d",)]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_no_lesson_is_an_exercise(kind: str) -> None:
    assert parsed(course_of({"kind": kind})).steps[0].is_exercise is (kind != "lesson")


def test_exercises_count_with_the_assignments_and_have_a_policy_of_their_own() -> None:
    assert Weights(assignment=7).of("exercise") == Weights(assignment=7).of("assignment") == 7
    assert Policies(exercise="first").of("exercise") == "first"


def test_a_step_is_found_by_the_ids_that_it_has_and_had() -> None:
    read = parsed(course(module("a"), module("b", step("new", renamed_from=["old", "older"]))))
    found = read.steps[1]
    assert [read.step(name) for name in ("new", "old", "older")] == [found] * 3
    assert [read.module_of(name) for name in ("new", "old", "older")] == [read.modules[1]] * 3
    assert read.step_by_key("old") is found
    assert (read.step("none"), read.module_of("none")) == (None, None)


@pytest.mark.parametrize("key", ["new", "older", "none"])
def test_progress_is_kept_under_the_key_alone(key: str) -> None:
    read = parsed(course_of({"id": "new", "renamed_from": ["old", "older"]}))
    with pytest.raises(KeyError):
        read.step_by_key(key)


def test_the_steps_of_a_course_stand_in_its_order() -> None:
    read = parsed(course(module("z", step("b"), step("a")), module("y", step("c"))))
    assert [one.id for one in read.steps] == ["b", "a", "c"]


@pytest.mark.parametrize(
    "slug", ["a", "7", "oulad-aaa-2013j", "best-time-to-buy-and-sell-stock", "tma-1752", "3.2_b", "x" * 200]
)
def test_a_slug_is_an_id(slug: str) -> None:
    read = parsed({**course(module(slug, step(slug))), "id": slug})
    assert (read.id, read.modules[0].id, read.steps[0].id) == (slug, slug, slug)


def test_a_module_and_a_step_may_share_an_id() -> None:
    assert parsed(course(module("loops", step("loops")))).step("loops")


def test_a_course_cannot_be_changed_through_what_it_was_read_from() -> None:
    raw = course_of({"grader": {"type": "choice", "options": {"a": "x"}}})
    read = parsed(raw)
    raw["modules"][0]["steps"][0]["grader"]["options"]["a"] = "changed"
    raw["modules"].clear()
    assert read.steps[0].grader == {"type": "choice", "options": {"a": "x"}}
    with pytest.raises(FrozenInstanceError):
        read.title = "x"  # type: ignore[misc]  # that it cannot be set is what is tried here


def test_the_largest_course_is_read() -> None:
    modules = [module(f"m{i}", *(step(f"s{i}-{j}") for j in range(10))) for i in range(1_000)]
    assert len(parsed(course(*modules)).steps) == 10_000
