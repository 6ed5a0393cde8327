"""Recording: each event counts once, or is refused by itself with the reason."""

import pytest

from headway.domain.events import enrollment_event
from headway.domain.times import format_time
from headway.ledger.rebuild import rebuild
from headway.ledger.submission import AHEAD_FLAG, Receipt, Submission
from headway.store.schema import enrollment as enrollment_table
from tests.ledger.world import HOUR, NOON, World, enrollment, event, numbered, statuses


def test_an_event_is_recorded_and_its_step_and_changes_are_told(world: World) -> None:
    ada = world.learner()
    receipt = world.send(ada, event(1, score=0.9, duration_s=60, hints=1))
    (result,) = receipt.results
    assert (result.id, result.status, result.score, result.passed) == (numbered(1), "recorded", 900_000, True)
    (touched,) = receipt.steps
    assert (touched.key, touched.name) == (("python", 1, "loops"), "loops")
    assert (touched.sum.attempts, touched.sum.best, touched.sum.duration_ms) == (1, 900_000, 60_000)
    assert receipt.changes == [
        {"type": "step_completed", "course": "python", "step": "loops", "completed_at": format_time(NOON)},
        {"type": "streak_extended", "current": 1, "day": "2026-03-01"},
    ]
    assert world.step(ada)["completed_on"] == "2026-03-01"
    world.assert_clean()


def test_the_same_event_twice_in_one_request_counts_once(world: World) -> None:
    ada = world.learner()
    assert statuses(world.send(ada, event(1, score=0.5), event(1, score=0.5))) == ["recorded", "duplicate"]
    assert world.step(ada)["attempts"] == 1
    world.assert_clean()


def test_the_same_event_in_two_requests_counts_once_and_brings_about_nothing_more(world: World) -> None:
    ada = world.learner()
    first = world.send(ada, event(1, score=0.9))
    figures = world.figures(ada)
    again = world.send(ada, event(1, score=0.9), at=NOON + 2 * HOUR)
    assert (statuses(first), statuses(again)) == (["recorded"], ["duplicate"])
    assert (again.results[0].score, again.results[0].passed) == (900_000, True)
    assert (len(first.changes), again.changes) == (2, [])
    assert again.steps == first.steps
    assert world.figures(ada) == figures


def test_two_requests_of_one_transaction_with_the_same_event_count_it_once(world: World) -> None:
    ada = world.learner()
    # The first came before the event happened by its clock, the second after: what is counted is the first.
    ahead = event(1, score=0.9, occurred_at=format_time(NOON + HOUR))
    answers = world.submit(Submission(ada, (ahead,), NOON), Submission(ada, (ahead,), NOON + 2 * HOUR))
    assert [statuses(one) for one in answers if isinstance(one, Receipt)] == [["recorded"], ["duplicate"]]
    assert world.step(ada)["updated_at"] == NOON
    world.assert_clean()


def test_the_order_of_keys_is_no_other_content(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, score={"raw": 1, "max": 2}, response={"a": 1, "b": 2}))
    again = world.send(ada, event(1, response={"b": 2, "a": 1}, score={"max": 2, "raw": 1}), at=NOON)
    assert statuses(again) == ["duplicate"]


def test_the_same_id_with_other_content_is_refused(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=0.5))
    figures = world.figures(ada)
    assert statuses(world.send(ada, event(1, score=0.9))) == ["id-reused"]
    assert statuses(world.send(ada, event(1, of="quiz", score=0.5))) == ["id-reused"]
    assert world.figures(ada) == figures
    assert len(world.entries(ada)) == 1


@pytest.mark.parametrize("at_first", [0, 1])
def test_of_one_id_with_two_contents_in_one_request_the_earlier_is_taken_as_it_is(world: World, at_first: int) -> None:
    ada = world.learner()
    events = [event(1, score=0.2), event(1, score=0.8, occurred_at=format_time(NOON + 1))]
    receipt = world.send(ada, events[at_first], events[1 - at_first])
    assert sorted(statuses(receipt)) == ["id-reused", "recorded"]
    assert statuses(receipt)[at_first] == "recorded"
    assert world.step(ada)["best_score"] == 200_000
    world.assert_clean()


def test_of_one_id_with_two_contents_in_one_transaction_the_first_is_taken_as_it_is(world: World) -> None:
    ada = world.learner()
    submissions = [Submission(ada, (event(1, score=score),), NOON + HOUR) for score in (0.2, 0.8)]
    answers = world.submit(*submissions)
    assert [statuses(one) for one in answers if isinstance(one, Receipt)] == [["recorded"], ["id-reused"]]
    assert world.step(ada)["best_score"] == 200_000
    world.assert_clean()


def test_one_id_may_be_two_learners(world: World) -> None:
    ada, ben = world.learner(), world.learner()
    assert statuses(world.send(ada, event(1, score=0.5))) == ["recorded"]
    assert statuses(world.send(ben, event(1, score=0.9))) == ["recorded"]
    assert (world.step(ada)["best_score"], world.step(ben)["best_score"]) == (500_000, 900_000)


def test_a_bad_event_refuses_itself_alone(world: World) -> None:
    ada = world.learner()
    receipt = world.send(
        ada,
        event(1, score=0.5),
        event(2, of="nowhere"),
        event(3, of="hello", kind="completed"),
        event(4, course="rust"),
        event(5, of="graded", kind="completed"),
        event(6, of="graded", score=1),
        event(7, of="graded"),
        event(8, of="graded", response="c"),
        event(9, of="graded", response="b"),
    )
    assert statuses(receipt) == [
        *("recorded", "unknown-step", "recorded", "unknown-course"),
        *("graded-step", "graded-step", "invalid", "invalid", "recorded"),
    ]
    assert all(result.problem and result.problem.field for result in receipt.results if result.status == "refused")
    assert [entry.event_id for entry in world.entries(ada)] == [numbered(n) for n in (1, 3, 9)]
    assert {touched.name for touched in receipt.steps} == {"loops", "hello", "graded"}
    world.assert_clean()


def test_what_was_refused_may_be_sent_again_when_it_fits(world: World) -> None:
    ada = world.learner()
    assert statuses(world.send(ada, event(1, of="new", score=1))) == ["unknown-step"]
    step = {"id": "new", "kind": "quiz", "title": "New"}
    world.publish({"id": "python", "title": "P", "modules": [{"id": "first", "title": "F", "steps": [step]}]})
    assert statuses(world.send(ada, event(1, of="new", score=1))) == ["recorded"]


def test_an_answer_is_graded_by_the_server_and_vouched_for(world: World) -> None:
    ada = world.learner()
    right, wrong, open_ = (
        event(1, of="graded", response="b"),
        event(2, of="graded", response="a"),
        event(3, of="graded", kind="opened"),
    )
    receipt = world.send(ada, right, wrong, open_)
    assert [(one.score, one.passed) for one in receipt.results] == [(1_000_000, True), (0, False), (None, False)]
    assert [entry.trust for entry in world.entries(ada)] == ["graded", "graded", "reported"]


def test_a_request_with_nothing_to_record_leaves_nothing(world: World) -> None:
    ada = world.learner()
    receipt = world.send(ada, event(1, course="rust"), event(2, of="nowhere"))
    assert (receipt.steps, receipt.changes) == ([], [])
    assert world.send(ada) == Receipt([], [], [])
    assert (world.entries(ada), world.count("step_sum"), world.count("day_sum")) == ([], 0, 0)


def test_results_keep_the_order_of_the_request_and_changes_that_of_time(world: World) -> None:
    ada = world.learner()
    late, early = event(1, score=1, occurred_at=format_time(NOON)), event(2, kind="completed", of="hello")
    early = early._replace(occurred_at=NOON - 26 * HOUR)
    receipt = world.send(ada, late, early)
    assert [result.id for result in receipt.results] == [numbered(1), numbered(2)]
    completed = [change["step"] for change in receipt.changes if change["type"] == "step_completed"]
    assert completed == ["hello", "loops"]
    assert [entry.event_id for entry in world.entries(ada)] == [numbered(2), numbered(1)]


def test_a_clock_ahead_is_taken_as_now_and_flagged(world: World) -> None:
    ada = world.learner()
    ahead = event(1, score=1, occurred_at=format_time(NOON + 24 * HOUR))
    receipt = world.send(ada, ahead, event(2), at=NOON)
    assert [result.flags for result in receipt.results] == [(AHEAD_FLAG,), ()]
    assert world.step(ada)["latest_at"] == NOON
    assert world.send(ada, ahead, at=NOON).results[0].flags == (AHEAD_FLAG,)


def test_enrolling_twice_is_one_enrollment_and_leaving_ends_it(world: World) -> None:
    ada = world.learner()
    assert world.send(ada, enrollment(1)).changes == [{"type": "enrolled", "course": "python"}]
    assert world.send(ada, enrollment(2, at=NOON + 1)).changes == []
    assert world.send(ada, enrollment(3, "left", at=NOON + 2)).changes == [{"type": "left", "course": "python"}]
    assert world.send(ada, enrollment(4, "left", "rust")).changes == []
    (row,) = world.rows(enrollment_table, ada)
    assert (row["enrolled"], row["changed_by"], row["first_enrolled_at"]) == (False, numbered(3), NOON)
    world.assert_clean()


def test_a_server_whose_clock_is_behind_ends_what_another_began(world: World) -> None:
    ada = world.learner()
    enrolled, left, again = (
        enrollment_event(numbered(number), kind, "python")
        for number, kind in ((3, "enrolled"), (2, "left"), (1, "enrolled"))
    )
    assert world.send(ada, enrolled, at=NOON).changes == [{"type": "enrolled", "course": "python"}]
    assert world.send(ada, left, at=NOON - HOUR).changes == [{"type": "left", "course": "python"}]
    assert world.send(ada, again, at=NOON - HOUR).changes == [{"type": "enrolled", "course": "python"}]
    assert [entry.at for entry in world.entries(ada)] == [NOON, NOON + 1, NOON + 2]
    world.assert_clean()
    (answer,) = world.submit(Submission(ada, (left,), NOON - HOUR))
    assert isinstance(answer, Receipt)
    assert (statuses(answer), answer.changes) == (["recorded"], [{"type": "left", "course": "python"}])
    # Who says when it happened is believed, however late that is told.
    world.send(ada, enrollment(4, "left", at=NOON - HOUR))
    (row,) = world.rows(enrollment_table, ada)
    assert (row["enrolled"], row["changed_at"], row["first_enrolled_at"]) == (True, NOON + 2, NOON)
    world.run("UPDATE enrollment SET changed_at = 1, enrolled = false")
    rebuild(world.database, world.catalog)
    assert world.rows(enrollment_table, ada) == [row]
    world.assert_clean()


def test_an_enrollment_that_comes_late_is_overruled_by_what_came_after_it(world: World) -> None:
    ada = world.learner()
    world.send(ada, enrollment(1, "left", at=NOON))
    assert world.send(ada, enrollment(2, at=NOON - HOUR)).changes == []
    (row,) = world.rows(enrollment_table, ada)
    assert (row["enrolled"], row["first_enrolled_at"]) == (False, NOON - HOUR)
    world.assert_clean()


def test_entries_are_numbered_without_gaps_in_the_order_of_commits(world: World) -> None:
    ada = world.learner()
    for start in (0, 3, 6):
        world.send(ada, *(event(start + n) for n in range(3)))
    assert [entry.seq for entry in world.entries(ada)] == list(range(1, 10))
