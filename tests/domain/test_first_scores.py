"""First scores of attempts that are judged anew: what sinks a step is left out, and nothing else is."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.domain.course import Policy
from headway.domain.first_scores import Move, added_by, one_by_one, sinks, way
from headway.domain.progress import Contribution, Scored, StepSum
from tests.domain.slow_gates import Known, counted

MILLION = 1_000_000
POLICIES: tuple[Policy, ...] = ("best", "latest", "first", "average")
# By time, each an attempt: what it has, and what it is judged to be worth.
Attempts = list[tuple[int | None, int]]


def attempt(at: int, score: int | None, kind: str = "attempted") -> StepSum:
    place = (f"{at:04}", kind, "python", 1, "a", 1, at, "2026-03-01")
    return StepSum.of(Contribution(*place, score, False, 0, 0, ()))


def slow_score(scores: list[tuple[int, int]], policy: Policy, *, done: bool) -> Fraction:
    known = Known(tuple(((at, ""), Fraction(score, MILLION)) for at, score in scores), done=done)
    return counted(known, policy)


def known_of(attempts: Attempts, *, done: bool) -> StepSum:
    known = attempt(-1, None, "completed") if done else StepSum()
    return sum((attempt(at, had) for at, (had, _) in enumerate(attempts)), known)


def moves_of(attempts: Attempts) -> list[Move]:
    return [
        Move(Scored(at, f"{at:04}", now), had) for at, (had, now) in enumerate(attempts) if had is None or now > had
    ]


def given_to(attempts: Attempts, moves: Sequence[Move]) -> Attempts:
    scores = {one.scored.at: one.scored.score for one in moves}
    return [(scores.get(at, had), now) for at, (had, now) in enumerate(attempts)]


def judged(attempts: Attempts, policy: Policy, *, done: bool) -> list[int | None]:
    """What the attempts have afterwards."""
    moves = moves_of(attempts)
    found = way(known_of(attempts, done=done), policy, moves)
    assert {*found.moves, *found.left_out} == {*moves}
    return [had for had, _ in given_to(attempts, found.moves)]


def worth(scores: Sequence[int | None], policy: Policy, *, done: bool) -> Fraction:
    return slow_score([(at, one) for at, one in enumerate(scores) if one is not None], policy, done=done)


scores = st.sampled_from([0, 300_000, 500_000, 900_000, MILLION])


@settings(max_examples=150)
@given(st.lists(st.tuples(st.none() | scores, scores), max_size=5), st.sampled_from(POLICIES), st.booleans())
def test_no_step_sinks_and_what_is_left_out_would_have_sunk_it(attempts: Attempts, policy: Policy, done: bool) -> None:
    after = judged(attempts, policy, done=done)
    before = worth([had for had, _ in attempts], policy, done=done)
    assert worth(after, policy, done=done) >= before
    if None in after:
        given_all = [now if had is None else max(had, now) for had, now in attempts]
        assert worth(given_all, policy, done=done) < before
    # Judged once more, everything is as it was.
    assert judged([(had, now) for had, (_, now) in zip(after, attempts, strict=True)], policy, done=done) == after


@pytest.mark.parametrize(
    ("attempts", "policy", "done", "after"),
    [
        ([(None, 0)], "best", True, [None]),
        ([(None, MILLION), (None, 0)], "best", True, [MILLION, 0]),
        ([(900_000, 900_000), (None, 0)], "latest", False, [900_000, None]),
        ([(None, 0), (900_000, 900_000)], "latest", False, [0, 900_000]),
        ([(None, 0), (900_000, 900_000)], "first", False, [None, 900_000]),
        ([(500_000, 500_000), (None, 900_000), (None, 0)], "average", False, [500_000, 900_000, None]),
        (
            [(500_000, 500_000), (None, 600_000), (None, 900_000), (None, 0), (None, 0)],
            *("average", False, [500_000, None, 900_000, None, None]),
        ),
        ([(300_000, 900_000), (None, 0)], "average", False, [900_000, 0]),
        ([(None, MILLION), (None, 0)], "latest", False, [MILLION, 0]),
    ],
)
def test_a_few(attempts: Attempts, policy: Policy, done: bool, after: list[int | None]) -> None:
    assert judged(attempts, policy, done=done) == after


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.none() | scores, scores), max_size=8),
    st.sampled_from(POLICIES),
    st.booleans(),
    st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=8, max_size=8),
)
def test_some_at_a_time_and_begun_anew_it_comes_to_the_same_end(
    attempts: Attempts, policy: Policy, done: bool, portions: list[tuple[int, bool]]
) -> None:
    """Wherever it is stopped, and what is left judged anew; in between, only an average may sink, by a little."""
    before, end = worth([had for had, _ in attempts], policy, done=done), judged(attempts, policy, done=done)
    now = attempts
    planned = way(known_of(now, done=done), policy, moves_of(now))
    left = planned.moves
    for size, begins_anew in portions:
        some, left = left[:size], left[size:]
        known = known_of(now, done=done)
        # What is looked at again under the learner's lock says the same.
        if planned.is_whole:
            assert not sinks(known, policy, added_by([*some, *left]))
        else:
            assert not one_by_one(known, policy, some).left_out
        now = given_to(now, some)
        then = worth([had for had, _ in now], policy, done=done)
        slack = Fraction(1, max(1, sum(had is not None for had, _ in now))) if policy == "average" else 0
        assert then <= worth(end, policy, done=done)
        assert then >= min(before, worth(end, policy, done=done)) - slack
        if begins_anew:
            planned = way(known_of(now, done=done), policy, moves_of(now))
            left = planned.moves
    if not left:
        assert [had for had, _ in now] == end
    assert judged(now, policy, done=done) == end
