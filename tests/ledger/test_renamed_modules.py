"""A module that is called otherwise is the same module: what it was granted stays, and what waits for it goes on."""

from typing import Any

import pytest

from headway.domain.impact import Gains
from headway.http.impact import impact_of
from headway.ledger.publish import Published, publish
from headway.ledger.rebuild import rebuild
from headway.ledger.submission import REFUSED
from headway.views.course_progress import UnknownModule, read_course, read_module
from headway.views.subject import Subject
from tests.domain.manifests import course, module, step
from tests.ledger.gates import ALL_GRANTS, GATES, gated, grants, names, through
from tests.ledger.world import GRADER, HOUR, NOON, World

LATER = NOON + 2 * HOUR
END = {"id": "last", "renamed_from": ["end"]}


def called(basics: dict[str, Any], loops: dict[str, Any], end: dict[str, Any]) -> dict[str, Any]:
    """The course of gates with other ids of its modules."""
    steps = [
        [step("read", kind="lesson", topics=["start"]), step("ask")],
        [step("fizz", kind="assignment", topics=["loops"]), step("pick", grader=GRADER)],
        [step("exam", kind="assessment")],
    ]
    modules = [{**module("", *some), **one} for one, some in zip((basics, loops, end), steps, strict=True)]
    return course(*modules, id="gates", title="Gates", certificate=True)


def renamed() -> dict[str, Any]:
    """What is required by an old id, by a new one, and by nothing but its place."""
    return called(
        {"id": "start", "renamed_from": ["basics"]},
        {"id": "cycles", "renamed_from": ["loops"], "requires": ["basics"]},
        {"id": "end"},
    )


def forgotten() -> dict[str, Any]:
    """A later version, whose author has left the old ids out."""
    return called({"id": "start"}, {"id": "cycles", "requires": ["start"]}, {"id": "final", "renamed_from": ["end"]})


@pytest.fixture
def gates(world: World) -> World:
    world.publish(GATES)
    return world


def shown(world: World, learner_id: str) -> Any:
    with world.database.read() as connection:
        return read_course(connection, world.catalog, Subject(learner_id, "UTC"), "gates")


def statuses_of(world: World, learner_id: str) -> list[tuple[str, str, list[str]]]:
    return [(one.id, one.status, one.locked_by) for one in shown(world, learner_id).modules]


@pytest.mark.parametrize("later", [[renamed], [renamed, forgotten]])
def test_what_was_granted_stays_with_a_module_that_is_renamed(gates: World, later: list[Any]) -> None:
    ada = gates.learner()
    gates.send(ada, *through("basics"))
    before, entries = grants(gates, ada), gates.entries(ada)
    (done, *_) = shown(gates, ada).modules
    for manifest in later:
        gates.publish(manifest())
    assert (grants(gates, ada), gates.entries(ada)) == (before, entries)
    last = "final" if forgotten in later else "end"
    assert statuses_of(gates, ada) == [("start", "completed", []), ("cycles", "open", []), (last, "locked", ["cycles"])]
    (now, *_) = shown(gates, ada).modules
    assert (now.completed_at, now.score_percent) == (done.completed_at, done.score_percent)
    gates.assert_clean()


def test_what_comes_after_is_kept_under_the_first_ids_and_told_by_those_of_now(gates: World) -> None:
    ada, bob = gates.learner(), gates.learner()
    gates.send(ada, *through("basics"))
    gates.publish(renamed())
    refused = gates.send(bob, gated(of="pick", response="b"), at=LATER).results[0]
    assert (refused.status, refused.problem and refused.problem.code) == (REFUSED, "locked")
    receipt = gates.send(ada, *through("loops", start=20), at=LATER)
    told = [(one["type"], one["module"]) for one in receipt.changes if "module" in one]
    assert told == [("module_completed", "cycles"), ("module_unlocked", "end")]
    assert [(one.module, one.status) for one in receipt.statuses] == [
        ("cycles", "in_progress"),
        ("cycles", "completed"),
        ("end", "open"),
    ]
    gates.publish(forgotten())
    gates.send(ada, *through("end", start=40), at=LATER + HOUR)
    assert names(grants(gates, ada)) == ALL_GRANTS
    assert shown(gates, ada).status == "completed"
    gates.assert_clean()
    gates.run("DELETE FROM granted WHERE learner_id = :id", id=ada)
    assert rebuild(gates.database, gates.catalog).updated == 1
    assert names(grants(gates, ada)) == ALL_GRANTS
    gates.assert_clean()


def test_a_module_is_read_by_any_of_its_ids(gates: World) -> None:
    ada = gates.learner()
    gates.publish(renamed())
    with gates.database.read() as connection:
        for name in ("start", "basics"):
            assert read_module(connection, gates.catalog, Subject(ada, "UTC"), "gates", name).id == "start"
        with pytest.raises(UnknownModule):
            read_module(connection, gates.catalog, Subject(ada, "UTC"), "gates", "none")


def test_publishing_tells_that_renaming_does_nothing_to_anybody(gates: World) -> None:
    ada = gates.learner()
    gates.send(ada, *through("basics"))
    would = rehearsed(gates, renamed())
    assert (would.impact.gains.learners, would.impact.kept.learners) == (0, 0)
    assert impact_of(would).gates_moved == []
    # Whoever forgets to say so makes another module of it.
    lost = rehearsed(gates, called({"id": "start"}, {"id": "loops"}, {"id": "end"}))
    assert lost.impact.gains.learners == 1
    moved = rehearsed(
        gates,
        called({"id": "start", "renamed_from": ["basics"]}, {"id": "loops"}, {"id": "end", "requires": ["basics"]}),
    )
    assert [(one.module, one.before, one.after) for one in impact_of(moved).gates_moved] == [
        ("end", ["loops"], ["start"])
    ]


def test_what_a_version_brings_to_modules_that_it_renames_is_told_by_their_new_ids(gates: World) -> None:
    ada = gates.learner()
    gates.publish(renamed())
    gates.send(ada, *through("basics"), gated(20, of="fizz", score=1), at=LATER)
    # A lower mark completes the second, and opens the third.
    moved = called(
        {"id": "a", "renamed_from": ["start"]}, {"id": "b", "renamed_from": ["cycles"], "pass_mark": 10}, END
    )
    (gained,) = rehearsed(gates, moved).impact.gains.listed
    assert gained == (ada, Gains(modules_unlocked=("last",), modules_completed=("b",)))
    requires = called({"id": "a", "renamed_from": ["start"]}, {"id": "cycles"}, END | {"requires": ["a"]})
    assert [(one.module, one.before, one.after) for one in impact_of(rehearsed(gates, requires)).gates_moved] == [
        ("last", ["cycles"], ["a"])
    ]


def test_what_was_open_stays_so_under_another_id_before_the_sweep_comes_and_after(gates: World) -> None:
    ada = gates.learner()
    gates.publish(called({"id": "basics"}, {"id": "loops", "requires": []}, {"id": "end"}))
    gates.send(ada, gated(1, of="read", kind="completed"))
    gates.publish(called({"id": "start", "renamed_from": ["basics"]}, {"id": "cycles", "renamed_from": ["loops"]}, END))
    assert names(grants(gates, ada)) == [("module_unlocked", "loops")]
    # As it is for whoever sends before a sweep has come to them.
    gates.run("UPDATE course SET judged_version = 2 WHERE id = 'gates'", "DELETE FROM granted")
    gates.restart()
    receipt = gates.send(ada, gated(2, of="fizz", score=1), at=LATER)
    assert [one.status for one in receipt.results] == ["recorded"]


def rehearsed(world: World, manifest: dict[str, Any]) -> Published:
    return publish(world.database, manifest, now=LATER, dry_run=True)
