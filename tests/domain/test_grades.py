"""Grades given afterwards: an attempt counts as if it had had its score from the start, whatever the order."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.domain.exercises import exercise_of
from headway.domain.facts import Graded, Overridden
from headway.domain.gating import is_begun, is_open
from headway.domain.progress import Contribution, PeriodSum, StepSum
from headway.domain.standing import Standing
from headway.domain.step_status import step_status
from headway.domain.sums import DayKey, StepKey, Sums, TopicKey
from tests.domain.contributions import WORTH, as_rows, folded, histories, worth_of
from tests.domain.manifests import course, module, parsed, step
from tests.domain.test_sums import bytes_of, event

PASS_MARK = 700_000
KEY = StepKey("python", 1, "a")
Story = tuple[list[Contribution], list[Contribution]]


def grade(of: Contribution, number: int, score: int, before: Contribution, version: int = 2) -> Contribution:
    """The entry that gives an attempt a score; `before` is the attempt as it stood, with the score that it had."""
    waited = before.score is None and of.is_graded
    fact = Graded(of.event_id, of.at, of.day, before.score, before.passed, waited, of.topics, "")
    passed = before.passed or score >= PASS_MARK
    blank = Contribution(
        f"{of.event_id}-{number}",
        "graded",
        of.course,
        of.run,
        of.step,
        version,
        10**15,
        "2026-12-31",
        None,
        False,
        0,
        0,
        (),
    )
    return blank._replace(score=score, passed=passed, topics=WORTH[of.step, version].topics, is_graded=True, fact=fact)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A history with grades behind it; and the same as it would be had each attempt had its last score at once."""
    sent = [one for one in draw(histories()) if one.fact is None]
    grades, scored = [], {one.event_id: one for one in sent}
    for one in [one for one in sent if one.type == "attempted"]:
        low = one.score or 0
        for number in range(draw(st.integers(0, 2))):
            low = draw(st.integers(low, 1_000_000))
            before = scored[one.event_id]
            grades.append(grade(one, number, low, before))
            scored[one.event_id] = before._replace(score=low, passed=grades[-1].passed, is_graded=True)
    return [*sent, *grades], [scored[one.event_id] for one in sent]


def comparable(one: StepSum) -> StepSum:
    """A sum without what a grade leaves another trace in: when it was given, by which version, and who vouches."""
    done, first = one.completion and one.completion._replace(version=0), one.first and one.first._replace(version=0)
    return one._replace(updated_at=0, graded_best=None, completion=done, first=first)


@settings(max_examples=80)
@given(stories())
def test_an_attempt_counts_as_if_it_had_had_its_score_at_once(story: Story) -> None:
    graded, at_once = map(folded, story)
    assert {key: comparable(one) for key, one in graded.steps.items()} == {
        key: comparable(one) for key, one in at_once.steps.items()
    }
    for mine, theirs in ((graded.days, at_once.days), (graded.topics, at_once.topics)):
        attempts = [{key: one[:4] for key, one in some.items() if any(one[:4])} for some in (mine, theirs)]
        assert attempts[0] == attempts[1]


@settings(max_examples=80)
@given(stories(), st.data())
def test_any_order_of_grades_gives_the_same_bytes(story: Story, data: st.DataObject) -> None:
    history, _ = story
    shuffled = folded(data.draw(st.permutations(history)))
    assert as_rows(shuffled) == as_rows(folded(history))
    assert bytes_of(shuffled) == bytes_of(folded(history))


@settings(max_examples=80)
@given(stories())
def test_no_rate_exceeds_the_whole_and_as_many_wait_as_have_no_grade(story: Story) -> None:
    sums = folded(story[0])
    for period in (*sums.days.values(), *sums.topics.values()):
        assert 0 <= period.passed_attempts <= period.attempts
        assert 0 <= period.scores <= period.attempts
        assert 0 <= period.score_total <= period.scores * 1_000_000
    for key, one in sums.steps.items():
        assert 0 <= one.passed_attempts <= one.attempts
        waiting = [grade for grade in sums.grades.values() if grade[:3] == key and grade.waited and not grade.given]
        assert one.unscored == len(waiting)


@settings(max_examples=80)
@given(stories())
def test_the_grade_of_an_attempt_is_the_last_that_it_was_given(story: Story) -> None:
    history, at_once = story
    sums, scored = folded(history), {one.event_id: one for one in at_once}
    given_one = {one.fact.attempt for one in history if isinstance(one.fact, Graded)}
    assert sums.grades.keys() == given_one | {one.event_id for one in history if one.waits}
    for attempt in given_one:
        stands = sums.grades[attempt].given
        assert stands is not None
        assert (stands.score, stands.passed) == (scored[attempt].score, scored[attempt].passed)


def attempt(event_id: str = "x", **fields: Any) -> Contribution:
    return event(event_id, 100, "2026-03-02", is_graded=True, **fields)


def test_a_grade_moves_the_day_and_the_topics_of_the_attempt_and_not_its_own() -> None:
    sums = folded([attempt(), grade(attempt(), 1, 800_000, attempt())])
    assert sums.days.keys() == {DayKey("2026-03-02", "python", 1)}
    assert sums.days[DayKey("2026-03-02", "python", 1)].points == 7
    loops, lists = (sums.topics[TopicKey(topic, "python", 1)] for topic in ("loops", "lists"))
    assert (loops.attempts, loops.passed_attempts, loops.points) == (1, 1, 7)
    # The version that it was graded by has another topic: the completion is worth something there, no attempt was made.
    assert (lists.attempts, lists.passed_attempts, lists.scores, lists.points) == (0, 0, 0, 7)
    # What completed the step earlier takes all of it along.
    sums.add(event("e", 50, "2026-03-01", type="completed"))
    assert sums.topics[TopicKey("lists", "python", 1)] == PeriodSum()
    assert sums.days[DayKey("2026-03-02", "python", 1)].points == 0


def override(score: int = 1_000_000, *, waived: bool = True) -> Contribution:
    fact = Overridden(final=False, waived=waived, reason="ill")
    blank = Contribution("o", "overridden", "python", 1, "a", 1, 200, "2026-03-03", score, score >= PASS_MARK, 0, 0, ())
    return blank._replace(is_graded=True, fact=fact)


def test_what_is_waived_completes_the_step_and_begins_and_opens_no_module() -> None:
    raw = course(module("first", step("a1")), module("second", step("a")), id="python")
    second = parsed(raw).modules[1]
    found = {"a": folded([override()]).steps[KEY]}
    assert (found["a"].events, found["a"].completion is not None) == (0, True)
    assert is_begun(second, found)
    assert not is_open(second, found, {})
    assert is_open(second, {"a": found["a"] + StepSum.of(attempt())}, {})


@pytest.mark.parametrize(("score", "since"), [(0, 300), (1, 200)])
def test_a_word_that_was_lifted_is_no_score_from_then_on(score: int, since: int) -> None:
    said = StepSum.of(override(score, waived=False)) + StepSum.of(event("x", 300, "2026-03-02", score=500_000))
    assert exercise_of(("loops",), [said]).scored_at == since


def test_a_step_is_submitted_while_an_attempt_waits_and_no_longer() -> None:
    essay, quiz = parsed(course(module("m", step("a", grader={"type": "manual"}), step("b")), id="python")).steps
    waiting = attempt()
    failed, passed = (grade(waiting, 1, score, waiting) for score in (300_000, 900_000))
    told = [
        step_status(essay, folded(history).steps.get(KEY) or StepSum())
        for history in (
            [],
            [event("o", 1, "2026-03-02", type="opened")],
            [waiting],
            [waiting, failed],
            [waiting, failed, attempt("y")],
            [waiting, passed],
            [waiting, passed, attempt("y")],
            [event("n", 1, "2026-03-02")],
        )
    ]
    assert told == [
        *("open", "in_progress", "submitted", "in_progress", "submitted", "completed", "completed"),
        "in_progress",
    ]
    assert step_status(quiz, folded([waiting]).steps[KEY]) == "in_progress"


def taken(sums: Sums, *brought: Contribution) -> tuple[set[str], StepSum]:
    standing = Standing(worth_of)
    standing.sums = sums
    return standing.take_in(brought), standing.sums.steps[KEY]


def test_a_guests_grade_comes_with_its_attempt() -> None:
    one = attempt()
    ids, found = taken(folded([]), one, grade(one, 1, 800_000, one))
    assert ids == {"x", "x-1"}
    assert (found.unscored, found.scores, found.best) == (0, 1, 800_000)


def test_a_guests_grade_is_given_to_the_same_attempt_where_it_waits_in_the_account() -> None:
    one = attempt()
    ids, found = taken(folded([one]), grade(one, 1, 800_000, one))
    assert ids == {"x-1"}
    assert (found.unscored, found.scores, found.score_total) == (0, 1, 800_000)


@pytest.mark.parametrize(("guests", "ids", "stands"), [(800_000, {"x-1"}, 800_000), (700_000, set(), 750_000)])
def test_of_two_grades_of_one_attempt_given_to_guest_and_account_the_better_stands(
    guests: int, ids: set[str], stands: int
) -> None:
    one = attempt()
    taken_in, found = taken(folded([one, grade(one, 2, 750_000, one)]), grade(one, 1, guests, one))
    assert taken_in == ids
    assert (found.unscored, found.scores, found.score_total, found.passed_attempts) == (0, 1, stands, 1)


def test_a_regrade_of_a_guests_copy_says_nothing_of_the_accounts() -> None:
    theirs, mine = attempt(score=0), attempt(score=1_000_000, passed=True)
    ids, found = taken(folded([mine]), grade(theirs, 1, 1_000_000, theirs))
    assert ids == set()
    assert (found.scores, found.score_total) == (1, 1_000_000)


def test_a_guests_regraded_attempt_comes_with_what_it_was_raised_to() -> None:
    one = attempt(score=0)
    ids, found = taken(folded([]), one, grade(one, 1, 1_000_000, one))
    assert ids == {"x", "x-1"}
    assert (found.scores, found.score_total, found.passed_attempts) == (1, 1_000_000, 1)


def test_whichever_grade_comes_first_an_attempt_that_waited_has() -> None:
    one = attempt()
    first = grade(one, 1, 300_000, one)
    second = grade(one, 2, 400_000, one._replace(score=300_000))
    for order in ([one, first, second], [second, first, one]):
        (found,) = folded(order).grades.values()
        assert found.waited
        assert found.given == (400_000, False, 10**15, "x-2")
