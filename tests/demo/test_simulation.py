"""The demo's learners: the same every time, within the rules, and believable."""

import random
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import pytest

from headway.demo.content import Answers
from headway.demo.people import LEARNER_EMAIL
from headway.demo.simulation import SimulatedLearner, simulate
from headway.domain.course import Course
from headway.domain.events import Event
from headway.domain.recording import REPORTED, Circumstances, contribute
from headway.domain.times import DAY, SECOND, local_day, ordinal
from headway.ledger.record import score_of
from tests.demo.conftest import LEARNERS, NOW


@pytest.fixture(scope="session")
def learners(course: Course, demo_answers: Answers) -> list[SimulatedLearner]:
    """A whole demo's learners."""
    return list(simulate(course, demo_answers, now=NOW))


def events(learner: SimulatedLearner) -> Iterable[Event]:
    """All events in the order of their arrival."""
    return (event for one in learner.submissions for event in one.events)


def test_the_same_seed_and_moment_give_the_same_events(course: Course, demo_answers: Answers) -> None:
    before = random.getstate()
    first, second = (list(simulate(course, demo_answers, now=NOW, count=LEARNERS)) for _ in range(2))
    assert first == second
    assert random.getstate() == before


def test_another_seed_gives_others(course: Course, demo_answers: Answers) -> None:
    one, other = (list(simulate(course, demo_answers, now=NOW, seed=seed, count=LEARNERS)) for seed in (1, 2))
    assert {learner.person.id for learner in one}.isdisjoint(learner.person.id for learner in other)


def test_there_are_a_few_hundred_and_they_did_a_lot(learners: list[SimulatedLearner]) -> None:
    kinds = Counter(learner.person.kind for learner in learners)
    assert kinds["account"] > 200
    assert kinds["guest"] > 15
    assert 10_000 < sum(1 for learner in learners for _ in events(learner)) < 20_000


def test_nothing_happens_or_arrives_after_the_moment(learners: list[SimulatedLearner]) -> None:
    for learner in learners:
        assert all(one.received_at <= NOW for one in learner.submissions)
        assert all(event.occurred_at is None or event.occurred_at <= NOW for event in events(learner))
        assert min(one.received_at for one in learner.submissions) > NOW - 125 * DAY


def test_events_arrive_after_they_happened_and_in_order(learners: list[SimulatedLearner]) -> None:
    for learner in learners:
        for one, following in pairwise(learner.submissions):
            assert one.received_at <= following.received_at
        for one in learner.submissions:
            assert all(event.occurred_at is None or event.occurred_at <= one.received_at for event in one.events)


def test_nobody_is_ahead_of_what_a_module_requires(course: Course, learners: list[SimulatedLearner]) -> None:
    """All modules that others require are completed by all of their steps, so a gate would let everybody through."""
    modules = {module.id: module for module in course.modules}
    required = {name for module in course.modules for name in module.requires}
    assert all(modules[name].complete_by == "steps" for name in required)
    needed = {
        step.id: {other.id for name in module.requires for other in modules[name].steps}
        for module in course.modules
        for step in module.steps
    }
    for learner in learners:
        done: set[str] = set()
        for one in learner.submissions:
            known = Circumstances(one.received_at, 0, learner.person.zone, REPORTED, 1)
            for event in one.events:
                made = contribute(event, known, course, score_of)
                if made.step:
                    assert needed[made.step] <= done
                    done |= {made.step} if made.completes else set()


def test_accounts_enroll_first_and_guests_never(learners: list[SimulatedLearner]) -> None:
    for learner in learners:
        kinds = [event.type for event in events(learner)]
        if learner.person.kind == "guest":
            assert not {"enrolled", "left"} & set(kinds)
        else:
            assert kinds[0] == "enrolled"
            assert kinds.count("left") <= 1
            assert "left" not in kinds[:-1]
    assert sum(event.type == "left" for learner in learners for event in events(learner)) >= 3


def test_some_events_are_late_and_some_are_sent_twice(learners: list[SimulatedLearner]) -> None:
    late, again = 0, 0
    for learner in learners:
        ids = [event.id for event in events(learner)]
        again += len(ids) - len(set(ids))
        for one in learner.submissions:
            late += sum(
                one.received_at - (event.occurred_at or one.received_at) > 3600 * SECOND for event in one.events
            )
    assert late > 50
    assert again > 20


def test_people_are_themselves(learners: list[SimulatedLearner]) -> None:
    names = [learner.person.name for learner in learners if learner.person.kind == "account"]
    assert all(names)
    assert len(set(names)) == len(names)
    assert len({learner.person.id for learner in learners}) == len(learners)
    assert len({learner.person.zone for learner in learners}) > 8


def test_habits_can_be_seen(learners: list[SimulatedLearner]) -> None:
    """Some come day by day for weeks, some on weekends alone, some are done within days, some never return."""
    long, weekends, fast, gone = 0, 0, 0, 0
    for learner in learners:
        days = sorted({ordinal(day) for day in active_days(learner)})
        steps = {event.step for event in events(learner) if event.step}
        span = days[-1] - days[0]
        long += longest_streak(days) >= 14
        weekends += len(days) >= 5 and sum(day % 7 in (6, 0) for day in days) > 0.8 * len(days)
        fast += len(steps) == 31 and span <= 14
        gone += len(steps) in range(9, 13) and ordinal(local_day(NOW, "UTC")) - days[-1] > 21
    assert long >= 10
    assert weekends >= 5
    assert fast >= 10
    assert gone >= 10


def test_most_learning_is_done_in_the_evening(learners: list[SimulatedLearner]) -> None:
    hours = Counter(
        int(local_hour(event.occurred_at, learner.person.zone))
        for learner in learners
        for event in events(learner)
        if event.occurred_at is not None
    )
    assert sum(hours[hour] for hour in range(17, 23)) > 0.5 * hours.total()
    assert sum(hours[hour] for hour in range(1, 6)) < 0.02 * hours.total()


def test_the_demos_own_learner_is_under_way(learners: list[SimulatedLearner]) -> None:
    own = learners[0]
    assert own.person.email == LEARNER_EMAIL
    assert 15 <= len({event.step for event in events(own) if event.step}) < 31
    assert longest_streak(sorted({ordinal(day) for day in active_days(own)})) >= 20


def active_days(learner: SimulatedLearner) -> set[str]:
    return {
        local_day(event.occurred_at, learner.person.zone) for event in events(learner) if event.occurred_at is not None
    }


def longest_streak(days: list[int]) -> int:
    best = length = 1
    for one, other in pairwise(days):
        length = length + 1 if other == one + 1 else 1
        best = max(best, length)
    return best


def local_hour(at: int, zone: str) -> float:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    return datetime.fromtimestamp(at / SECOND, UTC).astimezone(ZoneInfo(zone)).hour
