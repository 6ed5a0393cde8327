"""Whoever tried very often is judged anew a portion at a time: wherever that is broken off, it comes to one end."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from headway.domain.times import MINUTE, format_time
from headway.ledger import raising, regrade
from headway.ledger.by_hand import carry_out
from headway.ledger.effects import Effects, KeptScore
from headway.ledger.rebuild import rebuild
from headway.ledger.regrade import RegradeAsked
from headway.store.database import Database
from tests.domain.manifests import course, module, step
from tests.ledger.world import HOUR, NOON, World, event

NOW = NOON + 2 * HOUR
POLICIES = ("best", "latest", "first", "average")
# All of them: each that is picked is worth a quarter.
GRADER = {"type": "multiple", "options": {one: one for one in "abcd"}, "answers": [*"abcd"]}


class Killed(Exception):
    """As if the process were gone."""


def publish(world: World, policy: str, *course_ids: str, **fields: Any) -> None:
    steps = module("m", step("exam", kind="assessment", **fields), policies={"assessment": policy})
    for course_id in course_ids:
        world.publish(course(steps, module("after", step("later")), id=course_id))


def judged(world: World, course_id: str, dry_run: bool = False) -> Effects:
    asked = RegradeAsked(course_id, "exam", "the key was wrong", None)
    return regrade.regrade(world.database, world.catalog, asked, now=lambda: NOW, dry_run=dry_run)


def attempts(chance: random.Random) -> list[dict[str, Any]]:
    """Attempts with and without scores, of which the new key thinks otherwise; or a completion and such without."""
    done = chance.random() < 0.3
    found: list[dict[str, Any]] = [{"kind": "completed"}] * done
    for n in range(9):
        one = {"occurred_at": format_time(NOON + n * MINUTE), "response": list("abcd"[: chance.randrange(1, 5)])}
        found.append(one if done or chance.random() < 0.5 else one | {"score": chance.choice([0, 0.3, 0.5, 0.9])})
    return found


def outcome(world: World, learner_id: str, course_id: str) -> tuple[Any, ...]:
    row = world.step_of(learner_id, course_id, "exam")
    names = ("scores", "score_total", "best_score", "passed_attempts", "unscored", "graded_best", "completed_at")
    entries = [one.type for one in world.entries(learner_id) if one.course_id == course_id]
    return *(row[name] for name in names), row["first_at"], row["latest_at"], sorted(entries)


def shape(found: Effects) -> tuple[Any, ...]:
    """What is told, whatever the order of those that are left out."""

    def key(one: KeptScore) -> tuple[str, str]:
        return one.learner, one.attempt or ""

    return found.total, found.updated, found.updates, sorted(found.kept, key=key)


class Commits:
    """What happens behind each transaction that gives scores."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.act: Callable[[], None] = lambda: None
        monkeypatch.setattr("headway.ledger.raising.carry_out", self.carry_out)

    def carry_out(self, database: Database, work: Any, *, dry_run: bool) -> Any:
        made = carry_out(database, work, dry_run=dry_run)
        self.act()
        return made


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> Commits:
    return Commits(monkeypatch)


@pytest.mark.parametrize("policy", POLICIES)
def test_broken_off_anywhere_it_comes_to_the_end_that_one_transaction_comes_to(
    world: World, monkeypatch: pytest.MonkeyPatch, commits: Commits, policy: str
) -> None:
    chance, deaths, left_out = random.Random(policy), 0, 0
    publish(world, policy, "once", "often")
    sent = {world.learner(): attempts(chance) for _ in range(6)}
    for who, some in sent.items():
        world.send(who, *(event(of="exam", course=of, **one) for of in ("once", "often") for one in some), at=NOW)
    publish(world, policy, "once", "often", grader=GRADER)
    expected = judged(world, "often", dry_run=True)
    assert judged(world, "once").updated == expected.updated > 3

    monkeypatch.setattr(raising, "ATTEMPTS_A_TRANSACTION", 2)
    tried = judged(world, "often", dry_run=True)
    assert set(tried.updates) == set(expected.updates)
    assert shape(tried) == shape(expected)

    def die() -> None:
        if chance.random() < 0.3:
            raise Killed

    commits.act = die
    while True:
        try:
            judged(world, "often")
            break
        except Killed:
            deaths += 1
    commits.act = lambda: None
    assert deaths > 3
    last = judged(world, "often")
    left_out = sum(one.score is None for one in last.kept)
    assert (last.updated, left_out) == (0, sum(one.score is None for one in expected.kept))
    for who in sent:
        assert outcome(world, who, "often") == outcome(world, who, "once")
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


def test_no_transaction_gives_more_scores_than_a_portion_and_what_all_gave_is_told_as_one(
    world: World, monkeypatch: pytest.MonkeyPatch, commits: Commits
) -> None:
    publish(world, "average", "exams")
    who = world.learner()
    times = [format_time(NOON + n * MINUTE) for n in range(11)]
    sent = [
        event(n, of="exam", course="exams", occurred_at=at, score=0.25, response=[*"abcd"])
        for n, at in enumerate(times)
    ]
    world.send(who, *sent, at=NOW)
    publish(world, "average", "exams", grader=GRADER)
    monkeypatch.setattr(raising, "ATTEMPTS_A_TRANSACTION", 4)
    sizes: list[int] = []

    def count() -> None:
        sizes.append(sum(one.type == "graded" for one in world.entries(who)))
        if len(sizes) == 2:
            # Another version comes, in the midst of this learner.
            publish(world, "average", "exams", grader=GRADER, pass_mark=70)

    commits.act = count
    found = judged(world, "exams")
    assert sizes == [4, 8, 11]
    assert (found.total, found.updated, found.kept) == (1, 1, ())
    figures = {one.field: (one.old, one.new) for one in found.updates}
    assert (figures["average_score"], figures["passed_attempts"]) == ((0.25, 1.0), (0, 11))
    assert len(figures) == len(found.updates)
    world.assert_clean()


def test_what_a_learner_does_between_two_portions_is_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch, commits: Commits
) -> None:
    """By what there was, all first scores together raise the average; beside perfect attempts they sink it."""
    publish(world, "average", "exams")
    who = world.learner()
    picks = [[*"abcd"], ["a"], ["a"], ["a"], ["a"]]
    first = [
        event(of="exam", course="exams", occurred_at=format_time(NOON + n * MINUTE), response=one)
        for n, one in enumerate(picks)
    ]
    world.send(who, event(of="exam", course="exams", score=0.3), *first, at=NOW)
    publish(world, "average", "exams", grader=GRADER)
    monkeypatch.setattr(raising, "ATTEMPTS_A_TRANSACTION", 1)
    averages: list[float] = []

    def interrupt() -> None:
        if not averages:
            world.send(who, *(event(of="exam", course="exams", response=[*"abcd"]) for _ in range(4)), at=NOW)
        row = world.step_of(who, "exams", "exam")
        averages.append(row["score_total"] / row["scores"])

    commits.act = interrupt
    found = judged(world, "exams")
    assert averages == sorted(averages)
    assert [one.score for one in found.kept if "count for less" in one.why] == [None] * len(found.kept)
    assert found.kept
    world.assert_clean()
