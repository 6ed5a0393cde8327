"""What comes late counts when it happened: its day, its points and its streak."""

from headway.domain.times import format_time
from headway.ledger.submission import Receipt
from headway.store.schema import day_sum, topic_sum
from tests.domain.manifests import course, module, step
from tests.ledger.world import HOUR, NOON, World, event, statuses

DAY = 24 * HOUR


def on_day(world: World, learner_id: str, day: str) -> tuple[int, int, int, int]:
    """Attempts, steps completed, exercises and points of a learner's day."""
    row = next(row for row in world.rows(day_sum, learner_id) if row["day"] == day)
    return row["attempts"], row["steps_completed"], row["exercises_completed"], row["points"]


def told(receipt: Receipt, kind: str) -> list[dict[str, object]]:
    return [change for change in receipt.changes if change["type"] == kind]


def test_an_event_late_by_a_year_moves_the_completion_its_day_and_its_points(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=0.8))
    assert on_day(world, ada, "2026-03-01") == (1, 1, 1, 10)
    late = world.send(ada, event(2, score=0.9, occurred_at=format_time(NOON - 365 * DAY)))
    assert (statuses(late), told(late, "step_completed")) == (["recorded"], [])
    assert on_day(world, ada, "2026-03-01") == (1, 0, 0, 0)
    assert on_day(world, ada, "2025-03-01") == (1, 1, 1, 10)
    now = world.step(ada)
    assert (now["completed_on"], now["completed_at"]) == ("2025-03-01", NOON - 365 * DAY)
    assert (now["best_score"], now["first_score"], now["latest_score"]) == (900_000, 900_000, 800_000)
    assert {row["topic"]: row["points"] for row in world.rows(topic_sum, ada)} == {"lists": 10, "loops": 10}
    world.assert_clean()


def test_a_late_event_after_the_first_moves_nothing(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=0.8, occurred_at=format_time(NOON - 3 * DAY)))
    world.send(ada, event(2, score=0.8))
    world.send(ada, event(3, score=1, occurred_at=format_time(NOON - 2 * DAY)))
    assert on_day(world, ada, "2026-02-26")[1:] == (1, 1, 10)
    assert on_day(world, ada, "2026-02-27")[1:] == (0, 0, 0)
    world.assert_clean()


def test_a_late_completion_under_another_version_is_worth_what_its_version_says(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=0.8))
    changed = step("loops", kind="lesson", topics=["loops", "new"], points=3)
    world.publish(course(module("first", changed)))
    world.send(ada, event(2, score=0.9, occurred_at=format_time(NOON - 9 * DAY)))
    assert on_day(world, ada, "2026-03-01") == (1, 0, 0, 0)
    assert on_day(world, ada, "2026-02-20") == (1, 1, 0, 3)
    points = {row["topic"]: (row["attempts"], row["points"]) for row in world.rows(topic_sum, ada)}
    assert points == {"lists": (1, 0), "loops": (2, 3), "new": (1, 3)}
    # Back again, by an event from before all others that the first version's worth no longer has a say in.
    world.send(ada, event(3, score=0.9, occurred_at=format_time(NOON - 99 * DAY)))
    assert on_day(world, ada, "2026-02-20") == (1, 0, 0, 0)
    world.assert_clean()


def test_a_completion_moves_from_day_to_day_within_one_request(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, kind="completed"))
    events = [event(n, kind="completed", occurred_at=format_time(NOON - n * DAY)) for n in (2, 5, 3)]
    world.send(ada, *events)
    completed = {row["day"]: row["steps_completed"] for row in world.rows(day_sum, ada)}
    assert completed == {"2026-02-24": 1, "2026-02-26": 0, "2026-02-27": 0, "2026-03-01": 0}
    world.assert_clean()


def test_a_late_day_repairs_the_streak(world: World) -> None:
    ada = world.learner()

    def extended(number: int, days_ago: int, course_id: str = "python") -> list[object]:
        at = format_time(NOON - days_ago * DAY)
        one = event(number, of="hello", kind="completed", course=course_id, occurred_at=at)
        return [change["current"] for change in told(world.send(ada, one), "streak_extended")]

    assert extended(1, 4) == []
    assert extended(2, 3) == []
    assert extended(3, 0) == [1]
    assert extended(4, 1) == [2]
    # The missing day joins both ends.
    assert extended(5, 2) == [5]
    assert extended(6, 2, "go") == []
    assert extended(7, 9) == []
    world.assert_clean()


def test_a_streak_runs_over_all_courses_by_the_learners_own_days(world: World) -> None:
    ada = world.learner("Asia/Tokyo")
    # 20:00 and 22:00 UTC are both tomorrow morning in Tokyo.
    first = event(1, occurred_at="2026-02-27T20:00:00Z", score=1)
    same = event(2, course="go", of="hello", occurred_at="2026-02-27T22:00:00Z", score=1)
    following = event(3, course="go", of="hello", occurred_at="2026-02-28T20:00:00Z", score=1)
    receipt = world.send(ada, first, same, following, at=NOON)
    assert [(one["current"], one["day"]) for one in told(receipt, "streak_extended")] == [
        (1, "2026-02-28"),
        (2, "2026-03-01"),
    ]
    assert [row["day"] for row in world.rows(day_sum, ada)] == ["2026-02-28", "2026-02-28", "2026-03-01"]
    world.assert_clean()


def test_progress_follows_a_step_that_was_renamed(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=0.5))
    world.publish(course(module("first", step("rounds", kind="exercise", topics=["loops"], renamed_from=["loops"]))))
    receipt = world.send(ada, event(2, of="rounds", score=0.9), event(3, of="loops", score=0.6))
    assert statuses(receipt) == ["recorded", "recorded"]
    assert [(one.key.step, one.name, one.sum.attempts) for one in receipt.steps] == [("loops", "rounds", 3)]
    assert told(receipt, "step_completed")[0]["step"] == "rounds"
    assert statuses(world.send(ada, event(1, score=0.5), at=NOON)) == ["duplicate"]
    world.assert_clean()


def test_a_repeat_is_answered_though_its_step_is_gone(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=0.9))
    world.publish(course(module("first", step("other"))))
    receipt = world.send(ada, event(1, score=0.9), event(2, score=0.9), at=NOON + 2 * HOUR)
    assert statuses(receipt) == ["duplicate", "unknown-step"]
    assert [(one.name, one.sum.attempts) for one in receipt.steps] == [("loops", 1)]
    world.assert_clean()
