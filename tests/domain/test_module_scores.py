"""A module's score: by tables, and against a slow model that is plainly right."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.domain.course import KINDS, POLICIES, Module, Step
from headway.domain.gating import score_of_course
from headway.domain.module_scores import (
    is_completed,
    lacks,
    missing,
    score_module,
    shown_percent,
    step_score,
    total_score,
)
from headway.domain.progress import Completion, Contribution, StepSum
from headway.domain.scores import FULL, normalize_score
from tests.domain.manifests import course as course_manifest
from tests.domain.manifests import module as module_manifest
from tests.domain.manifests import parsed
from tests.domain.manifests import step as step_manifest

TOUCHED = StepSum(events=1, updated_at=1)


def module_of(*steps: dict[str, Any], **fields: Any) -> Module:
    return parsed(course_manifest(module_manifest("only", *steps, **fields))).modules[0]


def lesson(step_id: str, **fields: Any) -> dict[str, Any]:
    return step_manifest(step_id, kind="lesson", **fields)


def event(at: int, score: object, *, kind: str = "attempted", completes: bool = False) -> StepSum:
    """The sum of one event with a score as a client sends it."""
    sent = normalize_score(score)
    return StepSum.of(Contribution(f"{at:036}", kind, "c", 1, "s", 1, at, "2026-03-01", sent, completes, 0, 0, ()))


def scores(*sent: object) -> StepSum:
    """The sum of attempts with these scores, in the order of their times."""
    total = StepSum()
    for at, score in enumerate(sent, start=1):
        total += event(at, score)
    return total


COMPLETED = event(1, None, kind="completed", completes=True)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("best", Fraction(9, 10)), ("latest", Fraction(7, 10)), ("first", Fraction(2, 10)), ("average", Fraction(6, 10))],
)
def test_a_step_counts_by_its_policy(policy: Any, expected: Fraction) -> None:
    assert step_score(scores(0.2, 0.9, 0.7), policy) == expected * FULL


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(StepSum(), 0, id="never touched"),
        pytest.param(TOUCHED, 0, id="opened"),
        pytest.param(scores(None), 0, id="attempted, not graded yet"),
        pytest.param(COMPLETED, FULL, id="completed without a score"),
        pytest.param(scores(None) + event(9, None, kind="completed"), FULL, id="completed, not graded"),
        pytest.param(scores(0.4) + event(9, None, kind="completed"), 400_000, id="completed, with a score"),
        pytest.param(scores(0), 0, id="a score of nothing"),
    ],
)
def test_a_step_without_scores_counts_in_full_once_completed(policy: Any, known: StepSum, expected: int) -> None:
    assert step_score(known, policy) == expected


def test_each_kind_has_a_policy_of_its_own() -> None:
    steps = [step_manifest(kind, kind=kind) for kind in KINDS]
    module = module_of(*steps, weights={"lesson": 1, "quiz": 1, "assignment": 1, "assessment": 1})
    scored = score_module(module, {kind: scores(0.2, 0.9, 0.7) for kind in KINDS})
    assert {one.kind: one.score * 10 for one in scored.kinds} == {
        "lesson": 6,
        "quiz": 9,
        "assignment": 9,
        "assessment": 7,
    }


def test_a_policy_can_be_set() -> None:
    module = module_of(step_manifest("q"), policies={"quiz": "first"})
    assert score_module(module, {"q": scores(0.2, 0.9)}).score == Fraction(1, 5)


FOUR = [step_manifest(kind, kind=kind) for kind in KINDS if kind != "exercise"]


@pytest.mark.parametrize(
    ("present", "weights"),
    [
        (["lesson", "quiz", "assignment", "assessment"], [10, 30, 40, 20]),
        (["lesson", "quiz"], [25, 75]),
        (["assignment"], [100]),
        (["quiz", "assignment", "assessment"], [Fraction(300, 9), Fraction(400, 9), Fraction(200, 9)]),
    ],
)
def test_the_weights_of_absent_kinds_are_shared_out(present: list[str], weights: list[Any]) -> None:
    module = module_of(*(one for one in FOUR if one["kind"] in present))
    scored = score_module(module, dict.fromkeys(present, COMPLETED))
    assert [(one.kind, one.weight * 100) for one in scored.kinds] == list(zip(present, weights, strict=True))
    assert scored.score == 1


def test_exercises_count_with_the_assignments() -> None:
    module = module_of(step_manifest("a", kind="assignment"), step_manifest("e", kind="exercise"))
    scored = score_module(module, {"e": scores(1)})
    assert [tuple(one) for one in scored.kinds] == [("assignment", 1, Fraction(1, 2))]


def test_a_step_not_attempted_counts_nothing() -> None:
    module = module_of(step_manifest("a"), step_manifest("b"))
    assert score_module(module, {"a": scores(1)}).score == Fraction(1, 2)


def test_steps_count_by_their_weights_within_their_kind() -> None:
    module = module_of(step_manifest("a", weight=3), step_manifest("b", weight=1), lesson("free", weight=0))
    scored = score_module(module, {"a": scores(1)})
    assert scored.score == Fraction(3, 4)
    assert [one.kind for one in scored.kinds] == ["quiz"]


def test_a_kind_of_weight_nothing_shows_its_score_and_adds_nothing() -> None:
    module = module_of(step_manifest("q"), lesson("l"), weights={"lesson": 0})
    scored = score_module(module, {"l": COMPLETED, "q": scores(0.5)})
    assert [(one.kind, one.weight, one.score, one.contribution) for one in scored.kinds] == [
        ("lesson", Fraction(0), Fraction(1), Fraction(0)),
        ("quiz", Fraction(1), Fraction(1, 2), Fraction(1, 2)),
    ]
    assert [lack.step.id for lack in lacks(module, {"l": COMPLETED, "q": scores(0.5)})] == ["q"]


@pytest.mark.parametrize(
    ("sent", "completed"),
    [
        ([0.7, 0.8, 0.9], True),  # in floating point their mean is 0.7999999999999999
        ([79.995, 79.995, 79.995], False),
        ([80, 80, 79.9999], False),
        ([80, 80, 80], True),
        ([1, 1, 0.4], True),
        ([1, 1, 0.399999], False),
    ],
)
def test_the_pass_mark_is_compared_exactly(sent: list[float], completed: bool) -> None:
    module = module_of(*(step_manifest(f"q{n}") for n in range(3)))
    sums = {f"q{n}": scores(one) for n, one in enumerate(sent)}
    assert is_completed(module, sums) is completed


def test_seven_eight_and_nine_tenths_are_eighty_percent() -> None:
    module = module_of(*(step_manifest(f"q{n}") for n in range(3)))
    scored = score_module(module, {"q0": scores(0.7), "q1": scores(0.8), "q2": scores(0.9)})
    assert scored.score == Fraction(4, 5)
    assert shown_percent(scored.score, module.pass_mark) == 80
    module = module_of(lesson("l"))
    assert score_module(module, {"l": scores(0.7, 0.8, 0.9)}).score == Fraction(4, 5)


def test_a_module_completed_by_its_steps_asks_for_no_score() -> None:
    module = module_of(step_manifest("a"), step_manifest("b", weight=0), complete_by="steps")
    done = scores(0.1) + event(9, None, kind="completed", completes=True)
    for known, completed in [({"a": done}, False), ({"a": done, "b": COMPLETED}, True), ({"a": scores(1)}, False)]:
        assert is_completed(module, known) is completed


def test_what_is_missing_by_score_is_every_step_with_something_to_gain() -> None:
    module = module_of(step_manifest("a"), lesson("l"), step_manifest("b"), step_manifest("free", weight=0))
    known = {"a": scores(0.5), "l": COMPLETED}
    found = missing(module, known)
    assert [(one.step.id, one.score, one.gain) for one in found] == [
        ("a", Fraction(1, 2), Fraction(75, 400)),
        ("b", Fraction(0), Fraction(75, 200)),
    ]


def test_nothing_is_missing_once_the_pass_mark_is_reached() -> None:
    module = module_of(step_manifest("a"), step_manifest("b"), pass_mark=50)
    known = {"a": scores(1)}
    assert lacks(module, known)
    assert missing(module, known) == []


def test_what_is_missing_by_steps_are_the_steps_to_complete() -> None:
    steps = [step_manifest("a"), step_manifest("b"), step_manifest("free", weight=0), step_manifest("full")]
    module = module_of(*steps, complete_by="steps")
    known = {"a": scores(0.1) + COMPLETED, "full": scores(1)}
    found = missing(module, known)
    assert [(one.step.id, one.score, one.gain) for one in found] == [
        ("b", Fraction(0), Fraction(1, 3)),
        ("free", Fraction(0), Fraction(0)),
        ("full", Fraction(1), Fraction(0)),
    ]


def test_a_course_scores_the_mean_of_its_modules_by_their_weights() -> None:
    course = parsed(course_manifest(module_manifest("a", weight=3), module_manifest("b", weight=1)))
    assert score_of_course(course, {"a-1": scores(0.7), "b-1": scores(0.3)}, {}) == Fraction(6, 10)


@pytest.mark.parametrize(
    ("score", "mark", "shown"),
    [
        (Fraction(2, 3), 800_000, 66.67),
        (Fraction(799_950, FULL), 800_000, 79.995),
        (Fraction(799_949, FULL), 800_000, 79.99),
        (Fraction(7_999_999, 10_000_000), 800_000, 79.9999),
        (Fraction(4, 5), 800_000, 80.0),
        (Fraction(799_940, FULL), 799_940, 79.994),
        (Fraction(999_999, FULL), 800_000, 99.99),
        (Fraction(1), 800_000, 100.0),
        (Fraction(0), 0, 0.0),
        (Fraction(0), 800_000, 0.0),
    ],
)
def test_a_score_is_shown_on_the_side_of_the_mark_that_it_is_on(score: Fraction, mark: int, shown: float) -> None:
    assert shown_percent(score, mark) == shown


marks = st.integers(0, 100)
weights = st.integers(0, 4)
steps: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.builds(dict, kind=st.sampled_from(KINDS), weight=weights), min_size=1, max_size=8
)
attempts = st.tuples(st.sampled_from(["attempted", "completed"]), st.one_of(st.none(), st.integers(0, FULL)))
histories = st.lists(attempts, max_size=4)


def model_score(module: Module, known: dict[str, list[tuple[str, int | None]]]) -> Fraction:
    """The score by the letter of the rule, step by step, from lists of (type, score) in their order."""
    total = shared = Fraction(0)
    for name in ("lesson", "quiz", "assignment", "assessment"):
        own = [one for one in module.steps if one.kind == name or (name == "assignment" and one.kind == "exercise")]
        counted = [one for one in own for _ in range(one.weight // FULL)]  # a step of weight 3 stands there 3 times
        if not counted:
            continue
        weight = Fraction(getattr(module.weights, name), FULL)
        shared += weight
        total += weight * sum(model_step(module, one, known[one.id]) for one in counted) / len(counted)
    return total / shared


def model_step(module: Module, step: Step, history: list[tuple[str, int | None]]) -> Fraction:
    found = [Fraction(score, FULL) for _, score in history if score is not None]
    if not found:
        return Fraction(int(any(kind == "completed" for kind, _ in history)))
    policies = {"best": max(found), "latest": found[-1], "first": found[0], "average": sum(found) / len(found)}
    return Fraction(policies[module.policies.of(step.kind)])


def history_sum(history: list[tuple[str, int | None]]) -> StepSum:
    total = StepSum()
    for at, (kind, score) in enumerate(history):
        sent = None if score is None else {"raw": score, "max": FULL}
        total += event(at, sent, kind=kind, completes=kind == "completed")
    return total


@settings(max_examples=300)
@given(
    steps=steps,
    kind_weights=st.fixed_dictionaries(dict.fromkeys(("lesson", "quiz", "assignment", "assessment"), weights)),
    policies=st.fixed_dictionaries(dict.fromkeys(KINDS, st.sampled_from(POLICIES))),
    mark=marks,
    data=st.data(),
)
def test_every_module_scores_as_the_rule_says(
    steps: list[dict[str, Any]], kind_weights: Any, policies: Any, mark: int, data: st.DataObject
) -> None:
    listed = [step_manifest(f"s{n}", **one) for n, one in enumerate(steps)]
    listed.append(lesson("sure"))  # something counts in every module
    kind_weights["lesson"] = max(1, kind_weights["lesson"])
    module = module_of(*listed, weights=kind_weights, policies=policies, pass_mark=mark)
    known = {one["id"]: data.draw(histories) for one in listed}
    sums = {name: history_sum(history) for name, history in known.items() if history}
    scored = score_module(module, sums)
    expected = model_score(module, known)
    assert (scored.score, total_score(module, sums)) == (expected, expected)
    assert sum(one.weight for one in scored.kinds) == 1
    assert sum(one.contribution for one in scored.kinds) == expected
    assert expected + sum(lack.gain for lack in lacks(module, sums)) == 1
    assert is_completed(module, sums) is (expected * 100 >= mark)
    assert (shown_percent(scored.score, module.pass_mark) >= mark) is (expected * 100 >= mark)


def test_completion_is_all_that_a_completion_needs() -> None:
    done = Completion(1, "e", "2026-03-01", 1)
    assert step_score(StepSum(completion=done, is_done=True), "best") == FULL
    # Completed by a person's word that was lifted since.
    assert step_score(StepSum(completion=done), "best") == 0


def test_a_course_of_one_module_scores_as_its_module() -> None:
    course = parsed(course_manifest(module_manifest("only", weight=0.000001)))
    assert score_of_course(course, {"only-1": scores(0.123456)}, {}) == Fraction(123_456, FULL)
