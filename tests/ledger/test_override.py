"""Overrides and waivers: said by a person with a reason, counted at once, and lower only where they are final."""

from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from headway.domain.errors import IdReused, UnknownCourse, UnknownStep
from headway.domain.scores import fraction
from headway.domain.times import format_time
from headway.ledger import by_hand, commit
from headway.ledger.by_hand import NobodyThere
from headway.ledger.effects import Effects
from headway.ledger.erase import erase
from headway.ledger.override import OverrideAsked, override
from headway.ledger.rebuild import rebuild
from headway.store.schema import granted
from tests.domain.manifests import course, module, step
from tests.ledger.essays import ESSAYS, essay, pick
from tests.ledger.facts import begin_anew
from tests.ledger.guests import guest_in, move
from tests.ledger.world import GRADER, HOUR, NOON, World, enrollment, event, numbered, statuses

NOW = NOON + 2 * HOUR


@pytest.fixture(autouse=True)
def _course(world: World) -> None:
    world.publish(ESSAYS)


def said(world: World, learner_id: str, now: int = NOW, dry_run: bool = False, **fields: Any) -> Effects:
    blank = OverrideAsked("essays", learner_id, "pick", 800_000, False, "a typing error", None, str(uuid4()))
    return override(world.database, world.catalog, blank._replace(**fields), now=now, dry_run=dry_run)


def changed(effects: Effects) -> dict[str, tuple[Any, Any]]:
    return {one.field: (one.old, one.new) for one in effects.updates}


def test_a_score_that_a_person_says_counts_where_it_is_higher(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(1, "a"))
    effects = said(world, ada)
    assert (effects.total, effects.updated, effects.kept) == (1, 1, ())
    assert changed(effects) == {"score": (0.0, 0.8), "best_score": (0.0, 0.8), "completed": (False, True)}
    entry = world.entries(ada)[-1]
    assert (entry.type, entry.source) == ("overridden", "server")
    assert '"reason":"a typing error"' in entry.body
    world.assert_clean()


def test_a_lower_one_changes_nothing_and_says_what_would(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(1))
    effects = said(world, ada, score=500_000)
    assert (effects.updated, effects.updates) == (0, ())
    (kept,) = effects.kept
    assert (kept.score, kept.instead, "final" in kept.why) == (1.0, 0.5, True)
    final = said(world, ada, score=500_000, final=True)
    assert (changed(final), final.kept) == ({"score": (1.0, 0.5)}, ())
    # What was completed stays so, and the attempts keep their scores.
    row = world.step_of(ada, "essays", "pick")
    assert (row["best_score"], row["completed_by"]) == (1_000_000, numbered(1))
    # Whoever speaks last is heard: this lifts the one before, whatever the clock says.
    assert changed(said(world, ada, now=NOW - HOUR, score=0)) == {"score": (0.5, 1.0)}
    world.assert_clean()


@pytest.mark.parametrize("final", [False, True])
def test_an_override_of_nothing_lifts_the_one_before(world: World, final: bool) -> None:
    """Also where the policy is the best: what a person says is none of the learner's scores."""
    ada = world.learner()
    world.send(ada, event(1, score=0.2))
    words: Any = {"course_id": "python", "step_id": "loops"}
    assert changed(said(world, ada, score=900_000, final=final, **words))["score"] == (0.2, 0.9)
    lifted = said(world, ada, score=0, **words)
    assert changed(lifted) == {"score": (0.9, 0.2), "best_score": (0.9, 0.2)}
    assert [(one.score, one.instead) for one in lifted.kept] == [(0.2, 0.0)]
    # It was completed by that word, and stays so; that is no completion of the learner's.
    assert world.step_of(ada, "python", "loops")["completed_at"] is not None
    world.assert_clean()


@pytest.mark.parametrize("final", [False, True])
def test_where_the_learner_has_no_score_nothing_is_left_of_a_word_that_was_lifted(world: World, final: bool) -> None:
    ada = world.learner()
    world.send(ada, event(1, "opened"))
    words: Any = {"course_id": "python", "step_id": "loops"}
    said(world, ada, score=500_000, final=final, **words)
    lifted = said(world, ada, score=0, **words)
    assert changed(lifted) == {"score": (0.5, 0.0), "best_score": (0.5, None)}
    world.assert_clean()


def test_a_word_that_lifts_completes_nothing_and_vouches_for_nothing_where_no_score_is_too_low(world: World) -> None:
    free, words = step("free", kind="exercise", pass_mark=0), dict[str, Any](course_id="two", step_id="free")
    asks = module("m", free, step("read", kind="lesson"), complete_by="steps")
    world.publish(course(asks, id="two", title="Two", certificate=True, evidence="graded"))
    ada, ben, cid = world.learner(), world.learner(), world.learner()
    world.send(ada, event(1, "completed", "read", course="two"))
    assert said(world, ada, score=0, **words).updates == ()
    assert changed(said(world, ada, score=0, final=True, **words))["completed"] == (False, True)
    for name, number, score in ((ben, 2, 0), (cid, 4, 1)):
        told = [event(number, "completed", "read", course="two"), event(number + 1, of="free", course="two", score=0)]
        world.send(name, *told)
        issued = changed(said(world, name, score=score, **words)).get("certificate_issued")
        assert issued == ((None, "two") if score else None)
    world.assert_clean()
    world.restart()
    assert rebuild(world.database, world.catalog).updated == 0


@pytest.mark.parametrize("score", [300_000, 900_000])
def test_what_was_completed_without_a_score_is_not_lowered_by_a_word_that_is_not_final(
    world: World, score: int
) -> None:
    hello: Any = {"course_id": "python", "step_id": "hello"}
    ada, ben = world.learner(), world.learner()
    world.send(ada, event(1, "completed", "hello"))
    effects = said(world, ada, score=score, **hello)
    assert (effects.updated, effects.updates) == (0, ())
    assert [(one.score, one.instead) for one in effects.kept] == [(1.0, fraction(score))]
    # Nor where the word was said first; what a word alone completes counts by that word.
    world.send(ben, event(2, "opened", "hello"))
    assert changed(said(world, ben, score=score, **hello))["score"] == (0.0, fraction(score))
    world.send(ben, event(3, "completed", "hello", occurred_at=format_time(NOW + 1)), at=NOW + HOUR)
    said_final = said(world, ben, score=score, final=True, now=NOW + HOUR, **hello)
    assert changed(said_final)["score"] == (1.0, fraction(score))
    assert changed(said(world, ben, score=0, **hello))["score"] == (fraction(score), 1.0)
    world.assert_clean()
    world.restart()
    assert rebuild(world.database, world.catalog).updated == 0


def test_a_word_that_is_not_final_keeps_nobody_from_a_module(world: World) -> None:
    world.publish(course(module("m", step("a", kind="lesson"), step("b", kind="lesson")), id="two", title="Two"))
    ada = world.learner()
    world.send(ada, event(1, "completed", "a", course="two"))
    said(world, ada, course_id="two", step_id="a", score=500_000)
    told = world.send(ada, event(2, "completed", "b", course="two")).changes
    assert "module_completed" in [one["type"] for one in told]
    world.assert_clean()


def test_graded_evidence_counts_no_word_that_was_lifted(world: World) -> None:
    quiz = step("pick", kind="quiz", grader=GRADER)
    world.publish(course(module("m", quiz), id="essays", title="Essays", certificate=True, evidence="graded"))
    ada = world.learner()
    world.send(ada, pick(1, "a"))
    said(world, ada, score=790_000)
    said(world, ada, score=0)
    row = world.step_of(ada, "essays", "pick")
    assert (row["best_score"], row["graded_best"]) == (0, 0)
    said(world, ada, score=800_000)
    assert "certified" in [one["kind"] for one in world.rows(granted, ada)]
    world.assert_clean()


def test_a_waiver_completes_the_step_and_what_hangs_on_it_in_the_same_transaction(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(1))
    effects = said(world, ada, step_id="essay", score=None, reason="was ill")
    assert changed(effects) == {
        "score": (0.0, 1.0),
        "completed": (False, True),
        "module_completed": (None, "first"),
        "module_unlocked": (None, "second"),
    }
    assert len(world.rows(granted, ada)) == 2
    assert all((one.learner, one.run) == (ada, 1) for one in effects.updates)
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


def test_who_is_spared_a_step_of_a_locked_module_does_not_open_it(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(1))
    assert said(world, ada, step_id="sketch", score=500_000).updated == 1
    assert statuses(world.send(ada, essay(2, of="sketch"))) == ["locked"]
    # All of its steps: then nothing is left to be done there, and it is completed.
    assert changed(said(world, ada, step_id="sketch", score=None))["module_completed"] == (None, "second")
    world.assert_clean()


def test_a_dry_run_tells_the_same_and_changes_nothing(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(1))
    before = world.figures(ada), world.entries(ada)
    tried = said(world, ada, step_id="essay", score=None, dry_run=True)
    assert (world.figures(ada), world.entries(ada)) == before
    assert tried == said(world, ada, step_id="essay", score=None)
    assert world.figures(ada) != before[0]


def test_sent_again_under_its_id_it_counts_once(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(1, "a"))
    first = said(world, ada, entry_id=numbered(50))
    again = said(world, ada, entry_id=numbered(50), now=NOW + HOUR)
    assert (first.updated, again.updated, again.unchanged) == (1, 0, 1)
    assert len([one for one in world.entries(ada) if one.type == "overridden"]) == 1
    others: list[dict[str, Any]] = [{"score": 900_000}, {"reason": "?"}, {"final": True}, {"score": None}]
    for other in (*others, {"step_id": "essay"}):
        with pytest.raises(IdReused):
            said(world, ada, **({"entry_id": numbered(50)} | other))


def test_its_id_stands_for_one_course_alone(world: World) -> None:
    """Steps of the same key in two courses: what was said in one is no repeat of what is said in the other."""
    ada = world.learner()
    world.send(ada, event(1, "completed", "hello"), event(2, "completed", "hello", course="go"))
    said(world, ada, course_id="python", step_id="hello", entry_id=numbered(50))
    with pytest.raises(IdReused):
        said(world, ada, course_id="go", step_id="hello", entry_id=numbered(50))


def test_a_lost_answer_to_commit_is_found_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = world.learner()
    world.send(ada, pick(1))
    real = commit.committed

    def twice(database: Any, work: Any) -> Any:
        real(database, work)
        return real(database, work)

    monkeypatch.setattr(by_hand, "committed", twice)
    effects = said(world, ada, step_id="essay", score=None)
    assert "module_completed" in changed(effects)
    assert len([one for one in world.entries(ada) if one.type == "overridden"]) == 1
    world.assert_clean()


def test_lifting_a_final_word_brings_the_certificate_that_it_held_back(world: World) -> None:
    """The step counts as before; by graded evidence alone it counts more."""
    quiz = step("pick", kind="quiz", grader=GRADER)
    asks = module("first", quiz, step("code", kind="exercise"), policies={"quiz": "latest"}, pass_mark=50)
    asks["weights"] = {"quiz": 50, "assignment": 50}
    world.publish(course(asks, id="essays", title="Essays", certificate=True, evidence="graded"))
    ada = world.learner()
    world.send(ada, pick(1, "a", occurred_at=format_time(NOON + 1)), at=NOW)
    said(world, ada, score=0, final=True)
    # It came late: the latest is still the one before.
    world.send(ada, pick(2), event(3, of="code", course="essays", score=1), at=NOW + 1)
    assert [one["kind"] for one in world.rows(granted, ada)] == ["course_completed", "module_completed"]
    assert changed(said(world, ada, score=0, now=NOW + HOUR)) == {"certificate_issued": (None, "essays")}
    world.assert_clean()


def test_it_is_said_of_the_run_that_the_learner_is_in(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(1))
    begin_anew(world, ada, course="essays")
    effects = said(world, ada)
    assert {one.run for one in effects.updates} == {2}
    assert changed(effects)["score"] == (0.0, 0.8)
    world.assert_clean()


def test_nothing_is_said_of_whoever_has_nothing_to_do_with_the_course(world: World) -> None:
    stranger, enrolled, left = world.learner(), world.learner(), world.learner()
    world.send(stranger, event(1))
    world.send(enrolled, enrollment(2, of="essays"))
    world.send(left, enrollment(3, of="essays"), enrollment(4, "left", "essays", at=NOON + HOUR))
    for learner_id in (stranger, left, str(uuid4())):
        with pytest.raises(NobodyThere):
            said(world, learner_id)
    assert said(world, enrolled, score=None).updated == 1
    with pytest.raises(UnknownStep):
        said(world, enrolled, step_id="nowhere")
    with pytest.raises(UnknownCourse):
        said(world, enrolled, course_id="nowhere")
    world.assert_clean()


def test_nothing_is_said_of_whoever_was_erased(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(1, "a"))
    erase(world.database, world.catalog, ada, now=NOW)
    (nobody,) = world.rows_of("learner")
    for learner_id in (ada, nobody["id"]):
        with pytest.raises(NobodyThere):
            said(world, learner_id)
    world.assert_clean()


def test_what_a_word_brings_is_logged_behind_its_commit_and_a_dry_run_logs_nothing(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(1))
    with capture_logs() as dry:
        said(world, ada, step_id="essay", score=None, dry_run=True)
    with capture_logs() as log:
        said(world, ada, step_id="essay", score=None, entry_id=numbered(50))
    found = [(one["module"], one["status"], one["reason"]) for one in log if one["event"] == "status_changed"]
    assert dry == []
    assert found == [("first", "completed", numbered(50)), ("second", "open", numbered(50))]


def test_what_is_said_of_a_guest_comes_along(world: World) -> None:
    ada, guest = world.learner(), guest_in(world, pick(1, "a"))
    said(world, guest.id, score=900_000, entry_id=numbered(50))
    move(world, ada, guest)
    assert numbered(50) in world.step_of(ada, "essays", "pick")["override"]
    # By the guest's id as well: it leads to the account.
    assert changed(said(world, guest.id, score=950_000))["score"] == (0.9, 0.95)
    assert [one.type for one in world.entries(ada)] == ["overridden"]
    world.assert_clean()
