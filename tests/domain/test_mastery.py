"""Mastery, against the density of the Beta distribution added up, and what it must hold to."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.mastery import ANSWERS_MAX, HALF_LIFE, Answer, beta_cdf, beta_quantile, mastery

FULL = 1_000_000
answers = st.lists(st.tuples(st.integers(0, 50), st.text("ab", max_size=3), st.integers(0, FULL)), max_size=40)
SLICES = 20_000


def in_row(*scores: float) -> list[Answer]:
    return [(n, f"e{n}", int(score * FULL)) for n, score in enumerate(scores)]


def added_up(a: float, b: float, x: float) -> float:
    """The share of the density below x, by the midpoints of many slices."""
    below = above = 0.0
    for n in range(SLICES):
        at = (n + 0.5) / SLICES
        density = at ** (a - 1) * (1 - at) ** (b - 1)
        below, above = (below + density, above) if at < x else (below, above + density)
    return below / (below + above)


@pytest.mark.parametrize("a", [1.0, 1.7, 6.5, 15.9])
@pytest.mark.parametrize("b", [1.0, 2.3, 15.9])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_quantile_has_its_share_below_it(a: float, b: float, share: float) -> None:
    at = beta_quantile(a, b, share)
    assert added_up(a, b, at) == pytest.approx(share, abs=2e-3)
    assert beta_cdf(a, b, at) == pytest.approx(share, abs=1e-6)


def test_a_distribution_begins_at_nothing_and_ends_at_all() -> None:
    assert [beta_cdf(2, 3, x) for x in (0, 0.5, 1)] == pytest.approx([0, 11 / 16, 1])


def test_nothing_is_estimated_of_nothing() -> None:
    assert mastery([]) is None


def test_one_answer_says_little_and_many_say_much() -> None:
    one, ten, many = (mastery(in_row(*[1] * count)) for count in (1, 10, 100))
    # One of one: the rule of succession. Its bounds are exact, for the density is a straight line.
    assert one == pytest.approx((0.6667, 0.05**0.5, 0.95**0.5), abs=1e-4)
    assert one
    assert ten
    assert many
    assert one.low < ten.low < many.low
    assert one.high - one.low > ten.high - ten.low > many.high - many.low


def test_an_answer_a_half_life_back_weighs_half() -> None:
    rest = [0.5] * (HALF_LIFE - 1)
    latest, before = mastery(in_row(0.5, *rest, 1)), mastery(in_row(1, *rest, 0.5))
    assert latest
    assert before
    assert latest.estimate - 0.5 == pytest.approx(2 * (before.estimate - 0.5), abs=2e-4)


def test_recent_answers_count_and_those_beyond_the_last_hundred_do_not() -> None:
    better, worse = mastery(in_row(0, 0, 1, 1)), mastery(in_row(1, 1, 0, 0))
    assert better
    assert worse
    assert better.estimate > 0.5 > worse.estimate
    assert mastery(in_row(*[0] * 50, *[1] * ANSWERS_MAX)) == mastery(in_row(*[1] * ANSWERS_MAX))


@given(answers.filter(bool), st.randoms())
def test_the_order_of_arrival_says_nothing_and_the_estimate_lies_within(found: list[Answer], random: Random) -> None:
    known = mastery(found)
    shuffled = list(found)
    random.shuffle(shuffled)
    assert mastery(shuffled) == known
    assert known
    assert 0 <= known.low < known.estimate < known.high <= 1


@given(answers.filter(bool), st.integers(0, 39))
def test_a_better_answer_lowers_nothing(found: list[Answer], place: int) -> None:
    n = place % len(found)
    # Among several of one event and time a better score may change places: here no two are of one.
    known = [(at, f"{i}", score) for i, (at, _, score) in enumerate(found)]
    at, event_id, score = known[n]
    before, after = mastery(known), mastery([*known[:n], (at, event_id, min(FULL, score + 100_000)), *known[n + 1 :]])
    assert before
    assert after
    assert all(one <= two + 1e-9 for one, two in zip(before, after, strict=True))


def test_a_learner_who_learns_is_told_so_step_by_step() -> None:
    found = [mastery(in_row(*[0.3] * 5, *[0.95] * count)) for count in range(20)]
    assert all(one and two and one.estimate < two.estimate for one, two in pairwise(found))
