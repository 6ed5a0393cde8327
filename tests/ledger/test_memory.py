"""A writer's memory is relied on only where nobody else has moved the learner: progress is right whoever did."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import event as hooks

from headway.ledger.memory import AGE_MAX_S, STEPS, VALUES_OF_LEARNER_MAX, Memory
from headway.ledger.rebuild import rebuild
from headway.ledger.record import record
from headway.ledger.submission import Submission
from headway.store.facts import Mark
from tests.ledger.guests import guest_in, move
from tests.ledger.world import HOUR, NOON, World, event

SUMS = ("step_sum", "day_sum", "topic_sum", "granted")


@contextmanager
def read_of_sums(world: World) -> Iterator[list[str]]:
    """The statements that read sums meanwhile."""
    statements: list[str] = []

    def note(*seen: Any) -> None:
        if seen[2].startswith("SELECT") and any(f" {table} t" in seen[2] for table in SUMS):
            statements.append(seen[2])

    hooks.listen(world.database.writers, "before_cursor_execute", note)
    yield statements
    hooks.remove(world.database.writers, "before_cursor_execute", note)


def attempts(world: World, learner_id: str) -> int:
    return int(world.step(learner_id)["attempts"])


def test_what_was_recorded_last_is_not_read_again(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1))
    with read_of_sums(world) as statements:
        world.send(ada, event(2))
    assert statements == []
    world.restart()
    with read_of_sums(world) as statements:
        world.send(ada, event(3))
    assert statements
    assert attempts(world, ada) == 3
    world.assert_clean()


def by_another_process(world: World, ada: str) -> None:
    sent = Submission(ada, (event(50), event(51, "completed", "essay")), NOON + HOUR)
    with world.database.transaction() as connection:
        record(connection, world.catalog, [sent])


def by_a_guest_who_signs_in(world: World, ada: str) -> None:
    here, world.memory = world.memory, Memory()
    move(world, ada, guest_in(world, event(50)))
    world.memory = here


def by_a_rebuild_of_what_somebody_falsified(world: World, ada: str) -> None:
    world.run("UPDATE step_sum SET attempts = attempts + 4 WHERE learner_id = :ada", ada=ada)
    world.restart()
    world.send(ada, event(50))
    assert rebuild(world.database, world.catalog).updated == 1


@pytest.mark.parametrize(
    "moved", [by_another_process, by_a_guest_who_signs_in, by_a_rebuild_of_what_somebody_falsified]
)
def test_what_others_moved_is_read_again(world: World, moved: Callable[[World, str], None]) -> None:
    ada = world.learner()
    world.send(ada, event(1))
    moved(world, ada)
    world.send(ada, event(2))
    assert attempts(world, ada) == 3
    world.assert_clean()


def test_what_a_failed_transaction_moved_is_forgotten(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1))
    sent = Submission(ada, (event(2), event(3, "completed", "essay")), NOON + HOUR)
    with suppress(ZeroDivisionError), world.database.transaction() as connection:
        record(connection, world.catalog, [sent], memory=world.memory)
        raise ZeroDivisionError  # as a lost connection does, between the last statement and the commit
    assert attempts(world, ada) == 1
    # Another process leaves the ledger as long as the failed one would have left it.
    with world.database.transaction() as connection:
        record(connection, world.catalog, [Submission(ada, (event(4), event(5)), NOON + HOUR)])
    world.send(ada, event(6))
    assert attempts(world, ada) == 4
    world.assert_clean()


def test_a_module_that_others_moved_on_is_completed(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, "completed", "hello"), event(2, of="graded", response="b"))
    with world.database.transaction() as connection:
        record(connection, world.catalog, [Submission(ada, (event(3, "completed", "quiz"),), NOON + HOUR)])
    changes = world.send(ada, event(4, "completed"), event(5, "completed", "essay")).changes
    assert {"module_completed", "course_completed"} < {one["type"] for one in changes}
    world.assert_clean()


def filled(memory: Memory, learner_id: str, values: int) -> None:
    memory.begin()
    found = memory.take(learner_id, Mark("last", 0))
    found.sums[STEPS].update({("python", 1, str(n)): None for n in range(values)})
    memory.keep()


def test_a_memory_is_bounded_and_forgets_who_was_seen_least_lately() -> None:
    memory = Memory(values_max=30)
    for name in ("ada", "bob", "carol"):
        filled(memory, name, 10)
    filled(memory, "ada", 10)
    filled(memory, "dan", 10)
    assert {name for name in ("ada", "bob", "carol", "dan") if memory.take(name, Mark("last", 0)).size} == {
        "ada",
        "carol",
        "dan",
    }
    filled(memory, "eve", VALUES_OF_LEARNER_MAX + 1)
    assert memory.take("eve", Mark("last", 0)).size == 0


@pytest.mark.parametrize("mark", [Mark("other", 0), Mark("last", 1)])
def test_what_is_remembered_as_of_another_mark_is_not_used(mark: Mark) -> None:
    memory = Memory()
    filled(memory, "ada", 1)
    assert memory.take("ada", mark).size == 0


def test_who_has_not_learned_for_long_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    filled(memory, "ada", 1)
    later = time.monotonic() + AGE_MAX_S
    monkeypatch.setattr(time, "monotonic", lambda: later)
    filled(memory, "bob", 1)
    assert len(memory) == 1
    memory.forget(later + AGE_MAX_S)
    assert len(memory) == 0
