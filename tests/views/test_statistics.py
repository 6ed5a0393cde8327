"""Statistics of periods, against figures worked out from what was sent alone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import fmean, quantiles
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from headway.domain.errors import Invalid
from headway.domain.times import format_time
from headway.ledger.definitions import install
from headway.ledger.retake import RunWanted, start_run
from headway.views.overview import read_overview
from headway.views.statistics import Between, Statistics, TopicStatistics, read_statistics
from headway.views.subject import NOBODY, Subject
from tests.ledger.earning import defined
from tests.ledger.essays import ESSAYS, essay
from tests.ledger.facts import grade
from tests.ledger.guests import guest_in, move
from tests.ledger.world import PYTHON, World, event

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)  # a Wednesday
MICROS = int(NOW.timestamp()) * 1_000_000
PERIODS = {
    "day": ("2026-03-18", "2026-03-18"),
    "week": ("2026-03-16", "2026-03-22"),
    "month": ("2026-03-01", "2026-03-31"),
    "all": ("0001-01-01", "9999-12-31"),
}
TOPICS = {"hello": ["basics"], "loops": ["lists", "loops"], "quiz": ["loops"], "graded": ["basics"], "essay": []}
MARKS = {"quiz": 0.79995}
POINTS = {"hello": 5, "loops": 10, "quiz": 10, "graded": 10, "essay": 25}


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    world = World(database_url).prepare()
    world.publish(ESSAYS)
    yield world
    world.close()


def statistics(world: World, who: str | None, period: str = "week", zone: str = "UTC") -> Statistics:
    with world.database.read() as connection:
        return read_statistics(connection, world.catalog, Subject(who, zone), MICROS, period)


def plain(found: Statistics) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(found)
    return shown


def ago(days: int, hour: int = 9) -> str:
    return format_time(MICROS - days * 86_400_000_000 + (hour - 12) * 3_600_000_000)


EMPTY = {
    "exercises_completed": 0,
    "steps_completed": 0,
    "attempts": 0,
    "average_percent": None,
    "median_percent": None,
    "spread_percent": None,
    "pass_rate_percent": None,
    "duration_s": 0.0,
    "average_duration_s": None,
    "median_duration_s": None,
    "spread_duration_s": None,
    "hints": 0,
    "points": 0,
    "topics": [],
    "trend": [
        {"day": f"2026-03-{day}", "attempts": 0, "average_percent": None, "median_percent": None}
        for day in range(12, 19)
    ],
}


def test_nobody_and_who_did_nothing_read_as_empty(world: World) -> None:
    for who in (None, world.learner()):
        for period, (first, last) in PERIODS.items():
            found = plain(statistics(world, who, period))
            limits = {"from": None, "to": "2026-03-18"} if period == "all" else {"from": first, "to": last}
            assert found == {"period": period, **limits, **EMPTY}


def test_a_period_that_is_none_is_refused(sqlite_url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_statistics(None, None, NOBODY, MICROS, "year")  # type: ignore[arg-type]  # it never comes to be asked
    assert refusal.value.field == "period"


def test_medians_and_spread_stand_beside_averages(world: World) -> None:
    ada = world.learner()
    for n, (score, duration_s) in enumerate([(0.1, 10), (0.9, 20), (1, 0), (0.9, 7_200), (0.8, 30)]):
        world.send(ada, event(occurred_at=ago(n), score=score, duration_s=duration_s), at=MICROS)
    world.send(ada, event(kind="worked", occurred_at=ago(0), duration_s=600, hints=2), at=MICROS)
    found = statistics(world, ada)
    assert (found.attempts, found.average_percent, found.median_percent) == (3, 66.67, 90.0)
    assert found.spread_percent == Between(50.0, 95.0)
    assert (found.duration_s, found.average_duration_s, found.median_duration_s) == (630.0, 15.0, 15.0)
    assert found.spread_duration_s == Between(12.5, 17.5)
    whole = statistics(world, ada, "all")
    # Of two hours one counts: a forgotten tab adds nothing absurd.
    assert (whole.duration_s, whole.average_duration_s, whole.median_duration_s) == (4_260.0, 915.0, 25.0)
    assert (whole.average_percent, whole.median_percent, whole.pass_rate_percent) == (74.0, 90.0, 80.0)
    assert (whole.first, whole.last) == ("2026-03-14", "2026-03-18")
    assert [one.median_percent for one in whole.trend] == [None, None, 80.0, 90.0, 100.0, 90.0, 10.0]


def test_topics_are_strong_or_weak(world: World) -> None:
    ada = world.learner()
    sent = [("loops", 0.5), ("loops", 0.4), ("quiz", 0.9), ("hello", 1), ("hello", 0.9), ("hello", 0.8)]
    world.send(ada, *(event(of=of, score=score, occurred_at=ago(0)) for of, score in sent), at=MICROS)
    expected = [
        TopicStatistics("basics", 0, 3, 90.0, 100.0, 0.0, "strong"),
        TopicStatistics("lists", 0, 2, 45.0, 0.0, 0.0, "even"),  # two scores say too little
        TopicStatistics("loops", 1, 3, 60.0, 33.33, 0.0, "even"),
    ]
    for period in PERIODS:
        assert statistics(world, ada, period).topics == expected
    world.send(ada, event(of="loops", score=0.1, occurred_at=ago(0)), at=MICROS)
    assert [one.strength for one in statistics(world, ada, "all").topics] == ["strong", "weak", "weak"]


def test_the_period_is_of_the_learners_own_days(world: World) -> None:
    east = world.learner("Pacific/Kiritimati")
    world.send(east, event(occurred_at="2026-03-18T09:59:59Z"), event(occurred_at="2026-03-18T10:00:00Z"), at=MICROS)
    found = statistics(world, east, "day", "Pacific/Kiritimati")  # where it is the 19th
    assert (found.first, found.last, found.attempts) == ("2026-03-19", "2026-03-19", 1)
    assert [one.attempts for one in found.trend][-2:] == [1, 1]


def test_a_grade_given_later_is_the_score_of_its_attempt_on_its_day(world: World) -> None:
    ada = world.learner()
    first, second = str(uuid4()), str(uuid4())
    world.send(ada, essay(first, occurred_at=ago(9)), essay(second, occurred_at=ago(1), duration_s=60), at=MICROS)
    for period in PERIODS:
        assert statistics(world, ada, period).median_percent is None
    grade(world, ada, first, 500_000, at=MICROS)
    grade(world, ada, second, 600_000, at=MICROS)
    grade(world, ada, second, 900_000, at=MICROS + 1)
    found = statistics(world, ada)
    assert (found.attempts, found.average_percent, found.median_percent) == (1, 90.0, 90.0)
    assert found.topics == [TopicStatistics("locks", 1, 1, 90.0, 100.0, 60.0, "even")]
    assert [one.median_percent for one in found.trend][-2:] == [90.0, None]
    whole = statistics(world, ada, "all")
    assert (whole.average_percent, whole.median_percent, whole.pass_rate_percent) == (70.0, 70.0, 50.0)
    assert [one.median_percent for one in whole.trend][-2:] == [90.0, None]
    world.assert_clean()


def test_a_step_completed_again_in_another_run_is_of_the_period_in_which_it_first_was(world: World) -> None:
    ada = world.learner()
    for days in (9, 0):
        world.send(ada, event(score=1, occurred_at=ago(days)), at=MICROS)
        start_run(world.database, world.catalog, RunWanted(ada, "python", str(uuid4())), now=MICROS)
    counted = {
        period: [(one.attempts, one.exercises_completed) for one in statistics(world, ada, period).topics]
        for period in PERIODS
    }
    assert counted == {"day": [(1, 0)] * 2, "week": [(1, 0)] * 2, "month": [(2, 1)] * 2, "all": [(2, 1)] * 2}
    world.assert_clean()


@pytest.mark.parametrize("seed", range(3))
def test_figures_are_those_of_what_was_sent(world: World, seed: int) -> None:
    rng, sent = Random(seed), list[dict[str, Any]]()
    ada = world.learner()
    for n in range(3):
        guest = guest_in(world)
        for who in (ada, guest.id):
            some = [drawn(rng) for _ in range(40)]
            sent += some
            world.send(who, *(as_event(one) for one in some), at=MICROS)
        if n == 0:  # from now on by another version
            world.publish(PYTHON)
        move(world, ada, guest, now=MICROS)
    for period, (first, last) in PERIODS.items():
        found = plain(statistics(world, ada, period))
        expected = figures(sent, first, last)
        assert {name: found[name] for name in expected} == expected
    world.assert_clean()
    with world.database.read() as connection:
        overview = read_overview(connection, world.catalog, Subject(ada, "UTC"), MICROS)
    whole = statistics(world, ada, "all")
    assert (whole.points, whole.exercises_completed) == (overview.points, overview.exercises_completed)


def drawn(rng: Random) -> dict[str, Any]:
    kind = rng.choice(["attempted"] * 5 + ["completed", "worked", "opened"])
    score = rng.choice([None, rng.randrange(101) / 100]) if kind in ("attempted", "completed") else None
    return {
        "id": str(uuid4()),
        "type": kind,
        "step": rng.choice(["hello", "loops", "quiz", "essay"]),
        "occurred_at": ago(rng.choice([0, 0, 1, 2, 3, 6, 7, 16, 17, 18, 40]), rng.randrange(12)),
        "score": score,
        "duration_s": rng.choice([0, 5, 60, 4_000]),
        "hints": rng.randrange(3),
    }


def as_event(one: dict[str, Any]) -> Any:
    fields = {name: value for name, value in one.items() if name not in ("id", "type", "step")}
    return event(one["id"], one["type"], one["step"], **fields)


def figures(sent: list[dict[str, Any]], first: str, last: str) -> dict[str, Any]:
    """The figures of a period, from all that was sent."""
    inside = [one for one in sent if first <= one["occurred_at"][:10] <= last]
    attempts = [one for one in inside if one["type"] == "attempted"]
    scores = [one["score"] for one in attempts if one["score"] is not None]
    durations = [min(one["duration_s"], 3_600) for one in attempts if one["duration_s"]]
    completed = [one for one in completions(sent) if first <= one["occurred_at"][:10] <= last]
    lasted, middle = quartiles(durations), quartiles([score * 100 for score in scores])
    names = sorted({topic for one in [*inside, *completed] for topic in TOPICS[one["step"]]})
    return {
        "exercises_completed": sum(one["step"] != "hello" for one in completed),
        "steps_completed": len(completed),
        "attempts": len(attempts),
        "average_percent": rounded(fmean(scores) * 100) if scores else None,
        "median_percent": middle and middle[1],
        "spread_percent": middle and {"low": middle[0], "high": middle[2]},
        "duration_s": sum(min(one["duration_s"], 3_600) for one in inside),
        "average_duration_s": pytest.approx(fmean(durations), abs=0.001) if durations else None,
        "median_duration_s": lasted and lasted[1],
        "hints": sum(one["hints"] for one in inside),
        "points": sum(POINTS[one["step"]] for one in completed),
        "topics": [topic(name, inside, completed) for name in names],
        "trend": [day_figures(sent, date(2026, 3, 12) + timedelta(n)) for n in range(7)],
    }


def completions(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in sorted(sent, key=lambda one: (one["occurred_at"], one["id"])):
        if one["type"] == "completed" or (one["type"] == "attempted" and passes(one)):
            found.setdefault(one["step"], one)
    return list(found.values())


def passes(one: dict[str, Any]) -> bool:
    return one["score"] is not None and one["score"] >= MARKS.get(one["step"], 0.7)


def topic(name: str, inside: list[dict[str, Any]], completed: list[dict[str, Any]]) -> dict[str, Any]:
    own = [one for one in inside if name in TOPICS[one["step"]]]
    attempts = [one for one in own if one["type"] == "attempted"]
    scores = [one["score"] for one in attempts if one["score"] is not None]
    mean = fmean(scores) * 100 if scores else None
    sure = mean is not None and len(scores) >= 3
    return {
        "topic": name,
        "exercises_completed": sum(name in TOPICS[one["step"]] and one["step"] != "hello" for one in completed),
        "attempts": len(attempts),
        "average_percent": None if mean is None else rounded(mean),
        "pass_rate_percent": rounded(100 * sum(map(passes, attempts)) / len(attempts)) if attempts else None,
        "duration_s": sum(min(one["duration_s"], 3_600) for one in own),
        "strength": "even" if mean is None or not sure else "strong" if mean >= 80 else "weak" if mean < 60 else "even",
    }


def day_figures(sent: list[dict[str, Any]], day: date) -> dict[str, Any]:
    attempts = [one for one in sent if one["type"] == "attempted" and one["occurred_at"][:10] == str(day)]
    scores = [one["score"] * 100 for one in attempts if one["score"] is not None]
    middle = quartiles(scores)
    return {
        "day": str(day),
        "attempts": len(attempts),
        "average_percent": rounded(fmean(scores)) if scores else None,
        "median_percent": middle and middle[1],
    }


def rounded(percent: float) -> Any:
    return pytest.approx(percent, abs=0.0051)


def quartiles(numbers: list[float]) -> list[Any] | None:
    if len(numbers) < 2:
        return [rounded(one) for one in numbers * 3] or None
    return [rounded(one) for one in quantiles(numbers, n=4, method="inclusive")]


def test_points_hold_those_of_achievements_earned_in_the_period(world: World) -> None:
    install(world.database, [defined("first", "steps", points=40)])
    ada = world.learner()
    world.send(ada, event(score=1, occurred_at=ago(9)), at=MICROS - 9 * 86_400_000_000)
    world.send(ada, event(str(uuid4()), step="quiz", score=1, occurred_at=ago(0)), at=MICROS)
    points = {period: statistics(world, ada, period).points for period in PERIODS}
    assert points == {"day": 10, "week": 10, "month": 60, "all": 60}
    with world.database.read() as connection:
        overview = read_overview(connection, world.catalog, Subject(ada, "UTC"), MICROS)
    assert overview.points == 60
