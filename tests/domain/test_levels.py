"""Skill levels, against a model that asks at every moment what is known by then."""

from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.levels import LEVELS, Exercise, skills

ORDER = [one.name for one in LEVELS]
TAKES = {"beginner": (0, 0), "intermediate": (10, 60), "advanced": (30, 70), "expert": (50, 80)}
times = st.integers(0, 60)


@st.composite
def histories(draw: st.DrawFn) -> list[Exercise]:
    """Many exercises, for levels take many."""
    found = []
    for _ in range(draw(st.sampled_from([3, 12, 35, 60]))):
        topics = tuple(draw(st.sets(st.sampled_from(["a", "b"]), min_size=1)))
        best = draw(st.none() | st.sampled_from([0, 550_000, 600_000, 700_000, 800_000, 1_000_000]))
        scored_at = None if best is None else draw(times)
        found.append(Exercise(topics, best, scored_at, draw(st.none() | times)))
    return found


def level_at(known: list[Exercise], at: int) -> str:
    """The highest level that what is known by a moment amounts to."""
    completed = sum(one.completed_at is not None and one.completed_at <= at for one in known)
    scores = [one.best or 0 for one in known if one.scored_at is not None and one.scored_at <= at]
    mean = Fraction(sum(scores), len(scores) * 10_000) if scores else Fraction(-1)
    reached = [name for name, (exercises, percent) in TAKES.items() if completed >= exercises and mean >= percent]
    return reached[-1] if reached else "beginner"


def exercises(count: int, best: int, first: int = 0, topic: str = "a") -> list[Exercise]:
    return [Exercise((topic,), best, first + n, first + n) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "best", "expected"),
    [
        (0, 0, None),
        (1, 1_000_000, "beginner"),
        (9, 1_000_000, "beginner"),
        (10, 600_000, "intermediate"),
        (10, 599_999, "beginner"),
        (29, 1_000_000, "intermediate"),
        (30, 700_000, "advanced"),
        (49, 1_000_000, "advanced"),
        (50, 800_000, "expert"),
        (50, 799_999, "advanced"),
        (80, 650_000, "intermediate"),
    ],
)
def test_a_level_takes_exercises_and_an_average(count: int, best: int, expected: str | None) -> None:
    found = skills(exercises(count, best)).get("a")
    assert (found and found.level.name) == expected


def test_a_level_tells_the_one_before_and_when_it_changed() -> None:
    found = skills(exercises(60, 900_000))["a"]
    assert (found.level.name, found.previous, found.changed_at, found.next) == ("expert", LEVELS[2], 49, None)
    beginner = skills(exercises(3, 900_000))["a"]
    assert (beginner.previous, beginner.changed_at, beginner.next) == (None, None, LEVELS[1])


def test_a_level_that_was_reached_stays_whatever_follows() -> None:
    good, bad = exercises(10, 700_000), exercises(40, 0, first=10)
    found = skills([*good, *bad])["a"]
    assert (found.level.name, found.changed_at) == ("intermediate", 9)
    assert found.best_total < 600_000 * found.scores


def test_what_was_done_in_one_moment_was_done_together() -> None:
    found = skills([exercise._replace(scored_at=5, completed_at=5) for exercise in exercises(30, 800_000)])["a"]
    assert (found.level.name, found.previous, found.changed_at) == ("advanced", LEVELS[0], 5)


def test_a_level_does_not_sink_to_one_that_is_reached_still() -> None:
    found = skills([*exercises(30, 700_000), *exercises(30, 600_000, first=30)])["a"]
    assert (found.level.name, found.previous, found.changed_at) == ("advanced", LEVELS[1], 29)


def test_what_was_completed_without_any_score_reaches_no_level_that_takes_an_average() -> None:
    assert skills([Exercise(("a",), None, None, n) for n in range(60)])["a"].level.name == "beginner"


@given(histories(), st.integers(0, 99))
def test_levels_are_the_highest_that_any_moment_saw(history: list[Exercise], seed: int) -> None:
    found = skills(history)
    shuffled = [*history]
    Random(seed).shuffle(shuffled)
    assert skills(shuffled) == found
    for topic, skill in found.items():
        own = [one for one in history if topic in one.topics]
        seen = [(level_at(own, at), at) for at in range(61)]
        rises = [("beginner", None)]
        for name, at in seen:
            if ORDER.index(name) > ORDER.index(rises[-1][0]):
                rises.append((name, at))  # type: ignore[arg-type]  # the first has no time
        assert (skill.level.name, skill.changed_at) == rises[-1]
        assert (skill.previous and skill.previous.name) == (rises[-2][0] if len(rises) > 1 else None)
        assert skill.exercises_completed == sum(one.completed_at is not None for one in own)


@given(histories(), st.lists(st.integers(0, 59), max_size=20))
def test_better_scores_and_later_exercises_take_no_level_away(history: list[Exercise], better: list[int]) -> None:
    improved = [*history]
    for n in (one for one in better if one < len(history)):
        if improved[n].best is not None:
            improved[n] = improved[n]._replace(best=1_000_000)
    later = [Exercise(("a", "b"), 0, 100 + n, 100 + n) for n in range(5)]
    for before, after in pairwise([skills(history), skills(improved), skills([*improved, *later])]):
        for topic, skill in before.items():
            assert after[topic].level.exercises >= skill.level.exercises
