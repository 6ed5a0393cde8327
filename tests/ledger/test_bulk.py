"""Many events at once: the number of statements stays, and commands record as everybody does."""

import gc
from collections import Counter

import pytest
from sqlalchemy import event as hooks

from headway.domain.times import format_time
from headway.ledger.audit import audit
from headway.ledger.bulk import add_learners, record_all
from headway.ledger.submission import Receipt, Submission
from tests.ledger.gates import GATES, through
from tests.ledger.world import HOUR, NOON, World, enrollment, event, numbered


def statements(world: World, submissions: list[Submission]) -> int:
    said: list[str] = []

    def hear(*args: object) -> None:
        said.append(str(args[2]))

    hooks.listen(world.database.writers, "before_cursor_execute", hear)
    world.submit(*submissions)
    hooks.remove(world.database.writers, "before_cursor_execute", hear)
    return len(said)


def a_batch(world: World, learners: int, events: int) -> list[Submission]:
    """Requests of some learners on all steps over many days, with late events and known ones, to a certificate."""
    ids = [world.learner() for _ in range(learners)]
    steps = ("hello", "loops", "quiz", "essay")
    for one in ids:
        world.send(one, event(0, score=1), enrollment(9000))
    return [
        Submission(
            one,
            (
                *(
                    event(n, of=steps[n % 4], score=1, occurred_at=format_time(NOON - n * 5 * HOUR))
                    for n in range(1, events + 1)
                ),
                event(0, score=1),
                *through("basics", "loops", "end", start=5000),
                enrollment(9000),
                enrollment(9001, "left", at=NOON + 1),
            ),
            NOON + HOUR,
        )
        for one in ids
    ]


def test_the_number_of_statements_does_not_grow_with_learners_and_events(world: World) -> None:
    world.publish(GATES)
    statements(world, a_batch(world, 1, 1))  # courses are read once
    small = statements(world, a_batch(world, 1, 4))
    large = statements(world, a_batch(world, 20, 20))
    assert world.count("certificate") == 22
    assert small == large <= 27
    world.assert_clean()


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_submissions_are_recorded_in_order_some_in_a_transaction(world: World, size: int) -> None:
    ids = sorted(numbered(n) for n in range(3))
    row = {"kind": "imported", "time_zone": "UTC", "created_at": NOON}
    add_learners(world.database, ({"id": one, **row} for one in ids))
    sent = [Submission(ids[n % 3], (event(n, score=0.5), event(100 + n)), NOON + n) for n in range(9)]
    answers = list(record_all(world.database, world.catalog, iter(sent), size))
    assert [one.results[0].id for one in answers if isinstance(one, Receipt)] == [numbered(n) for n in range(9)]
    assert [entry.event_id for entry in world.entries(ids[1])][::2] == [numbered(n) for n in (1, 4, 7)]
    again = list(record_all(world.database, world.catalog, iter(sent), 1000))
    assert len(again) == 9
    assert world.count("ledger") == 18
    world.assert_clean()


def test_answers_come_after_the_commit_of_their_chunk(world: World) -> None:
    ada = world.learner()
    sent = [Submission(ada, (event(n),), NOON + n) for n in range(4)]
    recorded = record_all(world.database, world.catalog, sent, 2)
    seen = [(next(recorded), len(world.entries(ada)))[1] for _ in sent]
    assert seen == [2, 2, 4, 4]


def test_of_learners_that_are_added_together_all_are_or_none(world: World) -> None:
    row = {"kind": "imported", "time_zone": "UTC", "created_at": NOON}
    with pytest.raises(Exception, match=r"(?i)unique"):
        add_learners(world.database, [{"id": numbered(1), **row}, {"id": numbered(1), **row}])
    assert world.count("learner") == 0


def test_what_was_recorded_and_audited_is_gone_without_a_search_for_circles_of_references(world: World) -> None:
    world.publish(GATES)
    first, second = a_batch(world, 3, 3), a_batch(world, 3, 3)
    world.submit(*first)  # what is kept for all that comes is there
    audit(world.database, world.catalog)
    gc.freeze()  # and what other tests left is not looked through
    gc.disable()
    try:
        world.submit(*second)
        audit(world.database, world.catalog)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found = Counter(type(one).__name__ for one in gc.garbage if type(one).__module__.startswith("headway."))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert found == {}
