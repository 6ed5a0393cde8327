"""Regrading a step: every response is judged anew, what comes out higher is raised, and nothing sinks or is revoked."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa

from headway.domain.errors import UnknownCourse, UnknownStep
from headway.domain.times import format_time
from headway.graders import registry
from headway.graders.registry import GraderFailed
from headway.graders.verdict import Verdict
from headway.ledger import by_hand, commit, effects, raising, regrade
from headway.ledger.effects import Effects
from headway.ledger.erase import erase
from headway.ledger.rebuild import rebuild
from headway.ledger.regrade import NothingToJudge, RegradeAsked
from headway.store.database import Database
from headway.store.schema import granted
from tests.domain.manifests import course, module, step
from tests.ledger.essays import ESSAYS, SECOND, essay, pick
from tests.ledger.facts import begin_anew
from tests.ledger.guests import guest_in, move
from tests.ledger.world import GRADER, HOUR, NOON, World, event, numbered

NOW = NOON + 2 * HOUR


@pytest.fixture(autouse=True)
def _course(world: World) -> None:
    world.publish(ESSAYS)


def publish(world: World, answer: str = "a", **fields: Any) -> None:
    """Put a version in force that takes another answer for the right one."""
    other = step("pick", kind="quiz", grader=GRADER | {"answer": answer}, **fields)
    world.publish(course(module("first", other), SECOND, id="essays", title="Essays"))


def judged(world: World, step_id: str = "pick", dry_run: bool = False, course_id: str = "essays") -> Effects:
    asked = RegradeAsked(course_id, step_id, "the key was wrong", None)
    return regrade.regrade(world.database, world.catalog, asked, now=lambda: NOW, dry_run=dry_run)


def fields(found: Effects, learner_id: str) -> dict[str, tuple[Any, Any]]:
    return {one.field: (one.old, one.new) for one in found.updates if one.learner == learner_id}


def everything(world: World, *learner_ids: str) -> list[Any]:
    return [(world.figures(one), world.entries(one)) for one in learner_ids]


def test_what_the_key_took_for_wrong_is_raised_and_what_was_right_stays(world: World) -> None:
    ada, ben, cy = world.learner(), world.learner(), world.learner()
    world.send(ada, pick(1, "a"))
    world.send(ben, pick(2, "b"))
    world.send(cy, essay(3, of="pick", response=None, type="opened"))
    publish(world)
    found = judged(world)
    assert (found.total, found.updated, found.unchanged, found.left_out) == (2, 1, 1, 0)
    assert fields(found, ada) == {
        "score": (0.0, 1.0),
        "best_score": (0.0, 1.0),
        "latest_score": (0.0, 1.0),
        "average_score": (0.0, 1.0),
        "passed_attempts": (0, 1),
        "completed": (False, True),
        "module_completed": (None, "first"),
        "module_unlocked": (None, "second"),
    }
    (kept,) = found.kept
    assert (kept.learner, kept.attempt, kept.score, kept.instead) == (ben, numbered(2), 1.0, 0.0)
    assert "never lowers" in kept.why
    entry = next(one for one in world.entries(ada) if one.type == "graded")
    assert (entry.version, entry.score, entry.trust) == (2, 1_000_000, "graded")
    assert '"reason":"the key was wrong"' in entry.body
    assert (world.step_of(ben, "essays", "pick")["best_score"], len(world.rows(granted, ada))) == (1_000_000, 2)
    world.assert_clean()


def test_run_twice_it_changes_nothing_the_second_time(world: World) -> None:
    ada, ben = world.learner(), world.learner()
    world.send(ada, pick(1, "a"), pick(2, "b"), pick(3, "a"))
    world.send(ben, pick(4, "a"))
    publish(world)
    assert judged(world).updated == 2
    before = everything(world, ada, ben)
    again = judged(world)
    assert (again.total, again.updated, again.updates) == (2, 0, ())
    assert everything(world, ada, ben) == before
    row = world.step_of(ada, "essays", "pick")
    assert (row["attempts"], row["scores"], row["score_total"], row["passed_attempts"]) == (3, 3, 3_000_000, 3)
    assert rebuild(world.database, world.catalog).updated == 0
    world.assert_clean()


def test_a_dry_run_tells_the_same_and_changes_nothing(world: World) -> None:
    ids = [world.learner() for _ in range(3)]
    for number, learner_id in enumerate(ids):
        world.send(learner_id, pick(number, "a"), pick(number + 10, "b"))
    publish(world)
    before = everything(world, *ids)
    tried = judged(world, dry_run=True)
    assert everything(world, *ids) == before
    assert tried == judged(world)
    assert tried.updated == 3
    assert everything(world, *ids) != before


def test_a_mark_that_was_lowered_has_more_pass_and_one_that_was_raised_takes_no_pass(world: World) -> None:
    multiple = {"type": "multiple", "options": {"a": "1", "b": "2", "c": "3"}, "answers": ["a", "b"]}

    def with_mark(mark: float) -> Mapping[str, Any]:
        asks = step("pick", kind="quiz", grader=multiple, pass_mark=mark)
        return course(module("first", asks), SECOND, id="essays", title="Essays")

    world.publish(with_mark(80))
    ada, ben = world.learner(), world.learner()
    world.send(ada, pick(1, ["a"]))
    world.send(ben, pick(2, ["a", "b"]))
    world.publish(with_mark(50))
    assert fields(judged(world), ada) == {"passed_attempts": (0, 1), "completed": (False, True)}
    assert judged(world).updated == 0
    world.publish(with_mark(60))
    found = judged(world)
    assert (found.updated, [(one.learner, one.score, one.instead) for one in found.kept]) == (0, [(ada, 0.5, 0.5)])
    assert "stays passed" in found.kept[0].why
    row = world.step_of(ada, "essays", "pick")
    assert (row["passed_attempts"], row["score_total"], row["completed_at"]) == (1, 500_000, NOON)
    world.assert_clean()


def test_an_answer_that_does_not_fit_the_new_question_stays_as_it_is(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(1, "b"))
    asks = step("pick", kind="quiz", grader={"type": "number", "answer": 7})
    world.publish(course(module("first", asks), SECOND, id="essays", title="Essays"))
    found = judged(world)
    assert (found.total, found.updated, found.kept[0].score, found.kept[0].instead) == (1, 0, 1.0, None)
    assert "must be a number" in found.kept[0].why


def test_what_waited_for_a_person_is_judged_once_the_server_can(world: World) -> None:
    ada = world.learner()
    world.send(ada, essay(1, response="Because."), essay(2, response="No idea."))
    asks = step("essay", kind="assignment", grader={"type": "text", "answers": ["because."], "when_right": "Yes."})
    world.publish(course(module("first", asks), SECOND, id="essays", title="Essays"))
    found = judged(world, "essay")
    assert fields(found, ada)["best_score"] == (None, 1.0)
    row = world.step_of(ada, "essays", "essay")
    assert (row["unscored"], row["scores"], row["score_total"]) == (0, 2, 1_000_000)
    changes = [change for one in world.entries(ada) if one.changes for change in json.loads(one.changes)]
    assert [one.get("feedback") for one in changes if one["type"] == "step_graded"] == ["Yes.", None]
    world.assert_clean()


def test_what_clients_reported_is_judged_once_the_server_can_and_vouched_for(world: World) -> None:
    ada, ben = world.learner(), world.learner()
    world.send(ada, event(1, score=0.4, response="b"), event(2, score=0.9))
    world.send(ben, event(3, score=1, response="b"), event(4, score=0.9, response="a"))
    world.publish(course(module("first", step("loops", kind="exercise", grader=GRADER))))
    found = judged(world, "loops", course_id="python")
    assert (found.total, fields(found, ada)["best_score"]) == (2, (0.9, 1.0))
    # Nothing is higher than before for the other: but now the server vouches for it.
    assert (fields(found, ben), world.step_of(ben, "python", "loops")["graded_best"]) == ({}, 1_000_000)
    assert [(one.learner, one.attempt, one.instead) for one in found.kept] == [(ben, numbered(4), 0.0)]
    assert judged(world, "loops", course_id="python").updated == 0
    assert len([one for one in world.entries(ben) if one.type == "graded"]) == 1
    world.assert_clean()


def test_no_first_score_sinks_a_step_and_what_is_left_out_is_told(world: World) -> None:
    """One was completed without a score, the other has one that the latest would take the place of."""
    asks = {"id": "two", "title": "Two"}
    world.publish(course(module("m", step("exam", kind="assessment")), **asks))
    ada, ben = world.learner(), world.learner()
    answer: dict[str, Any] = {"of": "exam", "course": "two", "response": "a"}
    world.send(ada, event(1, "completed", of="exam", course="two"), event(2, **answer))
    late = format_time(NOON + HOUR)
    world.send(ben, event(3, score=0.9, **answer), event(4, occurred_at=late, **answer), at=NOW)
    world.publish(course(module("m", step("exam", kind="assessment", grader=GRADER)), **asks))
    before = everything(world, ada, ben)
    tried = judged(world, "exam", dry_run=True, course_id="two")
    assert everything(world, ada, ben) == before
    found = judged(world, "exam", course_id="two")
    assert found == tried
    assert (found.total, found.updates) == (2, ())
    kept = {one.attempt: (one.learner, one.score, one.instead) for one in found.kept}
    assert kept == {numbered(2): (ada, None, 0.0), numbered(3): (ben, 0.9, 0.0), numbered(4): (ben, None, 0.0)}
    assert any("count for less" in one.why for one in found.kept)
    assert everything(world, ada, ben) == before
    world.assert_clean()


def test_guests_moved_ones_and_former_runs_are_judged_and_the_erased_are_not(world: World) -> None:
    guest, moved, ada = guest_in(world, pick(1, "a")), guest_in(world, pick(2, "a")), world.learner()
    world.send(ada, pick(2, "a"), pick(3, "b"))
    begin_anew(world, ada, course="essays")
    world.send(ada, pick(4, "a"), at=NOON + 3 * HOUR)
    move(world, ada, moved)
    move(world, ada, guest_in(world, pick(5, "a")))
    gone = world.learner()
    world.send(gone, pick(6, "a"))
    erase(world.database, world.catalog, gone, now=NOW)
    publish(world)
    found = judged(world)
    assert {one.learner for one in found.updates} == {guest.id, ada}
    assert {(one.learner, one.run) for one in found.updates} >= {(guest.id, 1), (ada, 2)}
    graded = [one.body for one in world.entries(ada) if one.type == "graded"]
    assert sorted(number for number in range(9) for body in graded if f'"attempt":"{numbered(number)}"' in body) == [
        *(2, 4, 5),
    ]
    assert world.entries(moved.id)[-1].type != "graded"
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0
    assert judged(world).updated == 0


def test_what_a_regrade_grants_is_told_of_the_run_that_it_was_granted_in(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(1, "b"), pick(2, "a"))
    begin_anew(world, ada, course="essays")
    world.send(ada, pick(3, "a"), at=NOON + 3 * HOUR)
    publish(world)
    tried = judged(world, dry_run=True)
    found = judged(world)
    assert found == tried
    grants = [(one.run, one.field, one.new) for one in found.updates if one.field.startswith("module_")]
    assert grants == [(2, "module_completed", "first"), (2, "module_unlocked", "second")]
    assert [one.run for one in found.updates] == sorted(one.run for one in found.updates)
    world.assert_clean()


def test_whose_guest_came_along_a_moment_ago_is_judged_once_and_the_dry_run_says_so(world: World) -> None:
    ada, guest = world.learner(), guest_in(world, pick(1, "a"))
    world.send(ada, pick(2, "a"))
    move(world, ada, guest, now=NOW)
    publish(world)
    tried = judged(world, dry_run=True)
    assert (tried.total, tried.updated, fields(tried, ada)["passed_attempts"]) == (1, 1, (0, 2))
    assert judged(world) == tried


def test_many_are_judged_some_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regrade, "LEARNERS_AT_ONCE", 2)
    monkeypatch.setattr(regrade, "RESPONSES_AT_ONCE", 2)
    monkeypatch.setattr(raising, "ATTEMPTS_A_TRANSACTION", 3)
    monkeypatch.setattr(effects, "LISTED_MAX", 4)
    ids = [world.learner() for _ in range(5)]
    for number, learner_id in enumerate(ids):
        world.send(learner_id, *(pick(10 * number + n, "a") for n in range(number + 1)), pick(10 * number + 9, "b"))
    publish(world)
    transactions: list[int] = []
    real = commit.committed

    def count(database: Database, work: Any) -> Any:
        transactions.append(1)
        return real(database, work)

    monkeypatch.setattr(by_hand, "committed", count)
    found = judged(world)
    assert (found.total, found.updated, len(found.updates), len(found.kept)) == (5, 5, 4, 4)
    assert found.left_out > 0
    assert len(transactions) >= 3
    for number, learner_id in enumerate(ids):
        row = world.step_of(learner_id, "essays", "pick")
        assert (row["scores"], row["score_total"]) == (number + 2, (number + 2) * 1_000_000)
    world.assert_clean()


def test_what_cannot_be_judged_anew_is_said(world: World) -> None:
    with pytest.raises(NothingToJudge):
        judged(world, "essay")
    with pytest.raises(NothingToJudge):
        judged(world, "loops", course_id="python")
    with pytest.raises(UnknownStep):
        judged(world, "nowhere")
    with pytest.raises(UnknownCourse):
        judged(world, course_id="nowhere")


def test_broken_off_by_a_grader_it_is_gone_on_with(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regrade, "LEARNERS_AT_ONCE", 1)
    ids = sorted(world.learner() for _ in range(3))
    for number, learner_id in enumerate(ids):
        world.send(learner_id, pick(number, "a"))
    publish(world)
    real, asked = registry.grade, list[object]()

    def failing(config: Mapping[str, Any], response: object) -> Verdict:
        asked.append(response)
        if len(asked) == 2:
            raise GraderFailed("broken")
        return real(config, response)

    with monkeypatch.context() as broken:
        broken.setattr(regrade, "grade", failing)
        with pytest.raises(GraderFailed):
            judged(world)
    assert [world.step_of(one, "essays", "pick")["best_score"] for one in ids] == [1_000_000, 0, 0]
    assert judged(world).updated == 2
    world.assert_clean()


def test_a_version_published_meanwhile_has_all_judged_by_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is raised by the version that it followed."""
    ada = world.learner()
    world.send(ada, pick(1, "a"))
    publish(world)
    real = registry.grade

    def publishing(config: Mapping[str, Any], response: object) -> Verdict:
        if config["answer"] == "a":
            publish(world, "b", pass_mark=20)
        return real(config, response)

    monkeypatch.setattr(regrade, "grade", publishing)
    found = judged(world)
    assert (found.total, found.updated, found.kept) == (1, 0, ())
    assert [one.type for one in world.entries(ada)] == ["attempted"]
    world.assert_clean()


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_was_raised_before_another_version_is_told_too(
    world: World, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    monkeypatch.setattr(regrade, "LEARNERS_AT_ONCE", 1)
    ids = [world.learner() for _ in range(3)]
    for number, learner_id in enumerate(ids):
        world.send(learner_id, pick(number, "a"), pick(number + 10, "b"))
    publish(world)
    seen: list[int] = []

    def publishing(page: int) -> None:
        seen.append(page)
        if len(seen) == 1:
            publish(world, pass_mark=20)

    asked = RegradeAsked("essays", "pick", "the key was wrong", None)
    found = regrade.regrade(world.database, world.catalog, asked, now=lambda: NOW, dry_run=dry_run, progress=publishing)
    assert (found.total, found.updated, len(seen)) == (3, 3, 4)
    assert [fields(found, one)["average_score"] for one in ids] == [(0.5, 1.0)] * 3
    assert sorted(one.learner for one in found.updates if one.field == "average_score") == sorted(ids)
    assert sorted(one.learner for one in found.kept) == sorted(ids)
    world.assert_clean()


def test_who_regrades_is_looked_up_once_however_much_is_raised(world: World) -> None:
    teacher, ids = world.learner(), [world.learner() for _ in range(3)]
    for number, learner_id in enumerate(ids):
        world.send(learner_id, pick(number, "a"), pick(number + 10, "a"))
    asked = RegradeAsked("essays", "pick", "the key was wrong", teacher)
    publish(world)
    regrade.regrade(world.database, world.catalog, asked, now=lambda: NOW, dry_run=True)
    seen: list[str] = []
    sa.event.listen(world.database.writers, "before_cursor_execute", lambda *said: seen.append(said[2]))
    assert regrade.regrade(world.database, world.catalog, asked, now=lambda: NOW).updated == 3
    # It is looked for, made, and looked for again.
    assert len([one for one in seen if "FROM pseudonym" in one]) == 2


def test_a_lost_answer_to_commit_is_found_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = world.learner()
    world.send(ada, pick(1, "a"), pick(2, "a"))
    publish(world)
    expected = judged(world, dry_run=True)
    real = commit.committed

    def twice(database: Database, work: Any) -> Any:
        real(database, work)
        return real(database, work)

    monkeypatch.setattr(by_hand, "committed", twice)
    assert judged(world) == expected
    assert len([one for one in world.entries(ada) if one.type == "graded"]) == 2
    world.assert_clean()


def test_whoever_is_moved_meanwhile_is_judged_as_the_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, guest = world.learner(), guest_in(world, pick(1, "a"))
    world.send(ada, pick(2, "a"))
    publish(world)
    real = registry.grade

    def moving(config: Mapping[str, Any], response: object) -> Verdict:
        # In the midst of it, wherever the guest's page lies.
        move(world, ada, guest, now=NOW)
        return real(config, response)

    monkeypatch.setattr(regrade, "grade", moving)
    judged(world)
    row = world.step_of(ada, "essays", "pick")
    assert (row["attempts"], row["score_total"], row["passed_attempts"]) == (2, 2_000_000, 2)
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0
