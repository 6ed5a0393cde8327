"""The writer: takes all that waits, commits, then answers; and goes on whatever happens."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial

import pytest
import sqlalchemy as sa

from headway.domain.errors import Busy, IdentityGone, Unavailable
from headway.ledger import writer as writing
from headway.ledger.submission import Submission
from headway.ledger.writer import EVENTS_A_TRANSACTION, EVENTS_WAITING_MAX, Outcome, Waiting, Writer
from tests.ledger.at_once import at_once
from tests.ledger.desk import Desk, desk
from tests.ledger.world import HOUR, NOON, World, event, numbered, statuses


def test_all_that_waits_is_recorded_in_one_transaction_and_everybody_answered(world: World) -> None:
    ids = [world.learner() for _ in range(3)]
    waiting = Desk(world)
    for n in range(30):
        waiting.submit(f"{n}", ids[n % 3], event(n, score=0.5))
    waiting.writer.start()
    assert [statuses(waiting.receipt(f"{n}")) for n in range(30)] == [["recorded"]] * 30
    waiting.writer.stop()
    assert waiting.writer.commits == 1
    assert waiting.writer.waiting_events == 0
    assert [world.step(one)["attempts"] for one in ids] == [10, 10, 10]
    world.assert_clean()


def test_an_answer_means_that_others_see_it(world: World) -> None:
    ada = world.learner()
    with desk(world) as open_desk:
        open_desk.submit("mine", ada, event(1, score=0.5))
        open_desk.receipt("mine")
        assert world.step(ada)["attempts"] == 1


def test_sixty_four_at_once_on_one_step_are_sixty_four(world: World) -> None:
    ada = world.learner()
    with desk(world) as open_desk:
        askers = [
            threading.Thread(target=open_desk.submit, args=(f"{n}", ada, event(n, score=n / 100))) for n in range(64)
        ]
        for one in askers:
            one.start()
        assert all(statuses(open_desk.receipt(f"{n}")) == ["recorded"] for n in range(64))
    row = world.step(ada)
    assert (row["attempts"], row["scores"], row["best_score"]) == (64, 64, 630_000)
    world.assert_clean()


def test_sixty_four_on_one_step_by_several_writers_at_once_are_sixty_four(postgresql_world: World) -> None:
    """Three servers with a database, a catalog and a memory each: what keeps them apart is the learner's row alone."""
    ada = postgresql_world.learner()

    def send(open_desk: Desk, numbers: range) -> None:
        for n in numbers:  # one a transaction: together they would be a few, which might not meet
            open_desk.submit(f"{n}", ada, event(n, score=n / 100))
            assert statuses(open_desk.receipt(f"{n}")) == ["recorded"]

    with ExitStack() as stack:
        servers = [stack.enter_context(closing(World(postgresql_world.url))) for _ in range(3)]
        desks = [stack.enter_context(desk(one)) for one in servers]
        at_once(*(partial(send, one, range(n, 64, 3)) for n, one in enumerate(desks)))
    row = postgresql_world.step(ada)
    assert (row["attempts"], row["scores"], row["score_total"]) == (64, 64, sum(range(64)) * 10_000)
    assert sorted(one.event_id for one in postgresql_world.entries(ada)) == [numbered(n) for n in range(64)]
    postgresql_world.assert_clean()


def test_a_transaction_takes_some_hundreds_and_leaves_the_rest_for_the_next(world: World) -> None:
    ada = world.learner()
    waiting = Desk(world)
    size = EVENTS_A_TRANSACTION // 2 - 1
    for n in range(3):
        waiting.submit(f"{n}", ada, *(event(1 + n * size + i) for i in range(size)))
    waiting.writer.start()
    waiting.writer.stop()
    assert waiting.writer.commits == 2
    assert world.step(ada)["attempts"] == 3 * size


def test_beyond_its_bound_the_queue_is_busy_and_says_when_to_come_again(sqlite_world: World) -> None:
    ada = sqlite_world.learner()
    waiting = Desk(sqlite_world)
    waiting.submit("much", ada, *[event(1)] * (EVENTS_WAITING_MAX - 1))
    waiting.submit("the last", ada, event(2))
    with pytest.raises(Busy) as refusal:
        waiting.submit("too much", ada, event(3))
    assert (refusal.value.code, refusal.value.retry_after_s) == ("busy", 1)
    waiting.writer.start()
    waiting.receipt("the last")
    waiting.submit("again", ada, event(3))
    waiting.receipt("again")
    waiting.writer.stop()
    assert sqlite_world.step(ada)["attempts"] == 3


def test_stopping_writes_and_answers_what_waits_and_takes_nothing_more(world: World) -> None:
    ada = world.learner()
    with desk(world) as open_desk:
        for n in range(40):
            open_desk.submit(f"{n}", ada, event(n))
        open_desk.writer.stop()
        assert len(open_desk.outcomes) == 40
        with pytest.raises(Unavailable):
            open_desk.submit("late", ada, event(99))
    assert world.step(ada)["attempts"] == 40


def test_a_defect_fails_its_own_request_and_neither_the_writer_nor_its_neighbors(world: World) -> None:
    ada, ben = world.learner(), world.learner()
    waiting = Desk(world)
    for n in range(5):
        waiting.submit(f"{n}", ada, event(n))
    waiting.submit("defect", ben, event(1), received_at="yesterday")
    for n in range(5, 9):
        waiting.submit(f"{n}", ada, event(n))
    waiting.writer.start()
    assert isinstance(waiting.outcome("defect"), Unavailable)
    assert [statuses(waiting.receipt(f"{n}")) for n in range(9)] == [["recorded"]] * 9
    waiting.submit("mine", ben, event(1))
    assert statuses(waiting.receipt("mine")) == ["recorded"]
    waiting.writer.stop()
    assert [entry.event_id for entry in world.entries(ada)] == [numbered(n) for n in range(9)]


def test_an_asker_who_cannot_be_answered_does_not_end_the_writer(world: World) -> None:
    ada = world.learner()
    answered = threading.Semaphore(0)

    def hang_up(_: Sequence[tuple[Waiting, Outcome]]) -> None:
        answered.release()
        raise RuntimeError("the event loop is closed")

    writer = Writer(world.database, world.catalog, hang_up)
    writer.start()
    for n in range(3):
        writer.submit(Submission(ada, (event(n),), NOON + HOUR), n)
        assert answered.acquire(timeout=20)
    writer.stop()
    assert world.step(ada)["attempts"] == 3


def test_an_error_that_is_not_the_events_refuses_none_of_them(world: World) -> None:
    ada = world.learner()
    with desk(world) as open_desk:
        world.run("ALTER TABLE day_sum RENAME TO day_sum_elsewhere")
        open_desk.submit("now", ada, event(1, score=1))
        outcome = open_desk.outcome("now")
        assert isinstance(outcome, Unavailable)
        assert outcome.retry_after_s > 0
        world.run("ALTER TABLE day_sum_elsewhere RENAME TO day_sum")
        assert world.count("ledger") == 0
        open_desk.submit("later", ada, event(1, score=1))
        assert statuses(open_desk.receipt("later")) == ["recorded"]
    world.assert_clean()


def held(world: World, learner_id: str) -> sa.Connection:
    """A connection in a transaction that holds a learner, as a rebuild of another process does."""
    connection = world.database.writers.connect()
    connection.exec_driver_sql("BEGIN")
    connection.execute(sa.text("SELECT 1 FROM learner WHERE id = :id FOR NO KEY UPDATE"), {"id": learner_id})
    return connection


def test_a_learner_held_elsewhere_is_put_back_and_holds_up_nobody(postgresql_world: World) -> None:
    world = postgresql_world
    ada, ben = world.learner(), world.learner()
    waiting = Desk(world)
    with held(world, ada) as connection:
        # Three at once, and three that find others kept aside.
        for n in range(3):
            waiting.submit(f"ada {n}", ada, event(n, score=n / 10))
        waiting.writer.start()
        for n in range(3, 6):
            waiting.submit(f"ada {n}", ada, event(n, score=n / 10))
            waiting.submit(f"ben {n}", ben, event(n))
            waiting.receipt(f"ben {n}")
        waiting.submit("nobody", numbered(77), event(1))
        assert isinstance(waiting.outcome("nobody"), IdentityGone)
        assert not [reply for reply in waiting.outcomes if reply.startswith("ada")]
        connection.exec_driver_sql("COMMIT")
    for n in range(6):
        assert statuses(waiting.receipt(f"ada {n}")) == ["recorded"]
    waiting.writer.stop()
    # In the order in which they came, whatever was tried meanwhile.
    assert [entry.event_id for entry in world.entries(ada)] == [numbered(n) for n in range(6)]
    assert [reply for reply in waiting.outcomes if reply.startswith("ada")] == [f"ada {n}" for n in range(6)]
    world.assert_clean()


def test_recording_that_does_not_wait_says_nothing_of_a_learner_held_elsewhere(postgresql_world: World) -> None:
    world = postgresql_world
    ada, ben = world.learner(), world.learner()
    with held(world, ada) as connection:
        submissions = [Submission(one, (event(1),), NOON) for one in (ada, ben, ada)]
        answers = world.submit(*submissions, wait=False)
        assert [answer is None for answer in answers] == [True, False, True]
        connection.exec_driver_sql("COMMIT")
    assert world.entries(ada) == []


def test_patience_with_a_held_learner_ends(postgresql_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = postgresql_world
    ada = world.learner()
    monkeypatch.setattr(writing, "LOCKED_PATIENCE_S", 0.1)
    with desk(world) as open_desk:
        with held(world, ada) as connection:
            open_desk.submit("mine", ada, event(1))
            assert isinstance(open_desk.outcome("mine"), Unavailable)
            connection.exec_driver_sql("COMMIT")
        open_desk.submit("again", ada, event(1))
        assert statuses(open_desk.receipt("again")) == ["recorded"]


def test_stopping_waits_for_a_learner_held_elsewhere(postgresql_world: World) -> None:
    world = postgresql_world
    ada = world.learner()
    waiting = Desk(world)
    waiting.writer.start()
    with held(world, ada) as connection:
        waiting.submit("mine", ada, event(1))
        stopping = threading.Thread(target=waiting.writer.stop)
        stopping.start()
        stopping.join(0.1)
        assert stopping.is_alive()
        connection.exec_driver_sql("COMMIT")
    stopping.join(20)
    assert statuses(waiting.receipt("mine")) == ["recorded"]
