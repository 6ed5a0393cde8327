"""When fewer pass a step since a version, and when that is nothing to tell."""

import random

import pytest

from headway.domain.first_tries import Tries, drop

FELL = {1: Tries(100, 80), 2: Tries(100, 50)}


def test_a_clear_drop_is_told_with_its_version_and_shares() -> None:
    found = drop(FELL)
    assert found is not None
    assert found == (2, Tries(100, 80), Tries(100, 50))
    assert (found.before.percent, found.since.percent) == (80.0, 50.0)


@pytest.mark.parametrize(
    "tries",
    [
        {},
        {3: Tries(500, 10)},
        {1: Tries(100, 50), 2: Tries(100, 80)},  # it rose
        {1: Tries(19, 19), 2: Tries(100, 10)},  # too few before
        {1: Tries(100, 90), 2: Tries(19, 0)},  # too few since
        {1: Tries(20, 14), 2: Tries(20, 10)},  # chance
        {1: Tries(100_000, 80_000), 2: Tries(100_000, 70_010)},  # sure, and nothing to act on
        {1: Tries(50, 50), 2: Tries(50, 50)},
        {1: Tries(50, 0), 2: Tries(50, 0)},
        {**FELL, 3: Tries(20, 16)},  # mended
    ],
)
def test_what_is_no_drop_is_none(tries: dict[int, Tries]) -> None:
    assert drop(tries) is None


def test_the_version_that_brought_it_is_named_however_many_came_since() -> None:
    tries = {1: Tries(60, 48), 2: Tries(60, 49), 4: Tries(60, 20), 5: Tries(60, 22), 7: Tries(3, 3)}
    found = drop(tries)
    assert found is not None
    assert found.version == 4


def test_chance_alone_seldom_flags_a_step() -> None:
    chance = random.Random(7)
    steps = [
        {version: Tries(40, sum(chance.random() < 0.6 for _ in range(40))) for version in range(1, 9)}
        for _ in range(2_000)
    ]
    assert 0 < sum(drop(one) is not None for one in steps) < 2_000 * 0.01
