"""What publishing does to learners: a dry run tells it, learner by learner, and publishing does just that."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from sqlalchemy import event as hooks

from headway.domain.events import Event
from headway.domain.impact import Gains, KeptGrants
from headway.domain.recording import IMPORTED
from headway.ledger import impact
from headway.ledger.publish import Published, publish
from headway.ledger.submission import Submission
from headway.store.schema import certificate, granted
from tests.domain.manifests import course, module, step
from tests.ledger.standings import seen
from tests.ledger.world import HOUR, NOON, World, enrollment, event

NUMBERS = count()


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements that are asked meanwhile."""
    statements: list[str] = []

    def note(*seen: Any) -> None:
        statements.append(seen[2])

    engines = (world.database.readers, world.database.writers)
    for engine in engines:
        hooks.listen(engine, "before_cursor_execute", note)
    yield statements
    for engine in engines:
        hooks.remove(engine, "before_cursor_execute", note)


@pytest.fixture(autouse=True)
def as_if_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two learners a page, so that there are several; of the steps those alone are read that it takes."""
    monkeypatch.setattr(impact, "LEARNERS_A_PAGE", 2)


def gates(*modules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return course(*modules, **{"id": "gated", "title": str(next(NUMBERS)), **fields})


def done_in(step_id: str, kind: str = "completed", **fields: Any) -> Event:
    return event(None, kind, of=step_id, course="gated", **fields)


def published(world: World, manifest: dict[str, Any], **options: Any) -> Published:
    """Publish as the dry run said, and give what it told."""
    options = {"now": NOON + 2 * HOUR, **options}
    dry = publish(world.database, manifest, dry_run=True, **options)
    real = publish(world.database, manifest, **options)
    assert real == dry
    return real


A, B = module("a", step("a-1", kind="lesson")), module("b", step("b-1", kind="lesson"))


def test_a_version_brings_what_its_rules_now_say(world: World) -> None:
    hard = {**A, "steps": [*A["steps"], step("a-2")], "complete_by": "steps"}
    publish(world.database, gates(hard, B), now=NOON)
    ada, ben = world.learner(), world.learner()
    world.send(ada, done_in("a-1"))
    world.send(ben, done_in("a-2", "opened"))
    told_now = published(world, gates(A, B, certificate=True))
    assert told_now.impact.learners == 2
    assert told_now.impact.gains.listed == [(ada, Gains(("b",), ("a",)))]
    assert told_now.impact.orphaned == {"a-2": 1}
    world.send(ada, done_in("b-1"))
    free = published(world, gates({**A, "complete_by": "steps"}, {**B, "requires": []}, certificate=True))
    assert free.impact.gains.listed == [(ben, Gains(("b",)))]
    world.assert_clean()


def test_a_new_module_opens_where_its_gate_does_and_one_without_is_no_news(world: World) -> None:
    publish(world.database, gates(A), now=NOON)
    ada = world.learner()
    world.send(ada, done_in("a-1"))
    found = published(world, gates(A, B, module("c", requires=[]), module("d", requires=["b"])))
    assert found.impact.gains.listed == [(ada, Gains(("b",)))]
    assert found.impact.kept.listed == [(ada, KeptGrants(course_completed=True))]
    assert ("module_unlocked", "b") in seen(world, ada, "gated").grants
    assert ("module_unlocked", "c") not in seen(world, ada, "gated").grants


def test_what_would_be_locked_stays_open_and_is_opened_once(world: World) -> None:
    publish(world.database, gates(A, {**B, "requires": []}), now=NOON)
    ada = world.learner()
    world.send(ada, done_in("a-1", "opened"))
    # The gate that comes to stand before b is met in the same moment.
    easy = published(world, gates({**A, "pass_mark": 0}, B))
    assert easy.impact.kept.listed == [(ada, KeptGrants(("b",)))]
    assert easy.impact.gains.listed == [(ada, Gains((), ("a",)))]
    unlocked = [row for row in world.rows_of("ledger") if row["type"] == "module_unlocked"]
    assert len(unlocked) == 1
    world.send(ada, done_in("b-1"))
    assert seen(world, ada, "gated").shown.status == "completed"


def scored(world: World, learner_id: str) -> dict[tuple[str, str], int]:
    return {(row["kind"], row["module_id"]): row["score"] for row in world.rows(granted, learner_id)}


def test_a_module_that_was_begun_is_not_told_to_open_with_the_one_before_it(world: World) -> None:
    publish(world.database, gates({**A, "pass_mark": 100}, B), now=NOON)
    ada = world.learner()
    begun = done_in("b-1", "opened")
    world.submit(Submission(ada, (begun, done_in("a-1", "attempted", score=0.9)), NOON + HOUR, source=IMPORTED))
    found = published(world, gates({**A, "pass_mark": 90}, B))
    assert found.impact.gains.listed == [(ada, Gains((), ("a",)))]


def test_a_course_that_comes_to_be_completed_has_the_score_of_all_its_modules(world: World) -> None:
    quiz = module("a", step("a-1", kind="quiz"))
    publish(world.database, gates(quiz, B), now=NOON)
    ada = world.learner()
    for score in (0.9, 1):
        world.send(ada, done_in("a-1", "attempted", score=score))
    assert published(world, gates(quiz)).impact.gains.listed == [(ada, Gains(course_completed=True))]
    assert scored(world, ada)["course_completed", ""] == 1_000_000


def test_a_certificate_that_comes_to_be_given_has_the_score_of_that_day(world: World) -> None:
    quiz = module("a", step("a-1", kind="quiz"))
    publish(world.database, gates(quiz), now=NOON)
    ada = world.learner()
    for score in (0.9, 1):
        world.send(ada, done_in("a-1", "attempted", score=score))
    assert published(world, gates(quiz, certificate=True)).impact.gains.listed == [(ada, Gains(certified=True))]
    assert [row["score"] for row in world.rows(certificate, ada)] == [1_000_000]


def test_of_steps_that_it_does_not_concern_a_version_reads_nothing(world: World) -> None:
    publish(world.database, gates(A, B), now=NOON)
    world.send(world.learner(), done_in("a-1"))
    renamed = gates({**A, "title": "Another title"}, B)
    with counted(world) as statements:
        assert publish(world.database, renamed, now=NOON, dry_run=True).impact.learners == 1
    assert not [one for one in statements if "step_sum" in one]


def test_a_step_that_is_removed_keeps_its_progress_and_comes_back_under_its_name(world: World) -> None:
    both = {**A, "steps": [*A["steps"], step("a-2", kind="lesson")]}
    publish(world.database, gates(both), now=NOON)
    ada, ben = world.learner(), world.learner()
    world.send(ada, done_in("a-1"), done_in("a-2"))
    world.send(ben, done_in("a-1"))
    assert published(world, gates(A)).impact.orphaned == {"a-2": 1}
    renamed = {**A, "steps": [*A["steps"], step("new", kind="lesson", renamed_from=["a-2"])]}
    assert published(world, gates(renamed)).impact.orphaned == {}
    assert seen(world, ada, "gated").shown.modules[0].steps[1].completed
    world.assert_clean()


def test_whom_a_creator_may_not_know_is_counted_and_not_named(world: World) -> None:
    creator, ada, ben = (world.learner() for _ in range(3))
    publish(world.database, gates({**A, "pass_mark": 100}), now=NOON, publisher=creator)
    for one in (ada, ben):
        world.send(one, done_in("a-1", "attempted", score=0.9))
    world.send(ada, enrollment(1, of="gated"))
    easy = {**A, "pass_mark": 90}
    for publisher, listed in ((creator, {ada}), (None, {ada, ben})):
        found = publish(world.database, gates(easy), now=NOON, publisher=publisher, dry_run=True).impact
        assert (found.gains.learners, {one for one, _ in found.gains.listed}) == (2, listed)


def test_the_lists_are_short_and_the_counts_are_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impact, "LISTED_MAX", 3)
    publish(world.database, gates({**A, "pass_mark": 100}), now=NOON)
    learners = sorted(world.learner() for _ in range(5))
    for one in learners:
        world.send(one, done_in("a-1", "attempted", score=0.9))
    found = published(world, gates({**A, "pass_mark": 90})).impact
    assert (found.gains.learners, found.gains.totals["modules_completed"]) == (5, 5)
    assert [one for one, _ in found.gains.listed] == learners[:3]


def test_who_was_erased_or_moved_is_nobody_to_be_judged(world: World) -> None:
    publish(world.database, gates(A), now=NOON)
    ada = world.learner()
    world.send(ada, done_in("a-1", "opened"))
    world.run("UPDATE learner SET erased_at = 1 WHERE id = :id", id=ada)
    assert published(world, gates({**A, "pass_mark": 0})).impact.learners == 0


def test_a_dry_run_waits_for_nobody(world: World) -> None:
    publish(world.database, gates(A), now=NOON)
    ada = world.learner()
    world.send(ada, done_in("a-1", "opened"))
    with world.database.alone(wait=True), world.database.transaction() as connection:
        locked = f"UPDATE learner SET display_name = 'Ada' WHERE id = '{ada}'"
        for statement in (locked, "UPDATE course SET title = title"):
            connection.exec_driver_sql(statement)
        found = publish(world.database, gates({**A, "pass_mark": 0}), now=NOON, dry_run=True)
    assert found.impact.gains.learners == 1


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_page_of_learners_costs_a_fixed_number_of_statements(
    world: World, dry_run: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impact, "LEARNERS_A_PAGE", 8)
    asked = []
    for number in (1, 7):
        one_course = gates({**A, "pass_mark": 100}, B, id=f"of-{number}")
        publish(world.database, one_course, now=NOON)
        for _ in range(number):
            sent = event(None, of="a-1", course=one_course["id"], score=0.9)
            world.send(world.learner(), sent)
        easier = gates({**A, "pass_mark": 90}, B, id=one_course["id"])
        with counted(world) as statements:
            found = publish(world.database, easier, now=NOON, dry_run=dry_run)
        assert found.impact.gains.learners == number
        asked.append(len(statements))
    assert asked[0] == asked[1]
