"""Grades beside each other, beside new attempts, moves and erasures; a regrade beside all that goes on."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from headway.domain.errors import IdentityGone
from headway.domain.overrides import Override
from headway.ledger.by_hand import NobodyThere
from headway.ledger.erase import erase
from headway.ledger.grade import GradeAsked, GradeGiven, give_grade
from headway.ledger.override import OverrideAsked, override
from headway.ledger.rebuild import rebuild
from headway.ledger.regrade import RegradeAsked, regrade
from headway.ledger.submission import Submission
from headway.store.schema import attempt_grade
from tests.domain.manifests import course, module, step
from tests.ledger.at_once import at_once
from tests.ledger.essays import ESSAYS, SECOND, essay, pick
from tests.ledger.guests import Guest, guest_in, move
from tests.ledger.world import GRADER, HOUR, NOON, World, numbered, statuses

NOW = NOON + 2 * HOUR
TIMES = 8


@pytest.fixture(autouse=True)
def _course(world: World) -> None:
    world.publish(ESSAYS)


def graded(world: World, learner_id: str, score: int, attempt: int = 1, now: int = NOW, **fields: Any) -> GradeGiven:
    asked = GradeAsked("essays", learner_id, numbered(attempt), score, "", None, str(uuid4()))
    return give_grade(world.database, world.catalog, asked._replace(**fields), now=now)


def became(given: GradeGiven) -> str:
    return given.receipt.results[0].status


def test_of_two_graders_at_once_the_higher_stands_and_the_lower_is_told(world: World) -> None:
    for _ in range(TIMES):
        ada = world.learner()
        world.send(ada, essay(1), pick(2))
        high, low = at_once(partial(graded, world, ada, 900_000), partial(graded, world, ada, 500_000))
        assert became(high) == "recorded"
        assert became(low) in ("recorded", "kept")
        row = world.step_of(ada, "essays", "essay")
        assert (row["scores"], row["score_total"], row["unscored"], row["passed_attempts"]) == (1, 900_000, 0, 1)
        assert len([one for one in world.entries(ada) if one.type == "module_completed"]) == 1
        # Whichever came last, the one that was told that it stands does.
        assert [one["score"] for one in world.rows(attempt_grade, ada)] == [900_000]
    assert rebuild(world.database, world.catalog).updated == 0
    world.assert_clean()


def test_one_grade_that_is_sent_twice_at_once_counts_once(world: World) -> None:
    for _ in range(TIMES):
        ada, grade_id = world.learner(), str(uuid4())
        world.send(ada, essay(1))
        # Two servers, whose clocks differ.
        told = at_once(
            partial(graded, world, ada, 900_000, entry_id=grade_id),
            partial(graded, world, ada, 900_000, entry_id=grade_id, now=NOW + 1),
        )
        assert sorted(map(became, told)) == ["duplicate", "recorded"]
        assert [one.type for one in world.entries(ada)] == ["attempted", "graded"]
    world.assert_clean()


def test_grades_overrides_and_new_attempts_at_once_lose_nothing(world: World) -> None:
    for _ in range(TIMES):
        ada = world.learner()
        world.send(ada, essay(1), essay(2))
        word = OverrideAsked("essays", ada, "pick", 900_000, False, "A reason.", None, str(uuid4()))
        sent = essay(3), pick(4, "a")
        first, second, told, receipt = at_once(
            partial(graded, world, ada, 600_000),
            partial(graded, world, ada, 900_000, attempt=2),
            partial(override, world.database, world.catalog, word, now=NOW),
            partial(world.send, ada, *sent, at=NOW),
        )
        assert (became(first), became(second), told.updated) == ("recorded", "recorded", 1)
        assert statuses(receipt) == ["recorded"] * 2
        row = world.step_of(ada, "essays", "essay")
        assert (row["attempts"], row["scores"], row["score_total"], row["unscored"]) == (3, 2, 1_500_000, 1)
        assert len([one for one in world.entries(ada) if one.type == "module_completed"]) == 1
        picked = world.step_of(ada, "essays", "pick")
        assert (picked["graded_best"], Override(*json.loads(picked["override"])[:5]).score) == (0, 900_000)
    assert rebuild(world.database, world.catalog).updated == 0
    world.assert_clean()


def test_a_grade_beside_a_move_reaches_the_attempt_wherever_it_is(world: World) -> None:
    for n in range(TIMES):
        ada, guest = world.learner(), guest_in(world, essay(1), pick(2))
        whom = (guest.id, ada)[n % 2]
        given, merged = at_once(
            partial(tried, partial(graded, world, whom, 900_000)),
            partial(move, world, ada, guest, now=NOW),
        )
        assert merged is not None
        if isinstance(given, NobodyThere):
            # It was the guest's still.
            assert whom == ada
            given = graded(world, ada, 900_000)
        assert became(given) == "recorded"
        row = world.step_of(ada, "essays", "essay")
        assert (row["attempts"], row["score_total"], row["unscored"]) == (1, 900_000, 0)
        assert [one["score"] for one in world.rows(attempt_grade, ada)] == [900_000]
        assert world.rows(attempt_grade, guest.id) == []
    assert rebuild(world.database, world.catalog).updated == 0
    world.assert_clean()


def tried(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except (NobodyThere, IdentityGone) as refusal:
        return refusal


def test_a_grade_beside_the_erasure_of_its_learner_leaves_nothing(world: World) -> None:
    for _ in range(TIMES):
        ada = world.learner()
        world.send(ada, essay(1))
        given, _ = at_once(
            partial(tried, partial(graded, world, ada, 900_000, feedback="zwitscher")),
            partial(erase, world.database, world.catalog, ada, now=NOW),
        )
        assert isinstance(given, NobodyThere) or became(given) == "recorded"
    assert world.rows_of("attempt_grade") == []
    assert "zwitscher" not in str(world.rows_of("ledger"))
    world.assert_clean()


def test_a_grader_who_is_erased_meanwhile_leaves_no_pseudonym(world: World) -> None:
    for _ in range(TIMES):
        teacher, ada = world.learner(), world.learner()
        world.send(ada, essay(1))
        given, _ = at_once(
            partial(tried, partial(graded, world, ada, 900_000, by=teacher)),
            partial(erase, world.database, world.catalog, teacher, now=NOW),
        )
        assert isinstance(given, IdentityGone) or became(given) == "recorded"
    assert world.rows_of("pseudonym") == []
    world.assert_clean()


def test_first_words_of_two_graders_to_each_other_beside_their_own_work_end(world: World) -> None:
    """Each holds a learner and is another's grader: nobody waits for who waits for them."""
    for _ in range(TIMES):
        ada, ben = world.learner(), world.learner()
        for one in (ada, ben):
            world.send(one, essay(1))
        given = at_once(
            partial(graded, world, ada, 900_000, by=ben),
            partial(graded, world, ben, 900_000, by=ada),
            partial(world.submit, *(Submission(one, (pick(2),), NOW) for one in sorted((ada, ben)))),
        )
        assert [became(one) for one in given[:2]] == ["recorded", "recorded"]
    assert len(world.rows_of("pseudonym")) == 2 * TIMES
    world.assert_clean()


def test_a_regrade_beside_recording_moves_and_grades_judges_everybody_once(world: World) -> None:
    guests: list[Guest] = [guest_in(world, pick(100 + n, "a")) for n in range(6)]
    learners = [world.learner() for _ in range(6)]
    for n, one in enumerate(learners):
        world.send(one, pick(n, "a"), essay(200 + n))
    other = step("pick", kind="quiz", grader=GRADER | {"answer": "a"})
    paper = step("essay", kind="assignment", grader={"type": "manual"})
    world.publish(course(module("first", paper, other), SECOND, id="essays", title="Essays"))
    asked = RegradeAsked("essays", "pick", "The key was wrong.", None)

    def judge() -> Any:
        return regrade(world.database, world.catalog, asked, now=lambda: NOW)

    def go_on() -> None:
        for n, (one, guest) in enumerate(zip(learners, guests, strict=True)):
            world.send(one, pick(300 + n, "a"), at=NOW)
            move(world, one, guest, now=NOW)
            graded(world, one, 900_000, attempt=200 + n)

    at_once(judge, judge, go_on)
    for one in learners:
        row = world.step_of(one, "essays", "pick")
        assert (row["attempts"], row["score_total"], row["passed_attempts"]) == (3, 3_000_000, 3)
        types = [entry.type for entry in world.entries(one)]
        assert types.count("module_completed") == 1
    assert judge().updated == 0
    assert rebuild(world.database, world.catalog).updated == 0
    world.assert_clean()
