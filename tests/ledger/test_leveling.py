"""Levels are told in the transaction that reaches them, once; what is shown is what was told, and never falls."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest

from headway.domain.events import Event, read_event
from headway.domain.facts import Leveled
from headway.domain.levels import RANKS
from headway.domain.recording import IMPORTED
from headway.domain.times import DAY, format_time
from headway.ledger.backfill import backfill, backfill_pending
from headway.ledger.definitions import define
from headway.ledger.erase import erase
from headway.ledger.rebuild import rebuild
from headway.ledger.submission import Receipt, Submission
from headway.store.earning_tables import topic_level
from headway.views.skills import read_skills
from headway.views.subject import Subject
from tests.domain.manifests import course, module, step
from tests.ledger.earning import LATER, defined, earned, given, told
from tests.ledger.facts import begin_anew, grade, override, reset
from tests.ledger.guests import guest_in, move
from tests.ledger.world import HOUR, NOON, World, event, numbered
from tests.views.learning import counted

STEPS = 60
DRILL = course(
    module(
        "first",
        *(step(f"s{n}", kind="exercise", topics=["a", "b"] if n % 3 else ["a"]) for n in range(STEPS)),
        step("read", kind="lesson", topics=["a"]),
    ),
    id="gates",
)


def tried(number: int, of: int, score: float, at: int = 0, kind: str = "attempted", **fields: Any) -> Event:
    when = format_time(NOON - 30 * DAY + at * HOUR // 60)
    return event(number, kind, f"s{of}", **{"course": "gates", "score": score, "occurred_at": when, **fields})


def solved(count: int, score: float = 0.8, first: int = 0) -> list[Event]:
    return [tried(first + n + 1, first + n, score, first + n) for n in range(count)]


def changes(receipt: Receipt) -> list[tuple[str, str, str]]:
    found = [one for one in receipt.changes if one["type"] == "level_changed"]
    assert all(one.keys() == {"type", "topic", "level", "previous_level"} for one in found)
    return [(one["topic"], one["previous_level"], one["level"]) for one in found]


def shown(world: World, learner_id: str) -> dict[str, str]:
    with world.database.read() as connection:
        found = read_skills(connection, world.catalog, Subject(learner_id, "UTC"))
    return {one.topic: one.level for one in found if one.level != "beginner"}


def held(world: World, learner_id: str) -> dict[str, str]:
    """The highest level that was told of each topic, by the ledger; each was told once."""
    facts = [read_event(one.event_id, one.body).fact for one in world.entries(learner_id) if one.type == "leveled"]
    told = [(one.topic, one.level) for one in facts if isinstance(one, Leveled)]
    assert len(told) == len(set(told))
    return dict(sorted(told, key=lambda one: RANKS[one[1]]))


def levels_of(world: World, learner_id: str) -> dict[str, str]:
    """The highest level that stands in the table for each topic."""
    rows = sorted(world.rows(topic_level, learner_id), key=lambda row: RANKS[row["level"]])
    return {row["topic"]: row["level"] for row in rows}


@pytest.fixture
def drill(world: World) -> World:
    world.publish(DRILL)
    return world


def test_the_tenth_exercise_tells_the_level_once(drill: World) -> None:
    ada = drill.learner()
    assert changes(drill.send(ada, *solved(9))) == []
    receipt = drill.send(ada, tried(10, 9, 0.9, 9))
    assert changes(receipt) == [("a", "beginner", "intermediate")]
    assert changes(drill.send(ada, tried(111, 9, 1))) == []
    assert changes(drill.send(ada, *solved(20, first=10))) == [
        ("a", "intermediate", "advanced"),
        ("b", "beginner", "intermediate"),
    ]
    assert shown(drill, ada) == held(drill, ada) == {"a": "advanced", "b": "intermediate"}
    drill.assert_clean()
    assert rebuild(drill.database, drill.catalog).updated == 0


def test_a_lost_answer_is_told_again_and_a_repeat_of_nothing(drill: World) -> None:
    given(drill, defined("able", "intermediate_topics"))
    ada = drill.learner()
    sent = solved(10)
    first = drill.send(ada, *sent, at=NOON + HOUR)
    assert (changes(first), told(first)) == ([("a", "beginner", "intermediate")], ["able"])
    drill.restart()
    again = drill.send(ada, *sent, at=NOON + HOUR)
    assert again.changes == first.changes
    assert changes(drill.send(ada, *sent, at=NOON + 2 * HOUR)) == []


def test_a_level_is_told_behind_the_course_that_ends_with_it_and_so_again(world: World) -> None:
    steps = [step(f"s{n}", kind="exercise", topics=["a"]) for n in range(10)]
    world.publish(course(module("first", *steps), id="gates", certificate=True))
    ada = world.learner()
    first = world.send(ada, *solved(10))
    kinds = [one["type"] for one in first.changes]
    assert kinds.index("course_completed") < kinds.index("level_changed") == len(kinds) - 1
    world.restart()
    assert world.send(ada, *solved(10)).changes == first.changes


def test_an_exercise_that_gets_better_tells_it_and_what_comes_late_takes_nothing_away(drill: World) -> None:
    ada = drill.learner()
    drill.send(ada, *solved(10, 0.7), *(tried(50 + n, 20 + n, 0, 20 + n) for n in range(5)))
    # Ten were completed with a mean of 70 % when the five that went badly followed.
    assert shown(drill, ada) == {"a": "intermediate"}
    bea = drill.learner()
    bad = [tried(50 + n, 20 + n, 0, n - 100) for n in range(5)]
    assert changes(drill.send(bea, *bad, *solved(10, 0.7))) == []
    assert changes(drill.send(bea, *(tried(60 + n, 20 + n, 0.6, 30 + n) for n in range(4)))) == [
        ("a", "beginner", "intermediate")
    ]
    late = [tried(80 + n, 30 + n, 0, n - 200) for n in range(20)]
    assert changes(drill.send(bea, *late)) == []
    drill.restart()
    assert shown(drill, bea) == {"a": "intermediate"}
    drill.assert_clean()


def histories(random: Random) -> Iterator[Event]:
    """Many attempts of uneven quality, some of them of one time, some completions and overrides without a score."""
    for number in range(1, random.choice([60, 130, 200])):
        of, at = random.randrange(STEPS), random.randrange(40)
        if random.random() < 0.1:
            yield (
                tried(number, of, 0.2, at, "completed")
                if random.random() < 0.5
                else event(number, "completed", f"s{of}", course="gates", occurred_at=format_time(NOON - 30 * DAY))
            )
            continue
        yield tried(number, of, random.choice([0, 0.5, 0.65, 0.7, 0.75, 0.8, 0.85, 1]), at)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_the_order_what_is_shown_was_told_when_it_came_about(drill: World, seed: int) -> None:
    given(
        drill, *(defined(f"{name}-{n}", f"{name}_topics", n) for name in ("intermediate", "advanced") for n in (1, 2))
    )
    random = Random(seed)
    history, ada, known = list(histories(random)), drill.learner(), dict[str, str]()
    random.shuffle(history)
    while history:
        if random.random() < 0.1:
            drill.restart()
        sent = [history.pop() for _ in range(min(len(history), random.choice([1, 2, 8, 30])))]
        for topic, was, level in changes(drill.send(ada, *sent)):
            assert known.get(topic, "beginner") == was
            known[topic] = level
        if random.random() < 0.1:
            override(drill, ada, f"s{random.randrange(STEPS)}", random.choice([300_000, 900_000]), NOON + 3 * HOUR)
            known = held(drill, ada)
        assert shown(drill, ada) == held(drill, ada) == known
    met = {
        f"{name}-{n}"
        for name in ("intermediate", "advanced")
        for n in (1, 2)
        if sum(RANKS[level] >= RANKS[name] for level in known.values()) >= n
    }
    assert set(earned(drill, ada)) == met
    drill.assert_clean()
    assert rebuild(drill.database, drill.catalog).updated == 0
    assert backfill(drill.database, drill.catalog, now=lambda: LATER).updated == 0


def test_a_retake_counts_what_was_done_in_either_run(drill: World) -> None:
    ada = drill.learner()
    drill.send(ada, *solved(12, 0.2), *(tried(100 + n, n, 0, 50, "completed") for n in range(12)))
    begin_anew(drill, ada)
    drill.restart()
    said = [tried(200 + n, n, 1, 24 * 60 * 30) for n in range(12)]
    receipt = drill.send(ada, *said, at=LATER)
    assert changes(receipt) == [("a", "beginner", "intermediate")]
    # What a writer remembers of the first run's scores tells no less.
    for n in range(12, 40):
        drill.send(ada, tried(300 + n, n, 0.75, 24 * 60 * 30 + n), at=LATER)
        assert shown(drill, ada) == held(drill, ada)
    assert held(drill, ada) == {"a": "advanced", "b": "intermediate"}
    drill.assert_clean()


def test_a_grade_and_imported_history_tell_and_a_move_gives_what_both_make_together(drill: World) -> None:
    given(drill, defined("able", "intermediate_topics"), defined("able-2", "intermediate_topics", 2))
    ada = drill.learner()
    drill.submit(Submission(ada, tuple(solved(10, 0.5)), NOON, source=IMPORTED))
    assert shown(drill, ada) == {}
    override(drill, ada, "s0")
    for number in range(2, 11):
        grade(drill, ada, numbered(number), 1_000_000, by=ada)
    assert shown(drill, ada) == held(drill, ada) == {"a": "intermediate"}
    bea = drill.learner()
    drill.send(bea, *solved(6))
    guest = guest_in(drill, *solved(15, first=6))
    move(drill, bea, guest)
    assert shown(drill, bea) == {"a": "intermediate", "b": "intermediate"}
    assert set(earned(drill, bea)) == {"able", "able-2"}
    drill.assert_clean()
    assert rebuild(drill.database, drill.catalog).updated == 0


class TestBefore:
    """Whoever came to a level before levels were told."""

    def old(self, drill: World) -> str:
        ada = drill.learner()
        drill.send(ada, *solved(31))
        with drill.opened() as connection:
            connection.exec_driver_sql("DELETE FROM ledger WHERE type = 'leveled'")
        drill.run("DELETE FROM topic_level", "DELETE FROM notice WHERE type = 'level_changed'")
        drill.restart()
        return ada

    def test_is_given_it_by_a_backfill_and_told_nothing(self, drill: World) -> None:
        ada = self.old(drill)
        define(drill.database, defined("able", "advanced_topics"))
        dry = backfill(drill.database, drill.catalog, now=lambda: LATER, dry_run=True)
        assert [one.earned for one in dry.updates] == [("able",)]
        assert drill.rows(topic_level, ada) == []
        assert backfill_pending(drill.database, drill.catalog, now=lambda: LATER) == dry
        assert held(drill, ada) == shown(drill, ada) == {"a": "advanced", "b": "intermediate"}
        assert list(earned(drill, ada)) == ["able"]
        drill.assert_clean()
        assert {one.changes for one in drill.entries(ada) if one.type == "leveled"} == {None}
        drill.restart()
        assert changes(drill.send(ada, tried(90, 40, 1, 90))) == []

    def test_is_shown_it_meanwhile(self, drill: World) -> None:
        ada = self.old(drill)
        assert shown(drill, ada) == {"a": "advanced", "b": "intermediate"}


def test_a_reset_leaves_the_levels_that_what_is_left_amounts_to(drill: World) -> None:
    given(drill, defined("able", "intermediate_topics"), defined("early", "early_days"))
    drill.publish({**DRILL, "id": "other"})
    ada = drill.learner()
    drill.send(ada, *solved(10), *(tried(20 + n, n, 0.9, n, course="other") for n in range(20)))
    early = {"course": "other", "occurred_at": "2026-02-10T05:00:00Z"}
    drill.send(ada, event(50, of="s40", score=0.9, **early))
    assert held(drill, ada) == {"a": "advanced", "b": "intermediate"}
    reset(drill, ada, "gates", id=numbered(900), at=LATER)
    assert shown(drill, ada) == levels_of(drill, ada) == {"a": "intermediate", "b": "intermediate"}
    drill.assert_clean()
    assert set(earned(drill, ada)) == {"able", "early"}
    reset(drill, ada, None, id=numbered(901), at=LATER)
    assert (shown(drill, ada), earned(drill, ada), drill.rows(topic_level, ada)) == ({}, {}, [])
    assert drill.count("day_part") == 0
    drill.assert_clean()
    assert rebuild(drill.database, drill.catalog).updated == 0
    later = [tried(1000 + n, n, 0.9, 24 * 60 * 60 + 5 + n) for n in range(10)]
    assert changes(drill.send(ada, *later, at=LATER + DAY)) == [("a", "beginner", "intermediate")]
    drill.assert_clean()
    bea = drill.learner()
    move(drill, bea, guest := guest_in(drill, *solved(12)))
    assert guest
    assert levels_of(drill, bea) == {"a": "intermediate"}


def test_who_is_erased_leaves_no_level(drill: World) -> None:
    ada = drill.learner()
    drill.send(ada, *solved(10))
    assert erase(drill.database, drill.catalog, ada, now=LATER) is not None
    assert (drill.count("topic_level"), drill.count("day_part")) == (0, 0)
    drill.assert_clean()


def test_levels_cost_no_statement_until_one_can_be_reached(drill: World) -> None:
    ada, bea = drill.learner(), drill.learner()
    drill.send(ada, *solved(11))
    counts = []
    for learner_id, of in ((bea, 1), (ada, 12)):
        drill.send(learner_id, tried(300, of, 0.4, 60))
        with counted(drill.database.writers) as statements:
            drill.send(learner_id, tried(301, of, 0.9, 61))
        counts.append(asked(statements))
    assert counts[0] == counts[1]
    # Whoever has the exercises and not the average has their steps read once, and no more.
    drill.send(bea, *(tried(400 + n, n, 0, 70 + n, "completed") for n in range(12)))
    # What was attempted of the step on that day is known from now on, as it is above.
    drill.send(bea, tried(500, 5, 0.3, 90))
    with counted(drill.database.writers) as statements:
        drill.send(bea, tried(501, 5, 0.3, 91))
    assert asked(statements) == counts[0]


@pytest.mark.parametrize(
    ("time", "zone", "expected"),
    [
        ("2026-02-01T03:59:59Z", "UTC", {"late"}),
        ("2026-02-01T04:00:00Z", "UTC", {"early"}),
        ("2026-02-01T07:59:59Z", "UTC", {"early"}),
        ("2026-02-01T08:00:00Z", "UTC", set()),
        ("2026-02-01T21:59:59Z", "UTC", set()),
        ("2026-02-01T22:00:00Z", "UTC", {"late"}),
        ("2026-02-01T22:00:00Z", "Asia/Tokyo", {"early"}),
        ("2026-02-01T22:00:00+05:45", "Asia/Tokyo", {"late"}),
        ("2026-02-01T04:00:00-08:00", "Asia/Tokyo", {"early"}),
        ("2026-02-01T12:00:00+00:00", "Pacific/Honolulu", {"late"}),
    ],
)
def test_early_and_late_go_by_the_learner_s_own_clock(world: World, time: str, zone: str, expected: set[str]) -> None:
    given(world, defined("early", "early_days"), defined("late", "late_days"), defined("late-2", "late_days", 2))
    ada = world.learner(zone)
    receipt = world.send(ada, event(1, occurred_at=time), event(2, occurred_at=time), event(3, "opened", "quiz"))
    assert set(told(receipt)) == set(earned(world, ada)) == expected
    world.restart()
    bea = world.learner(zone)
    guest = guest_in(world, event(11, occurred_at=time), event(12, occurred_at=time), zone=zone)
    move(world, bea, guest)
    assert world.sums(bea).count(b'"part"') == len(expected)
    world.assert_clean()


def asked(statements: Sequence[str]) -> int:
    """How many of the statements read: what is written depends on what there is to write."""
    return sum(one.startswith("SELECT") for one in statements)
