"""What a learner is told is kept once, in the transaction that brought it about."""

import json
import random
from typing import Any

import pytest

from headway.domain.notices import is_kept, notice_id
from headway.domain.recording import IMPORTED
from headway.ledger.backfill import backfill_pending
from headway.ledger.definitions import install
from headway.ledger.erase import erase
from headway.ledger.rebuild import rebuild
from headway.ledger.submission import Submission
from headway.ledger.tidying import tidy
from headway.store.notice_tables import notice
from tests.ledger.earning import STEPS_2, defined, given
from tests.ledger.gates import GATES, through
from tests.ledger.guests import guest_in, move
from tests.ledger.world import HOUR, NOON, World, event

FIRST_STEP = defined("step-1", "steps", 1)


def told(world: World, learner_id: str) -> list[tuple[int, int, str, Any]]:
    """A learner's notices: place, id and change."""
    rows = world.rows(notice, learner_id)
    return [(row["seq"], row["n"], row["id"], json.loads(row["body"])) for row in rows]


def types(world: World, learner_id: str) -> list[str]:
    return [change["type"] for _, _, _, change in told(world, learner_id)]


def told_by_ledger(world: World, learner_id: str) -> list[tuple[int, int, str, Any]]:
    """What a learner's own ledger says that they are to be told."""
    return [
        (one.seq, n, notice_id(learner_id, one.event_id, n), change)
        for one in world.entries(learner_id)
        for n, change in enumerate(json.loads(one.changes or "[]"))
        if is_kept(change)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_recorded_how_often_and_in_whatever_order_is_told_once(world: World, seed: int) -> None:
    chance = random.Random(seed)
    given(world, FIRST_STEP, STEPS_2)
    world.publish(GATES)
    everybody = [world.learner() for _ in range(4)]
    for one in everybody:
        left = [*through("basics", "loops", "end"), event(90, of="loops", score=1), event(91, of="hello")]
        sent = left[:]
        while left:
            some = [left.pop(0) for _ in range(min(len(left), chance.randint(1, 4)))]
            # Sent again together with what was sent long ago.
            world.send(one, *some, *chance.sample(sent, 2))
    kept = {one: told(world, one) for one in everybody}
    assert kept == {one: told_by_ledger(world, one) for one in everybody}
    assert set(types(world, everybody[0])) == {
        *("achievement_unlocked", "module_completed", "module_unlocked", "course_completed", "certificate_issued")
    }
    assert len({row["id"] for row in world.rows_of("notice")}) == sum(map(len, kept.values()))
    rebuild(world.database, world.catalog)
    install(world.database, [FIRST_STEP, STEPS_2, defined("tries", "attempts", 2)])
    assert backfill_pending(world.database, world.catalog, now=lambda: NOON) is not None
    assert {one: told(world, one) for one in everybody} == {one: told_by_ledger(world, one) for one in everybody}
    assert all(types(world, one).count("achievement_unlocked") == 3 for one in everybody)
    world.assert_clean()


def test_nothing_is_told_of_history_nor_of_what_it_brings_about(world: World) -> None:
    given(world, FIRST_STEP)
    world.publish(GATES)
    ada, known = world.learner(), world.learner(kind="imported", external_id="oulad:1")
    way = through("basics", "loops")
    world.submit(Submission(ada, tuple(way), NOON, source=IMPORTED))
    world.send(known, *way)
    assert (types(world, ada), types(world, known)) == ([], [])
    assert len(told_by_ledger(world, ada)) == len(told_by_ledger(world, known)) == 5
    # In one transaction with history, what is no history is told.
    later = Submission(ada, (event(80, kind="opened"),), NOON, source=IMPORTED)
    world.submit(later, Submission(ada, tuple(through("end", start=40)), NOON + HOUR))
    assert types(world, ada) == ["module_completed", "course_completed", "certificate_issued"]


def test_a_guests_notices_come_along_but_for_what_the_account_was_told(world: World) -> None:
    given(world, FIRST_STEP, STEPS_2, defined("steps-5", "steps", 5))
    world.publish(GATES)
    ada = world.learner()
    world.send(ada, *through("basics"))
    before = told(world, ada)
    guest = guest_in(world, *through("basics", "loops", start=50))
    brought = told(world, guest.id)
    assert move(world, ada, guest) is not None
    assert told(world, guest.id) == []
    after = told(world, ada)
    assert after[: len(before)] == before
    assert [(one["type"], one["module"]) for *_, one in after[len(before) :]] == [
        ("module_completed", "loops"),
        ("module_unlocked", "end"),
    ]
    assert {one for *_, one, _ in after[len(before) :]} <= {one for *_, one, _ in brought}
    # What both have come to together is told in the account; of the guest's first step it knew.
    assert move(world, ada, guest_in(world, event(90, of="hello", kind="completed"))) is not None
    assert [one.get("achievement") for *_, one in told(world, ada)[len(after) :]] == ["steps-5"]
    world.assert_clean()


def test_notices_go_with_their_time_and_with_their_learner(world: World) -> None:
    world.publish(GATES)
    ada, bob = world.learner(), world.learner()
    world.send(ada, *through("basics"), at=NOON)
    world.send(ada, *through("loops", start=20), at=NOON + HOUR)
    world.send(bob, *through("basics"))
    everything = {"now": NOON, "events_before": NOON, "sent_before": NOON}
    assert tidy(world.database, **everything, notices_before=NOON) == 0
    assert tidy(world.database, **everything, notices_before=NOON + 1) == 2
    assert [one["module"] for *_, one in told(world, ada)] == ["loops", "end"]
    assert erase(world.database, world.catalog, ada, now=NOON) is not None
    assert {row["learner_id"] for row in world.rows_of("notice")} == {bob}
