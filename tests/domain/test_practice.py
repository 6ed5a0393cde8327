"""Practice sessions against a model that asks of every pair of attempts whether they are in one."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.practice import GAP, Practiced, Session, sessions
from headway.domain.times import MINUTE

attempts = st.builds(
    Practiced, st.integers(0, 400).map(lambda n: n * MINUTE), st.just("2026-03-01"), st.booleans(), st.integers(0, 99)
)


def made(*minutes: float) -> list[Practiced]:
    return [Practiced(int(one * MINUTE), "2026-03-01", passed=True, duration_ms=10) for one in minutes]


def test_without_attempts_nobody_practiced() -> None:
    assert sessions([]) == []


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ([5], [(5, 5, 1)]),
        ([5, 35], [(5, 35, 2)]),
        ([5, 35.5], [(5, 5, 1), (35.5, 35.5, 1)]),
        ([0, 29, 58, 87], [(0, 87, 4)]),  # each close to the one before, however long all of them take
        ([0, 0, 0], [(0, 0, 3)]),
        ([100, 0, 20], [(0, 20, 2), (100, 100, 1)]),
    ],
)
def test_attempts_no_more_than_half_an_hour_apart_are_one_session(
    minutes: list[float], expected: list[tuple[float, float, int]]
) -> None:
    found = [(one.started_at / MINUTE, one.ended_at / MINUTE, one.attempts) for one in sessions(made(*minutes))]
    assert found == expected


def test_half_an_hour_is_to_the_microsecond() -> None:
    first, within, beyond = (Practiced(at, "2026-03-01", passed=True, duration_ms=0) for at in (0, GAP, GAP + 1))
    assert len(sessions([first, within])) == 1
    assert len(sessions([first, beyond])) == 2


def test_a_session_is_of_the_day_on_which_it_began() -> None:
    late = Practiced(0, "2026-03-01", passed=True, duration_ms=5)
    early = Practiced(MINUTE, "2026-03-02", passed=False, duration_ms=7)
    assert sessions([early, late]) == [Session(0, MINUTE, "2026-03-01", 2, 1, 12)]


@given(st.lists(attempts, max_size=40), st.integers(0, 99))
def test_every_attempt_is_in_one_session_and_none_holds_a_gap(history: list[Practiced], seed: int) -> None:
    found = sessions(history)
    shuffled = [*history]
    Random(seed).shuffle(shuffled)
    assert sessions(shuffled) == found
    assert all(after.started_at - before.ended_at > GAP for before, after in pairwise(found))
    for one in found:
        held = sorted(attempt for attempt in history if one.started_at <= attempt.at <= one.ended_at)
        assert all(after.at - before.at <= GAP for before, after in pairwise(held))
        assert (held[0].at, held[-1].at, len(held)) == (one.started_at, one.ended_at, one.attempts)
        assert one.passed == sum(attempt.passed for attempt in held)
        assert one.duration_ms == sum(attempt.duration_ms for attempt in held)
    assert sum(one.attempts for one in found) == len(history)
