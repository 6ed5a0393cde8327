"""Definitions of a test's own, and what learners earned of them."""

from typing import Any

from headway.domain.achievements import Definition
from headway.domain.times import DAY
from headway.ledger.backfill import backfill_pending
from headway.ledger.definitions import install
from headway.ledger.submission import Receipt
from headway.store.achievement_tables import achievement
from tests.ledger.world import NOON, World

LATER = NOON + 30 * DAY


def defined(name: str, metric: str, threshold: int = 1, **more: Any) -> Definition:
    said = {"title": name, "description": name, "category": "practice", "points": 7, "tier": "bronze", **more}
    return Definition(id=name, metric=metric, threshold=threshold, **said)


STEPS_2 = defined("steps-2", "steps", 2)
TRIES_3 = defined("tries-3", "attempts", 3, points=11)


def given(world: World, *definitions: Definition) -> None:
    """Put definitions in force that all were given."""
    install(world.database, [*definitions])
    assert backfill_pending(world.database, world.catalog, now=lambda: NOON) is not None


def earned(world: World, learner_id: str) -> dict[str, int]:
    """When each achievement was earned."""
    return {row["achievement_id"]: row["at"] for row in world.rows(achievement, learner_id)}


def told(receipt: Receipt) -> list[str]:
    return [one["achievement"] for one in receipt.changes if one["type"] == "achievement_unlocked"]
