"""Predictions and peers of learners who really recorded something."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from headway.domain.achievements import Definition
from headway.domain.predictions import TOO_LITTLE
from headway.http.letters import in_percent
from headway.ledger.backfill import backfill_pending
from headway.ledger.boards import count_all_in
from headway.ledger.definitions import install
from headway.views.achievements import Standing
from headway.views.peers import read_peers, share_ahead
from headway.views.predictions import read_predictions
from headway.views.subject import NOBODY, Subject
from tests.domain.manifests import course, module, step
from tests.views.learning import NOW, Learning, event

TODAY = date(2026, 3, 10)
MANIFEST = course(
    module("first", *(step(f"s{n}", kind="exercise", topics=["loops"]) for n in range(40))), certificate=True
)


def define(learning: Learning, name: str, metric: str, threshold: int) -> Definition:
    return Definition(name, name, name, "practice", metric, threshold, 5, "bronze", hidden=False)


def daily(learning: Learning, who: Subject, steps: int, score: float = 1) -> None:
    """One exercise a day, up to today."""
    for n in range(steps):
        at = f"{TODAY - timedelta(days=n)}T10:00:00Z"
        learning.record(who, event("attempted", f"s{n}", at, score=score, duration_s=600))


def predicted(learning: Learning, who: Subject) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.to_builtins(learning.read(read_predictions, learning.catalog, who, NOW))
    return found


def ahead(days: int) -> str:
    return str(TODAY + timedelta(days=days))


def test_what_comes_next_at_the_pace_of_the_last_weeks(learning: Learning) -> None:
    learning.publish(MANIFEST)
    asked = [("hours", 1000), ("steps", 20), ("exercises", 20), ("courses", 1), ("days_in_a_row", 15)]
    defined = [define(learning, f"{metric}-{threshold}", metric, threshold) for metric, threshold in asked]
    install(learning.database, defined)
    backfill_pending(learning.database, learning.catalog, now=lambda: NOW)
    ada, bo = learning.learner(), learning.learner("bo")
    assert predicted(learning, NOBODY) == []
    assert predicted(learning, ada) == [
        {"kind": "achievement", "target": "steps-20", "reason": TOO_LITTLE},
    ]
    daily(learning, ada, 14)
    when = {"expected_on": ahead(6), "low_on": ahead(6), "high_on": ahead(6)}
    to_level = {"expected_on": ahead(16), "low_on": ahead(16), "high_on": ahead(16)}
    to_end = {"expected_on": ahead(26), "low_on": ahead(26), "high_on": ahead(26)}
    assert predicted(learning, ada) == [
        {"kind": "achievement", "target": "exercises-20", **when},
        {"kind": "level", "target": "loops", "level": "advanced", **to_level},
        {"kind": "course", "target": "python", **to_end},
    ]
    daily(learning, bo, 2, score=0.75)
    achievement, level, end = predicted(learning, bo)
    assert (achievement["target"], achievement["reason"], end["reason"]) == ("days_in_a_row-15", TOO_LITTLE, TOO_LITTLE)
    assert (level["level"], level["reason"]) == ("intermediate", TOO_LITTLE)


@pytest.mark.parametrize(("first", "expected"), [(27, 112), (28, 150), (300, 150)])
def test_the_pace_is_that_of_four_weeks_for_whoever_began_before_them(
    learning: Learning, first: int, expected: int
) -> None:
    learning.publish(MANIFEST)
    install(learning.database, [define(learning, "steps-20", "steps", 20)])
    ada = learning.learner()
    for n, days in enumerate([first, 2, 1, 0]):
        learning.record(ada, event("attempted", f"s{n}", f"{TODAY - timedelta(days=days)}T10:00:00Z", score=1))
    assert predicted(learning, ada)[0]["expected_on"] == ahead(expected)


def test_an_average_that_is_too_low_for_a_level_is_the_reason(learning: Learning) -> None:
    learning.publish(MANIFEST)
    ada = learning.learner()
    for n in range(5):
        at = f"{TODAY - timedelta(days=n)}T10:00:00Z"
        learning.record(ada, event("completed", f"s{n}", at, score=0.5))
    achievement, level, _ = predicted(learning, ada)
    assert achievement == {"kind": "achievement", "target": None, "reason": "there is nothing left to earn"}
    assert level["reason"] == "not enough to say: intermediate asks for an average of 60 %, and it is 50 %"
    learning.record(ada, *(event("completed", f"s{n}") for n in range(5, 40)))
    learning.record(ada, *(event("attempted", f"s{n}", score=1) for n in range(40)))
    assert [one["kind"] for one in predicted(learning, ada)] == ["achievement", "level"]


def test_what_is_short_of_all_is_never_told_as_all_of_it() -> None:
    definition = Definition("hard", "Hard", "A lot.", "practice", "attempts", 100_000, 5, "gold")
    assert [Standing(definition, None, value).percent for value in (99_999, 100_000, 100_001)] == [99.99, 100, 100]
    # Equal to one of 2,001 others, and ahead of all else.
    assert (share_ahead(2_000, 1, 2_001), share_ahead(2_001, 0, 2_001)) == (99.98, 100)
    assert [in_percent(one) for one in (99.99, 99.94, 79.995, 100)] == ["99.9 %", "99.9 %", "79.9 %", "100 %"]


@pytest.mark.parametrize("counted_in", [False, True])
def test_peers_are_a_share_of_ten_others_at_least(learning: Learning, counted_in: bool) -> None:
    learning.publish(MANIFEST)
    people = [learning.learner(f"person {n}", leaderboard_opt_out=n == 11) for n in range(13)]
    for n, who in enumerate(people[:10]):
        learning.record(who, *(event("completed", f"s{step}") for step in range(max(1, n))))
    if counted_in:
        count_all_in(learning.database, now=NOW)
    # Nine others: nothing is told of them, to nobody.
    assert learning.read(read_peers, people[0], NOW).others is None
    nothing = learning.read(read_peers, people[12], NOW, "all")
    assert (nothing.others, nothing.ahead_of_percent, nothing.points) == (10, None, 0)
    for who in (people[10], people[11]):
        learning.record(who, *(event("completed", f"s{step}") for step in range(5)))
    if counted_in:
        count_all_in(learning.database, now=NOW)
    told = {n: learning.read(read_peers, people[n], NOW, "week", "python") for n in (0, 1, 5, 9, 10, 11, 12)}
    assert {n: one.others for n, one in told.items()} == {0: 10, 1: 10, 5: 10, 9: 10, 10: 10, 11: 11, 12: 11}
    # 1 1 2 3 4 5 5 6 7 8 9: of ten others two are equal to neither, one to each other of the fives.
    shares = {0: 5.0, 1: 5.0, 5: 55.0, 9: 100.0, 10: 55.0, 11: 54.55, 12: None}
    assert {n: one.ahead_of_percent for n, one in told.items()} == shares
    assert (told[11].points, told[11].solved, told[12].reason) == (50, 5, "no points were gained yet in this period")
