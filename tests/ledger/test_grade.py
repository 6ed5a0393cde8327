"""Grading by hand: what waits is given a score, once, in the transaction that grants what follows; it never sinks."""

from typing import Any
from uuid import uuid4

import pytest

from headway.domain.errors import GradedStep, IdentityGone, IdReused, Invalid, UnknownStep
from headway.ledger import by_hand, commit
from headway.ledger.by_hand import NobodyThere, check_text
from headway.ledger.erase import erase
from headway.ledger.grade import GradeAsked, GradeGiven, give_grade
from headway.ledger.rebuild import rebuild
from headway.store import grades, pseudonyms
from headway.store.schema import attempt_grade, granted
from tests.domain.manifests import course, module, step
from tests.ledger.essays import ESSAYS, SECOND, essay, pick
from tests.ledger.facts import begin_anew
from tests.ledger.guests import LATER, guest_in, move
from tests.ledger.world import HOUR, NOON, World, numbered, statuses

NOW = NOON + 2 * HOUR


@pytest.fixture(autouse=True)
def _course(world: World) -> None:
    world.publish(ESSAYS)


def asked(learner_id: str, score: int = 800_000, **fields: Any) -> GradeAsked:
    blank = GradeAsked("essays", learner_id, numbered(1), score, "", None, str(uuid4()))
    return blank._replace(**fields)


def graded(world: World, learner_id: str, score: int = 800_000, now: int = NOW, **fields: Any) -> GradeGiven:
    return give_grade(world.database, world.catalog, asked(learner_id, score, **fields), now=now)


def result(given: GradeGiven) -> tuple[str, str, float | None, int]:
    """What became of a grade, and how the step stands."""
    (standing,) = given.receipt.steps
    return given.receipt.results[0].status, standing.status, standing.sum.best, standing.sum.unscored


def test_what_waits_is_submitted_until_it_is_graded(world: World) -> None:
    ada = world.learner()
    receipt = world.send(ada, essay(1))
    assert statuses(receipt) == ["recorded"]
    assert (receipt.results[0].score, receipt.steps[0].status, receipt.steps[0].sum.attempts) == (None, "submitted", 1)
    given = graded(world, ada, 500_000, feedback="Which locks?")
    assert result(given) == ("recorded", "in_progress", 500_000, 0)
    assert given.receipt.changes == [
        {
            "type": "step_graded",
            "course": "essays",
            "step": "essay",
            "score": 0.5,
            "attempt": numbered(1),
            "feedback": "Which locks?",
        }
    ]
    world.assert_clean()


def test_a_grade_that_passes_completes_the_step_at_the_attempt_and_the_module_by_the_grade(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(2), essay(1))
    assert world.rows(granted, ada) == []
    given = graded(world, ada, 900_000)
    assert [one["type"] for one in given.receipt.changes] == [
        *("step_graded", "step_completed", "module_completed", "module_unlocked"),
    ]
    row = next(one for one in world.rows_of("step_sum") if one["step_id"] == "essay")
    assert (row["completed_at"], row["completed_by"], row["graded_best"]) == (NOON, numbered(1), 900_000)
    world.send(ada, essay(3, of="sketch"))
    last = graded(world, ada, 1_000_000, attempt_id=numbered(3))
    assert "certificate_issued" in [one["type"] for one in last.receipt.changes]
    world.assert_clean()


def test_who_gave_it_and_what_was_said_stands_in_the_entry(world: World) -> None:
    ada, teacher = world.learner(), world.learner()
    world.send(ada, essay(1))
    graded(world, ada, feedback="Good.", entry_id=numbered(50), by=teacher)
    (name,) = [one["id"] for one in world.rows_of("pseudonym")]
    assert teacher not in str(world.entries(ada))
    entry = world.entries(ada)[-1]
    assert (entry.event_id, entry.type, entry.source, entry.trust) == (numbered(50), "graded", "server", "graded")
    assert all(said in entry.body for said in (f'"by":"{name}"', '"feedback":"Good."', '"waited":true'))
    assert world.rows(attempt_grade, ada)[0]["graded_by"] == numbered(50)


def test_a_lower_grade_is_kept_out(world: World) -> None:
    ada = world.learner()
    world.send(ada, essay(1))
    graded(world, ada, 800_000)
    before = world.figures(ada), len(world.entries(ada))
    lower = graded(world, ada, 600_000, feedback="On second thoughts")
    assert result(lower) == ("kept", "completed", 800_000, 0)
    assert lower.had == 800_000
    assert (world.figures(ada), len(world.entries(ada))) == before
    higher = graded(world, ada, 950_000)
    assert (result(higher), higher.had) == (("recorded", "completed", 950_000, 0), None)
    row = next(one for one in world.rows_of("step_sum") if one["step_id"] == "essay")
    assert (row["scores"], row["score_total"], row["latest_score"]) == (1, 950_000, 950_000)
    world.assert_clean()


def test_the_same_grade_again_changes_nothing_unless_more_is_said(world: World) -> None:
    ada = world.learner()
    world.send(ada, essay(1))
    graded(world, ada, 800_000, feedback="Good.")
    assert result(graded(world, ada, 800_000, feedback="Good."))[0] == "duplicate"
    assert len(world.entries(ada)) == 2
    assert result(graded(world, ada, 800_000, feedback="Very good.", now=NOW - HOUR))[0] == "recorded"
    # Whatever the clocks say, what was said last stands.
    last = world.rows(attempt_grade, ada)[0]
    assert last["graded_by"] == world.entries(ada)[-1].event_id
    world.assert_clean()


def test_a_grade_sent_again_under_its_id_counts_once(world: World) -> None:
    ada = world.learner()
    world.send(ada, essay(1))
    first = graded(world, ada, entry_id=numbered(50))
    graded(world, ada, 900_000)
    again = graded(world, ada, entry_id=numbered(50), now=NOW + HOUR)
    assert (result(first)[0], result(again)[0]) == ("recorded", "duplicate")
    assert len(world.entries(ada)) == 3
    others: list[dict[str, Any]] = [{"score": 700_000}, {"feedback": "?"}, {"entry_id": numbered(1)}]
    for other in others:
        with pytest.raises(IdReused):
            graded(world, ada, **({"entry_id": numbered(50)} | other))
    assert len(world.entries(ada)) == 3


def test_a_lost_answer_to_commit_is_found_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = world.learner()
    world.send(ada, pick(2), essay(1))
    real = commit.committed

    def twice(database: Any, work: Any) -> Any:
        real(database, work)
        return real(database, work)

    monkeypatch.setattr(by_hand, "committed", twice)
    given = graded(world, ada, 900_000)
    assert result(given)[0] == "recorded"
    kinds = [one["type"] for one in given.receipt.changes]
    assert (kinds[0], kinds[-1]) == ("step_graded", "module_unlocked")
    assert len([one for one in world.entries(ada) if one.type == "graded"]) == 1
    world.assert_clean()


def test_what_is_not_there_is_not_graded(world: World) -> None:
    ada, ben = world.learner(), world.learner()
    world.send(ada, essay(1), essay(3, kind="opened", response=None))
    world.send(ben, essay(2))
    missing: list[dict[str, Any]] = [{"attempt_id": numbered(2)}, {"attempt_id": numbered(3)}, {"course_id": "python"}]
    for fields in (*missing, {"attempt_id": numbered(9)}):
        with pytest.raises(NobodyThere):
            graded(world, ada, **fields)
    for learner_id in (str(uuid4()), ben):
        with pytest.raises(NobodyThere):
            graded(world, learner_id)
    assert world.count("ledger") == 3


def test_what_the_server_grades_no_person_does(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(1, "a"), essay(3, of="pick", response=None, type="opened"))
    with pytest.raises(GradedStep):
        graded(world, ada)
    with pytest.raises(NobodyThere):
        graded(world, ada, attempt_id=numbered(3))


def test_what_waited_under_one_version_is_graded_under_the_next_and_not_once_its_step_is_gone(world: World) -> None:
    ada = world.learner()
    world.send(ada, essay(1))
    renamed = step("paper", grader={"type": "manual"}, renamed_from=["essay"], topics=["races"])
    world.publish(course(module("first", renamed), SECOND, id="essays", title="Essays"))
    given = graded(world, ada)
    assert (given.receipt.steps[0].name, given.receipt.changes[0]["step"]) == ("paper", "paper")
    topics = {
        row["topic"]: (row["attempts"], row["passed_attempts"], row["points"]) for row in world.rows_of("topic_sum")
    }
    # What was tried was about locks; what is completed counts for races, as the version in force has it.
    assert topics == {"locks": (1, 1, 0), "races": (0, 0, 10)}
    world.publish(course(SECOND, id="essays", title="Essays"))
    with pytest.raises(UnknownStep):
        graded(world, ada, 900_000)
    world.assert_clean()


def test_the_same_grade_passes_by_a_mark_that_was_lowered(world: World) -> None:
    ada = world.learner()
    world.send(ada, essay(1))
    assert result(graded(world, ada, 600_000))[:2] == ("recorded", "in_progress")
    for mark, expected in ((61, "duplicate"), (60, "recorded"), (50, "duplicate")):
        easier = step("essay", grader={"type": "manual"}, pass_mark=mark)
        world.publish(course(module("first", easier), SECOND, id="essays", title="Essays"))
        assert result(graded(world, ada, 600_000))[0] == expected
    row = world.step_of(ada, "essays", "essay")
    assert (row["passed_attempts"], row["scores"], row["score_total"], row["completed_at"]) == (1, 1, 600_000, NOON)
    world.assert_clean()
    world.publish(course(SECOND, id="essays", title="Essays"))
    assert result(graded(world, ada, 600_000))[0] == "duplicate"


def test_a_pass_stays_one_however_the_mark_is_raised(world: World) -> None:
    ada = world.learner()
    world.send(ada, essay(1))
    graded(world, ada, 750_000)
    strict = step("essay", grader={"type": "manual"}, pass_mark=95)
    world.publish(course(module("first", strict), SECOND, id="essays", title="Essays"))
    graded(world, ada, 900_000)
    row = next(one for one in world.rows_of("step_sum") if one["step_id"] == "essay")
    assert (row["passed_attempts"], row["completed_at"], row["score_total"]) == (1, NOON, 900_000)
    world.assert_clean()


def test_guests_are_graded_and_take_it_along(world: World) -> None:
    ada, guest = world.learner(), guest_in(world, essay(1))
    graded(world, guest.id, 500_000)
    move(world, ada, guest)
    (row,) = world.rows(attempt_grade, ada)
    assert (row["attempt_id"], row["score"], row["waited"]) == (numbered(1), 500_000, True)
    assert world.rows(attempt_grade, guest.id) == []
    for learner_id in (guest.id, ada):
        given = graded(world, learner_id, 600_000 + (learner_id == ada))
        assert (given.learner_id, given.receipt.results[0].status) == (ada, "recorded")
    assert [one.type for one in world.entries(ada)] == ["graded", "graded"]
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


def test_an_attempt_that_guest_and_account_both_sent_is_graded_once(world: World) -> None:
    ada, guest = world.learner(), guest_in(world, essay(1))
    world.send(ada, essay(1))
    graded(world, guest.id, 800_000)
    graded(world, ada, 700_000)
    move(world, ada, guest, now=LATER)
    row = next(one for one in world.rows(attempt_grade, ada))
    # The better of both.
    assert (row["score"], len(world.rows(attempt_grade, ada))) == (800_000, 1)
    figures = world.step_of(ada, "essays", "essay")
    assert (figures["unscored"], figures["scores"], figures["score_total"]) == (0, 1, 800_000)
    assert graded(world, ada, 900_000).receipt.results[0].status == "recorded"
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


def test_a_guests_grade_reaches_the_accounts_own_copy_that_waits(world: World) -> None:
    ada, guest = world.learner(), guest_in(world, essay(1))
    world.send(ada, essay(1))
    graded(world, guest.id, 800_000)
    move(world, ada, guest, now=LATER)
    figures = world.step_of(ada, "essays", "essay")
    assert (figures["unscored"], figures["scores"], figures["best_score"]) == (0, 1, 800_000)
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


@pytest.mark.parametrize(
    ("of_account", "of_guest", "best", "passed"),
    [
        ([500_000], [900_000], 900_000, 1),
        ([900_000], [500_000], 900_000, 1),
        ([700_000], [600_000, 950_000], 950_000, 1),
        ([300_000], [500_000], 500_000, 0),
    ],
)
def test_of_an_attempt_that_guest_and_account_both_sent_and_had_graded_the_better_grade_stays(
    world: World, of_account: list[int], of_guest: list[int], best: int, passed: int
) -> None:
    ada, guest = world.learner(), guest_in(world, essay(1))
    world.send(ada, essay(1), essay(2))
    for who, scores in ((ada, of_account), (guest.id, of_guest)):
        for score in scores:
            graded(world, who, score)
    move(world, ada, guest, now=LATER)
    row = world.step_of(ada, "essays", "essay")
    found = (row["best_score"], row["latest_score"], row["score_total"], row["scores"], row["passed_attempts"])
    assert found == (best, best, best, 1, passed)
    assert (row["attempts"], row["unscored"], row["completed_at"] is not None) == (2, 1, bool(passed))
    assert [one["score"] for one in world.rows(attempt_grade, ada) if one["score"] is not None] == [best]
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


def test_what_was_handed_in_in_a_former_run_is_graded_there(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(2), essay(1))
    begin_anew(world, ada, course="essays")
    given = graded(world, ada, 900_000, now=NOW + HOUR)
    assert (given.receipt.steps[0].key.run, given.receipt.changes[-1]["type"]) == (1, "module_unlocked")
    assert {one["run"] for one in world.rows(granted, ada)} == {1}
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


@pytest.mark.parametrize("sent", ["", "  ", "x" * 11, "a\0b", "a\x1bb", "a\ud800b", "\x9b"])
def test_what_cannot_be_shown_or_is_too_long_is_no_text(sent: str) -> None:
    with pytest.raises(Invalid):
        check_text(sent, "reason", 10)


def test_a_text_is_kept_as_it_was_written_but_for_its_ends() -> None:
    assert check_text(" Zeile\n\tzwei ", "reason", 20) == "Zeile\n\tzwei"
    assert check_text(" ", "feedback", 20, may_be_empty=True) == ""


def test_rebuild_gives_grades_again(world: World) -> None:
    ada = world.learner()
    world.send(ada, essay(1), essay(2), pick(3))
    graded(world, ada, 500_000)
    graded(world, ada, 900_000)
    before = world.figures(ada)
    for table in ("attempt_grade", "step_sum", "day_sum", "topic_sum"):
        world.run(f"DELETE FROM {table} WHERE learner_id = :id", id=ada)
    assert rebuild(world.database, world.catalog, learner_id=ada).updated == 1
    assert world.figures(ada) == before
    world.assert_clean()


def test_an_erased_learner_waits_for_nobody(world: World) -> None:
    ada = world.learner()
    world.send(ada, essay(1), essay(2))
    graded(world, ada, 900_000, feedback="zwitscher")
    erase(world.database, world.catalog, ada, now=NOW + HOUR)
    (nobody,) = world.rows_of("learner")
    figures = world.step_of(nobody["id"], "essays", "essay")
    assert (figures["attempts"], figures["unscored"], figures["best_score"]) == (2, 0, 900_000)
    assert world.rows_of("attempt_grade") == []
    world.assert_clean()


def test_a_pseudonym_is_an_accounts_own_and_goes_with_it(world: World) -> None:
    teacher, other = world.learner(display_name="Ada Teach"), world.learner()
    ben = world.learner()
    world.send(ben, essay(1), essay(2))
    for score, by in ((600_000, teacher), (700_000, teacher), (800_000, other), (900_000, None)):
        graded(world, ben, score, by=by)
    names = {one["learner_id"]: one["id"] for one in world.rows_of("pseudonym")}
    assert names.keys() == {teacher, other}
    assert not {teacher, other} & set(names.values())
    assert len(set(names.values())) == 2
    name = names[teacher]
    with world.database.read() as connection:
        assert pseudonyms.names(connection, [name]) == {name: (teacher, "Ada Teach")}
    ledger = world.entries(ben)
    erase(world.database, world.catalog, teacher, now=NOW)
    with world.database.read() as connection:
        assert pseudonyms.names(connection, [name]) == {}
        found = grades.entries_by_id(connection, ben, [numbered(1)])
    assert world.entries(ben) == ledger
    assert list(found) == [numbered(1)]
    with pytest.raises(IdentityGone):
        graded(world, ben, attempt_id=numbered(2), by=teacher)
    assert world.entries(ben) == ledger
    world.assert_clean()


def test_a_grade_that_is_refused_leaves_not_even_a_pseudonym(world: World) -> None:
    ada, teacher = world.learner(), world.learner()
    world.send(ada, essay(1))
    with pytest.raises(NobodyThere):
        graded(world, ada, attempt_id=numbered(9), by=teacher)
    graded(world, ada, 900_000)
    assert result(graded(world, ada, by=teacher))[0] == "kept"
    assert world.rows_of("pseudonym") == []


def test_whoever_is_gone_is_graded_no_more(world: World) -> None:
    ada = world.learner()
    world.send(ada, essay(1))
    erase(world.database, world.catalog, ada, now=NOW)
    with pytest.raises(NobodyThere):
        graded(world, ada)


def test_no_other_score_is_a_persons_to_give(world: World) -> None:
    ada = world.learner()
    world.send(ada, pick(1, "a"))
    world.run(
        "INSERT INTO attempt_grade (learner_id, attempt_id, course_id, run, step_id, at, waited)"
        " VALUES (:id, :attempt, 'essays', 1, 'pick', 0, false)",
        id=ada,
        attempt=numbered(1),
    )
    with pytest.raises(GradedStep):
        graded(world, ada)
