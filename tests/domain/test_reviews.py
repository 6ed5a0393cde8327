"""Reviews: FSRS-6, compared with what py-fsrs 6.3.2 gives without learning steps and without fuzz."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.reviews import AGAIN, GOOD, HARD, Practice, card, rating

COUNTS = {AGAIN: (1, 0), HARD: (2, 1), GOOD: (1, 1)}
# (day, rating) of each review; stability, difficulty and the day on which the next is due.
REFERENCE: list[tuple[tuple[tuple[int, int], ...], float, float, int]] = [
    (((0, 3), (200, 3), (201, 3), (401, 2), (441, 1)), 4.560015, 8.257523, 446),
    (((0, 3), (5, 2)), 11.845516, 4.752858, 17),
    (((0, 1), (13, 2), (14, 2), (19, 3), (20, 3), (21, 1), (22, 3), (35, 3), (36, 2)), 6.814814, 9.600549, 43),
    (((0, 2),), 1.2931, 5.112171, 1),
    (((0, 2), (200, 2), (202, 3), (203, 3)), 22.502926, 6.717447, 226),
    (((0, 2), (40, 2), (45, 3), (46, 3)), 23.505556, 6.717447, 70),
    (((0, 2), (2, 1), (4, 3)), 2.086617, 8.365482, 6),
    (((0, 3),), 2.3065, 2.118104, 2),
]


def practice(day: int, grade: int) -> Practice:
    return Practice(day, *COUNTS[grade], 0, 0)


@pytest.mark.parametrize(("history", "stability", "difficulty", "due"), REFERENCE)
def test_a_card_is_what_the_library_makes_of_it(
    history: tuple[tuple[int, int], ...], stability: float, difficulty: float, due: int
) -> None:
    # In any order: reviews are gone through by their days.
    found = card(practice(*one) for one in reversed(history))
    assert found is not None
    assert (found.stability, found.difficulty) == pytest.approx((stability, difficulty), abs=1e-6)
    assert found.due == due


@pytest.mark.parametrize(
    ("attempts", "passed", "unscored", "hints", "expected"),
    [
        (1, 1, 0, 0, GOOD),
        (3, 3, 0, 0, GOOD),
        (2, 1, 0, 0, HARD),
        (1, 1, 0, 1, HARD),
        (3, 1, 2, 0, GOOD),
        (1, 0, 0, 0, AGAIN),
        (5, 0, 4, 2, AGAIN),
        (1, 0, 1, 0, None),
    ],
)
def test_a_day_s_attempts_say_how_well_it_was_remembered(
    attempts: int, passed: int, unscored: int, hints: int, expected: int | None
) -> None:
    assert rating(Practice(1, attempts, passed, unscored, hints)) == expected


def test_what_waits_for_a_grade_says_nothing_yet() -> None:
    assert card([]) is None
    assert card([Practice(1, 1, 0, 1, 0)]) is None
    assert card([Practice(1, 1, 1, 0, 0), Practice(9, 1, 0, 1, 0)]) == card([Practice(1, 1, 1, 0, 0)])


@given(st.lists(st.tuples(st.integers(1, 400), st.sampled_from([AGAIN, HARD, GOOD])), min_size=1, max_size=12))
def test_a_card_stays_within_its_bounds_and_is_forgotten_bit_by_bit(history: list[tuple[int, int]]) -> None:
    days = dict(history)
    found = card(practice(*one) for one in days.items())
    assert found is not None
    assert found.stability > 0
    assert 1 <= found.difficulty <= 10
    assert found.due > found.day == max(days)
    known = [found.retrievability(found.day + n) for n in (0, 1, 10, 1000)]
    assert known[0] == 1
    assert all(before > after > 0 for before, after in pairwise(known))


def test_what_is_remembered_again_and_again_is_asked_for_ever_later() -> None:
    days, intervals = [0], list[int]()
    for _ in range(7):
        found = card(practice(day, GOOD) for day in days)
        assert found is not None
        intervals.append(found.due - found.day)
        days.append(found.due)
    assert intervals == sorted(set(intervals))
    lapsed = card([*(practice(day, GOOD) for day in days[:-1]), practice(days[-1], AGAIN)])
    assert lapsed is not None
    assert lapsed.due - lapsed.day < intervals[-1]
