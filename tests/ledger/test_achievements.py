"""Achievements are earned in the transaction that meets them, once, and stay."""

from typing import Any

import pytest

from headway.domain.achievements import Totals
from headway.domain.events import read_event
from headway.domain.facts import Achieved
from headway.domain.times import DAY, MINUTE, format_time
from headway.ledger.audit import audit
from headway.ledger.backfill import backfill
from headway.ledger.definitions import define
from headway.ledger.erase import erase
from headway.ledger.rebuild import rebuild
from headway.ledger.refold import refold
from headway.ledger.submission import Submission
from headway.store import achievements
from headway.store.achievement_tables import achievement
from headway.store.schema import ledger
from tests.ledger.earning import LATER, STEPS_2, TRIES_3, defined, earned, given, told
from tests.ledger.essays import ESSAYS, essay
from tests.ledger.facts import begin_anew, grade
from tests.ledger.gates import GATES, gated, through
from tests.ledger.guests import guest_in, move
from tests.ledger.world import HOUR, NOON, World, event, numbered
from tests.views.learning import counted


def at(minutes: int) -> str:
    return format_time(NOON + minutes * MINUTE)


def test_what_a_request_meets_is_earned_told_and_entered_once(world: World) -> None:
    given(world, STEPS_2, TRIES_3)
    ada = world.learner("Asia/Tokyo")
    assert told(world.send(ada, event(1, score=1))) == []
    receipt = world.send(
        ada, event(2, "completed", "hello", occurred_at=at(30)), event(3, of="essay", occurred_at=at(5))
    )
    assert [one["type"] for one in receipt.changes] == ["step_completed", "achievement_unlocked"]
    entry = world.entries(ada)[-1]
    assert receipt.changes[-1] == {
        "type": "achievement_unlocked",
        "achievement": "steps-2",
        "title": "steps-2",
        "tier": "bronze",
        "points": 7,
        "unlocked_at": format_time(NOON + 30 * MINUTE),
    }
    assert read_event(entry.event_id, entry.body).fact == Achieved("steps-2", "steps-2", "bronze", 7, numbered(2))
    assert (entry.type, entry.source, entry.course_id, entry.day) == ("achieved", "server", "", "2026-03-01")
    assert told(world.send(ada, event(4))) == ["tries-3"]
    assert told(world.send(ada, event(5, "completed", "quiz"), event(6))) == []
    assert earned(world, ada) == {"steps-2": NOON + 30 * MINUTE, "tries-3": NOON}
    world.assert_clean()


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2026-02-20T00:30:00+09:00", "2026-02-20"),
        ("2026-02-19T20:30:00-05:00", "2026-02-19"),
        ("2026-02-20T01:30:00Z", "2026-02-20"),
    ],
)
def test_it_is_earned_on_the_day_of_what_brought_it(world: World, said: str, day: str) -> None:
    given(world, defined("first", "steps"))
    ada = world.learner()
    world.send(ada, event(1, "completed", "hello", occurred_at=said))
    done, entry = world.entries(ada)
    assert (done.day, entry.day) == (day, day)
    assert [row["day"] for row in world.rows_of("achievement")] == [day]
    assert rebuild(world.database, world.catalog).updated == 0
    world.run("UPDATE achievement SET day = '2026-01-01'")
    assert rebuild(world.database, world.catalog).updated == 1
    assert [row["day"] for row in world.rows_of("achievement")] == [day]
    world.assert_clean()


def test_a_repeat_is_told_of_nothing_and_a_lost_answer_of_the_same(world: World) -> None:
    given(world, STEPS_2)
    ada = world.learner()
    world.send(ada, event(1, "completed", "hello"))
    first = world.send(ada, event(2, "completed", "loops"), at=NOON + 2 * HOUR)
    again = world.send(ada, event(2, "completed", "loops"), at=NOON + 2 * HOUR)
    assert told(first) == ["steps-2"]
    assert again.changes == first.changes
    assert told(world.send(ada, event(2, "completed", "loops"), at=NOON + 3 * HOUR)) == []


def test_a_course_s_end_is_told_before_what_it_earns(world: World) -> None:
    given(world, defined("course", "courses"), defined("modules", "modules", 3), defined("paper", "certificates"))
    world.publish(GATES)
    ada = world.learner()
    sent = through("basics", "loops", "end")
    receipt = world.send(ada, *sent)
    kinds = [one["type"] for one in receipt.changes]
    assert kinds[-5:] == ["course_completed", "certificate_issued", *["achievement_unlocked"] * 3]
    assert world.send(ada, *sent).changes == receipt.changes
    world.assert_clean()


def by_one_request(world: World, ada: str, made: list[Any]) -> None:
    world.send(ada, *made)


def by_many(world: World, ada: str, made: list[Any]) -> None:
    for one in made:
        world.send(ada, one)


def by_as_many_processes(world: World, ada: str, made: list[Any]) -> None:
    for one in made:
        world.restart()
        world.send(ada, one)


@pytest.mark.parametrize("sent", [by_one_request, by_many, by_as_many_processes])
def test_what_is_earned_does_not_depend_on_what_the_writer_remembers(world: World, sent: Any) -> None:
    days = [format_time(NOON - n * DAY) for n in (40, 39, 20, 1, 0)]
    made = [
        event(1, of="loops", score=0, occurred_at=days[0], duration_s=3600),
        event(2, of="loops", score=0, occurred_at=days[1]),
        event(3, of="loops", score=0, occurred_at=days[1]),
        event(4, of="loops", score=1, occurred_at=days[2]),
        event(5, of="essay", score=1, occurred_at=days[3], duration_s=3600),
        event(6, "completed", "hello", occurred_at=days[4]),
    ]
    every = {
        "steps": 3,
        "exercises": 2,
        "points": 40,
        "attempts": 5,
        "passed_attempts": 2,
        "hours": 2,
        "perfect_scores": 2,
        "first_try_passes": 1,
        "hard_won": 1,
        "active_days": 5,
        "days_in_a_row": 2,
        "comebacks": 2,
        "courses_begun": 1,
    }
    met = [defined(f"{name.replace('_', '-')}-met", name, value) for name, value in every.items()]
    missed = [defined(f"{name.replace('_', '-')}-missed", name, value + 1) for name, value in every.items()]
    given(world, *met, *missed)
    ada = world.learner()
    sent(world, ada, made)
    assert sorted(earned(world, ada)) == sorted(one.id for one in met)
    world.assert_clean()


def test_a_later_no_takes_nothing_back(world: World) -> None:
    given(world, defined("streak", "comebacks"))
    ada = world.learner()
    world.send(ada, event(1, occurred_at=format_time(NOON - 20 * DAY)), event(2))
    world.send(ada, event(3, occurred_at=format_time(NOON - 10 * DAY)))
    assert earned(world, ada) == {"streak": NOON}
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


def totals(world: World, learner_id: str) -> tuple[Totals, Totals]:
    """What SQL and what the rule makes of a learner's sums."""
    with world.database.read() as connection:
        (refolded,) = refold(connection, world.catalog, [learner_id])
        return achievements.totals(connection, [learner_id])[learner_id], Totals.of(refolded.sums)


def test_the_database_adds_up_what_the_rule_does(world: World) -> None:
    world.publish(GATES)
    ada, bea = world.learner(), world.learner()
    world.send(ada, *through("basics", "loops", "end"), event(50, duration_s=40), event(51, score=1))
    assert totals(world, ada) == (Totals(6, 5, 85, 6, 5, 40_000, 3, 5, 0, 2, 3, 1, 1),) * 2
    assert totals(world, bea) == (Totals(),) * 2


class TestProof:
    def broken(self, world: World) -> list[tuple[str, str, str]]:
        return [(one.table, one.key, one.column) for one in audit(world.database, world.catalog).faults]

    def test_audit_finds_what_was_met_and_never_earned_and_rebuild_gives_it(self, world: World) -> None:
        given(world, TRIES_3)
        ada = world.learner()
        world.send(ada, event(1), event(2))
        world.run("UPDATE day_sum SET attempts = 0 WHERE learner_id = :ada", ada=ada)
        world.restart()
        world.send(ada, event(3))
        rebuild(world.database, world.catalog)
        assert list(earned(world, ada)) == ["tries-3"]
        world.assert_clean()

    def test_audit_says_nothing_of_what_is_still_being_given(self, world: World) -> None:
        ada = world.learner()
        world.send(ada, *(event(n) for n in range(3)))
        define(world.database, TRIES_3)
        world.assert_clean()
        world.run("UPDATE achievement_set SET given_version = version")
        assert self.broken(world) == [("achievement", "tries-3", "*")]

    def test_a_lost_row_is_found_and_given_again_as_it_was(self, world: World) -> None:
        given(world, TRIES_3)
        ada = world.learner()
        world.send(ada, *(event(n) for n in range(3)))
        before = world.rows(achievement, ada)
        world.run("DELETE FROM achievement WHERE learner_id = :ada", ada=ada)
        assert self.broken(world) == [("achievement", "tries-3", "*")]
        assert rebuild(world.database, world.catalog).updated == 1
        assert world.rows(achievement, ada) == before
        assert len(world.rows(ledger, ada)) == 4
        world.assert_clean()


class TestMerge:
    def test_what_both_had_stays_once_with_the_earlier_date(self, world: World) -> None:
        given(world, TRIES_3)
        ada = world.learner()
        world.send(ada, *(event(n, occurred_at=at(10)) for n in range(3)))
        guest = guest_in(world, *(event(n, occurred_at=at(5)) for n in range(10, 13)))
        move(world, ada, guest)
        assert earned(world, ada) == {"tries-3": NOON + 5 * MINUTE}
        world.assert_clean()
        assert rebuild(world.database, world.catalog).updated == 0

    def test_what_neither_met_alone_is_earned_by_the_move(self, world: World) -> None:
        given(world, TRIES_3)
        ada = world.learner()
        world.send(ada, event(1), event(2))
        move(world, ada, guest_in(world, event(10), event(2)))
        assert list(earned(world, ada)) == ["tries-3"]
        entry = world.entries(ada)[-1]
        fact = read_event(entry.event_id, entry.body).fact
        assert isinstance(fact, Achieved)
        assert fact.cause.startswith("move:")
        world.assert_clean()
        assert told(world.send(ada, event(20))) == []


def test_history_that_is_imported_earns_what_it_meets(world: World) -> None:

    given(world, TRIES_3)
    ada = world.learner()
    past = tuple(event(n, occurred_at=format_time(NOON - (9 - n) * DAY)) for n in range(3))
    world.submit(Submission(ada, past, NOON, source="imported"))
    assert earned(world, ada) == {"tries-3": NOON - 7 * DAY}
    world.assert_clean()


def test_many_learners_in_a_batch_cost_the_same_statements(world: World) -> None:

    given(world, TRIES_3, defined("days", "active_days"))
    counts = []
    for number in (1, 20):
        people = [world.learner() for _ in range(number)]
        sent = [Submission(one, tuple(event(10 * n + m) for m in range(3)), NOON) for n, one in enumerate(people)]
        world.restart()
        with counted(world.database.writers) as statements:
            world.submit(*sent)
        counts.append(len(statements))
        assert all(len(earned(world, one)) == 2 for one in people)
    assert counts[0] == counts[1]


def test_what_was_earned_goes_with_who_is_erased(world: World) -> None:
    given(world, TRIES_3)
    ada = world.learner()
    world.send(ada, *(event(n) for n in range(3)))
    assert erase(world.database, world.catalog, ada, now=LATER) is not None
    assert world.count("achievement") == 0
    assert [row["type"] for row in world.rows_of("ledger")] == ["attempted"] * 3
    world.assert_clean()
    assert backfill(world.database, world.catalog, now=lambda: LATER).total == 0


def test_a_grade_and_a_sweep_earn_as_recording_does(world: World) -> None:
    given(world, defined("full", "perfect_scores"), defined("modules", "modules"))
    world.publish(ESSAYS)
    ada = world.learner()
    world.send(ada, essay(80))
    assert earned(world, ada) == {}
    grade(world, ada, numbered(80), 1_000_000, by=ada)
    assert "full" in earned(world, ada)
    bea = world.learner()
    world.publish(GATES)
    world.send(bea, gated(1, kind="completed", of="read"))
    easier = {**GATES, "modules": [{**one, "pass_mark": 1, "requires": []} for one in GATES["modules"]]}
    world.publish(easier)
    assert list(earned(world, bea)) == ["modules"]
    world.assert_clean()


def test_what_is_done_again_in_another_run_counts_once(world: World) -> None:
    once = [defined(f"{name}-1", name.replace("-", "_")) for name in ("courses", "certificates", "perfect-scores")]
    twice = [
        defined("modules-4", "modules", 4),
        defined("courses-2", "courses", 2),
        defined("full-3", "perfect_scores", 3),
    ]
    given(world, *once, *twice, defined("begun-2", "courses_begun", 2))
    world.publish(GATES)
    ada = world.learner()
    world.send(ada, *through("basics", "loops", "end"))
    begin_anew(world, ada)
    world.restart()
    world.send(ada, *through("basics", "loops", "end", start=20))
    assert sorted(earned(world, ada)) == ["certificates-1", "courses-1", "perfect-scores-1"]
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


def test_a_threshold_that_is_crossed_again_earns_nothing_again(world: World) -> None:
    given(world, defined("back", "comebacks"))
    ada = world.learner()
    assert told(world.send(ada, event(1, occurred_at=format_time(NOON - 20 * DAY)), event(2))) == ["back"]
    world.send(ada, event(3, occurred_at=format_time(NOON - 10 * DAY)))
    again = event(4, occurred_at=format_time(NOON + 20 * DAY))
    assert told(world.send(ada, again, at=NOON + 21 * DAY)) == []
    assert len(world.entries(ada)) == 5
    world.assert_clean()


def test_what_a_learner_came_to_is_not_added_up_again_for_whoever_was_recorded_for_last(world: World) -> None:
    given(world, TRIES_3)
    ada = world.learner()
    world.send(ada, event(1))
    with counted(world.database.writers) as statements:
        world.send(ada, event(2))
    assert [one for one in statements if "wanted" in one] == []
    assert told(world.send(ada, event(3))) == ["tries-3"]
    world.restart()
    with counted(world.database.writers) as statements:
        world.send(ada, event(4))
    assert len([one for one in statements if "wanted" in one]) == 1
