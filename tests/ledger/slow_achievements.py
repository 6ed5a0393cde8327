"""What learners meet, the slow way: from rows that a slow fold made of a history, and grants of a slow model."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from headway.domain.achievements import METRICS, Definition
from headway.ledger.backfill import backfill_pending
from headway.ledger.definitions import install
from tests.ledger.slow_fold import Fact, slow_fold
from tests.ledger.world import NOON, World

Rows = Mapping[str, list[dict[str, Any]]]
# Low enough to be met by a few events, two of each.
THRESHOLDS: Mapping[str, tuple[int, int]] = {"points": (15, 50), "hours": (1, 2), "attempts": (3, 8)}


def definitions() -> list[Definition]:
    """Two for each metric."""
    return [
        Definition(f"{metric.replace('_', '-')}-{n}", metric, metric, "practice", metric, threshold, n, "gold")
        for metric in METRICS
        for n, threshold in enumerate(THRESHOLDS.get(metric, (1, 3)), 1)
    ]


def given_all(world: World) -> None:
    """Put them in force, before anybody has done anything."""
    if install(world.database, definitions()):
        assert backfill_pending(world.database, world.catalog, now=lambda: NOON) is not None


def met_by(facts: Iterable[Fact], granted: Iterable[tuple[str, str]]) -> set[str]:
    """What a history meets of them; `granted` are (kind, module) of all runs."""
    now = slow_metrics(slow_fold(list(facts)), set(granted))
    return {one.id for one in definitions() if now[one.metric] >= one.threshold}


def slow_metrics(rows: Rows, granted: set[tuple[str, str]]) -> dict[str, int]:
    days, steps = rows["day_sum"], rows["step_sum"]
    first_runs = [row for row in steps if row["run"] == 1]
    active = {date.fromisoformat(row["day"]) for row in days if row["activities"]}
    return {
        "steps": total(days, "steps_completed"),
        "exercises": total(days, "exercises_completed"),
        "points": total(days, "points"),
        "attempts": total(days, "attempts"),
        "passed_attempts": total(days, "passed_attempts"),
        "hours": total(days, "duration_ms") // 3_600_000,
        "perfect_scores": len({row["step_id"] for row in steps if row["best_score"] == 1_000_000}),
        "first_try_passes": sum(
            1 for row in first_runs if row["passed_attempts"] and row["completed_by"] == row["first_event"]
        ),
        "hard_won": sum(1 for row in first_runs if row["completed_at"] is not None and failed(row) >= 3),
        "active_days": len(active),
        "days_in_a_row": max((in_a_row(active, one) for one in active), default=0),
        "comebacks": sum(1 for one in active if came_back(active, one)),
        "courses_begun": len({row["course_id"] for row in rows["course_run"]}),
        "modules": sum(1 for kind, _ in granted if kind == "module_completed"),
        "courses": sum(1 for kind, _ in granted if kind == "course_completed"),
        "certificates": sum(1 for kind, _ in granted if kind == "certified"),
        "early_days": len({row["day"] for row in rows["day_part"] if row["part"] == "early"}),
        "late_days": len({row["day"] for row in rows["day_part"] if row["part"] == "late"}),
        # No history here has the ten exercises that a level takes: those are in test_leveling.
        **dict.fromkeys(("intermediate_topics", "advanced_topics", "expert_topics"), 0),
    }


def total(rows: Iterable[Mapping[str, Any]], name: str) -> int:
    return sum(row[name] for row in rows)


def failed(row: Mapping[str, Any]) -> int:
    return int(row["attempts"] - row["passed_attempts"] - row["unscored"])


def in_a_row(active: set[date], first: date) -> int:
    length = 0
    while first + timedelta(length) in active:
        length += 1
    return length


def came_back(active: set[date], day: date) -> bool:
    before = [one for one in active if one < day]
    return bool(before) and day - max(before) > timedelta(14)
