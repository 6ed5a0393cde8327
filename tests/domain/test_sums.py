"""Progress adds up: a zero, a `+` that knows no order, and figures that follow a completion when it moves."""

import json
from collections.abc import Callable
from functools import reduce
from itertools import permutations
from operator import add
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.domain.facts import Graded, Granted, Overridden, Revoked, RunStarted
from headway.domain.progress import Contribution, EnrollmentSum, PeriodSum, RunSum, StepSum
from headway.domain.sums import DayKey, StepKey, Sums, TopicKey
from headway.store.sums import ALL
from tests.domain.contributions import WORTH, as_rows, contributions, folded, histories, words, worth_of

KINDS: list[Callable[[Contribution], Any]] = [StepSum.of, PeriodSum.of, EnrollmentSum.of]
NAMES = ["steps", "periods", "enrollments"]


def bytes_of(sums: Sums) -> bytes:
    """The rows of all tables, in order of key, as they are written."""
    rows = [[kind.write("someone", *item) for item in sorted(kind.held_in(sums).items())] for kind in ALL]
    return json.dumps(rows).encode()


def event(event_id: str, at: int, day: str, **fields: Any) -> Contribution:
    blank = Contribution(event_id, "attempted", "python", 1, "a", 1, at, day, None, False, 0, 0, ("loops",))
    return blank._replace(**fields)


@pytest.mark.parametrize("of", KINDS, ids=NAMES)
@given(st.data())
def test_a_sum_knows_no_order_no_grouping_and_a_zero(of: Callable[[Contribution], Any], data: st.DataObject) -> None:
    a, b, c = (of(data.draw(contributions(event_id) | words(event_id))) for event_id in "abc")
    zero = type(a)()
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert zero + a == a + zero == a
    assert zero + zero == zero


@pytest.mark.parametrize("of", KINDS, ids=NAMES)
@settings(max_examples=60)
@given(histories(), st.data())
def test_sums_of_batches_add_up_to_the_sum_of_all(
    of: Callable[[Contribution], Any], history: list[Contribution], data: st.DataObject
) -> None:
    zero = type(of(event("x", 0, "1970-01-01")))()
    cut = data.draw(st.integers(0, len(history)))
    first, second = (reduce(add, map(of, part), zero) for part in (history[:cut], history[cut:]))
    assert first + second == reduce(add, map(of, history), zero)


@settings(max_examples=60)
@given(histories(), st.data())
def test_any_order_gives_the_same_bytes(history: list[Contribution], data: st.DataObject) -> None:
    shuffled = folded(data.draw(st.permutations(history)))
    assert as_rows(shuffled) == as_rows(folded(history))
    assert bytes_of(shuffled) == bytes_of(folded(history))


@settings(max_examples=60)
@given(histories())
def test_what_counts_steps_lies_where_their_completions_lie(history: list[Contribution]) -> None:
    sums = folded(history)
    # Each step once, where it was first completed in whichever run.
    found = [(one.completion, key) for key, one in sums.steps.items() if one.completion]
    firsts = {(key.course, key.step): (done, key) for done, key in sorted(found, reverse=True)}
    completions = {key: done for done, key in firsts.values()}
    for day_key, one in sums.days.items():
        here = [
            worth_of(key.course, done.version, key.step)
            for key, done in completions.items()
            if (done.day, key.course, key.run) == day_key
        ]
        expected = (len(here), sum(worth.exercise for worth in here), sum(worth.points for worth in here))
        assert (one.steps_completed, one.exercises_completed, one.points) == expected
    for topic_key, one in sums.topics.items():
        here = [
            worth
            for key, done in completions.items()
            if (key.course, key.run) == topic_key[1:]
            and topic_key.topic in (worth := WORTH[key.step, done.version]).topics
        ]
        assert (one.steps_completed, one.points) == (len(here), sum(worth.points for worth in here))


def as_graded(history: list[Contribution]) -> list[Contribution]:
    """What was sent, each attempt with the highest score that it was ever given."""
    best: dict[str, tuple[int, bool]] = {}
    for one in history:
        if isinstance(one.fact, Graded):
            known = best.get(one.fact.attempt, (0, False))
            best[one.fact.attempt] = max(known[0], one.score or 0), known[1] or one.passed
    given = (one for one in history if one.fact is None)
    return [
        one._replace(score=best[one.event_id][0], passed=best[one.event_id][1]) if one.event_id in best else one
        for one in given
    ]


def _first_version(history: list[Contribution], event_id: str, score: int) -> int:
    """The first version that gave an event that score."""
    own = [one for one in history if one.event_id == event_id and one.fact is None]
    grades = [one for one in history if isinstance(one.fact, Graded) and one.fact.attempt == event_id]
    return min(one.version for one in (*own, *grades) if one.score == score)


@settings(max_examples=60)
@given(histories())
def test_a_step_is_best_first_latest_and_count_of_what_was_sent_and_said(history: list[Contribution]) -> None:
    for key, one in folded(history).steps.items():
        own = [e for e in as_graded(history) if (e.course, e.run, e.step) == key]
        facts = [e for e in history if e.fact is not None and (e.course, e.run, e.step) == key]
        words = [e for e in facts if isinstance(e.fact, Overridden)]
        scored = sorted((e.at, e.event_id, e.score) for e in own if e.score is not None)
        done = sorted((e.at, e.event_id, e.day, e.version) for e in (*own, *words) if e.passed or e.type == "completed")
        attempts = [e for e in own if e.type == "attempted"]
        assert (one.events, one.attempts) == (len(own), len(attempts))
        assert one.passed_attempts == sum(e.passed for e in attempts)
        assert (one.scores, one.score_total) == (len(scored), sum(score for _, _, score in scored))
        assert one.unscored == sum(e.waits for e in attempts)
        assert one.best == max((score for _, _, score in scored), default=None)
        assert one.is_done is any(e.passed or e.type == "completed" for e in own)
        assert one.latest == (scored[-1] + (0,) if scored else None)
        assert one.first == (scored[0] + (_first_version(history, *scored[0][1:]),) if scored else None)
        assert one.completion == (done[0] if done else None)
        assert (one.duration_ms, one.hints) == (sum(e.duration_ms for e in own), sum(e.hints for e in own))
        assert one.updated_at == max(e.at for e in (*own, *facts))
        assert one.graded_best == max((e.score or 0 for e in facts if isinstance(e.fact, Graded)), default=None)
        last = max(((e.at, e.event_id, e.score, *e.fact[:2]) for e in words if e.fact), default=None)
        assert one.override == last


@settings(max_examples=60)
@given(histories())
def test_a_day_holds_its_attempts_as_they_were_graded_whenever_that_was(history: list[Contribution]) -> None:
    for key, one in folded(history).days.items():
        attempts = [e for e in as_graded(history) if (e.day, e.course, e.run) == key and e.type == "attempted"]
        scores = [e.score for e in attempts if e.score is not None]
        assert (one.attempts, one.passed_attempts) == (len(attempts), sum(e.passed for e in attempts))
        assert (one.scores, one.score_total) == (len(scores), sum(scores))


@settings(max_examples=60)
@given(histories())
def test_of_what_was_granted_twice_the_earliest_stands_and_a_run_began_with_the_first(
    history: list[Contribution],
) -> None:
    sums = folded(history)
    granted = [one for one in history if isinstance(one.fact, Granted)]
    for key, grant in sums.grants.items():
        same = [e for e in granted if isinstance(e.fact, Granted) and (e.course, e.run, e.type, e.fact.module) == key]
        assert grant == min((e.at, e.event_id, e.score, e.version) for e in same)
    issued = {e.event_id: (e.course, e.run, e.at, e.score, e.version) for e in granted if e.type == "certified"}
    assert {one: held[:5] for one, held in sums.certificates.items() if held.issued_at is not None} == issued
    void = {e.fact.certificate for e in history if isinstance(e.fact, Revoked)}
    assert {one for one, held in sums.certificates.items() if held.revocation is not None} == void
    began = [e for e in history if e.step or isinstance(e.fact, RunStarted)]
    for run, held in sums.runs.items():
        own = [e for e in began if (e.course, e.run) == run]
        said = [e for e in own if isinstance(e.fact, RunStarted)]
        active = max((e.at for e in own if e.fact is None), default=0)
        assert held == RunSum(min(e.done_at for e in said or own), bool(said), active)
    for course in ("python", "go"):
        assert sums.current_run(course) == max([e.run for e in began if e.course == course], default=1)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_two_grades_of_one_attempt_are_one_score_in_whatever_order_they_are_added(order: tuple[int, ...]) -> None:
    waiting = event("a", 100, "2026-03-02")
    first = waiting._replace(event_id="g", type="graded", at=500, day="2026-03-09", score=600_000, is_graded=True)
    first = first._replace(fact=Graded("a", 100, "2026-03-02", None, passed_before=False))
    second = first._replace(event_id="h", at=600, score=800_000, passed=True)
    second = second._replace(fact=Graded("a", 100, "2026-03-02", 600_000, passed_before=False))
    sums = folded([[waiting, first, second][n] for n in order])
    one = sums.steps[StepKey("python", 1, "a")]
    assert (one.attempts, one.passed_attempts, one.scores, one.score_total, one.unscored) == (1, 1, 1, 800_000, 0)
    assert (one.first, one.latest) == ((100, "a", 800_000, 1), (100, "a", 800_000, 0))
    assert one.completion == (100, "a", "2026-03-02", 1)
    assert list(sums.days) == [DayKey("2026-03-02", "python", 1)]
    assert sums.days[DayKey("2026-03-02", "python", 1)][:4] == (1, 1, 1, 800_000)


def test_tuesdays_completion_and_mondays_late_one_are_one_completion_on_monday() -> None:
    tuesday = event("t", 200, "2026-03-03", score=800_000, passed=True)
    monday = event("m", 100, "2026-03-02", score=900_000, passed=True, version=2, topics=("lists", "loops"))
    sums = folded([tuesday])
    assert sums.days[DayKey("2026-03-03", "python", 1)].points == 5
    sums.add(monday)
    completion = sums.steps[StepKey("python", 1, "a")].completion
    assert completion == (100, "m", "2026-03-02", 2)
    left = sums.days[DayKey("2026-03-03", "python", 1)]
    assert (left.attempts, left.steps_completed, left.exercises_completed, left.points) == (1, 0, 0, 0)
    came = sums.days[DayKey("2026-03-02", "python", 1)]
    assert (came.attempts, came.steps_completed, came.exercises_completed, came.points) == (1, 1, 1, 7)
    assert sums.topics[TopicKey("loops", "python", 1)].points == 7
    assert sums.topics[TopicKey("lists", "python", 1)].steps_completed == 1


def test_of_two_completions_at_one_instant_the_lower_id_is_the_first() -> None:
    a, b = (event(event_id, 100, "2026-03-02", type="completed") for event_id in "ab")
    for order in ([a, b], [b, a]):
        completion = folded(order).steps[StepKey("python", 1, "a")].completion
        assert completion is not None
        assert completion.event_id == "a"


def test_a_score_of_nothing_is_no_score_and_a_score_of_zero_is_one() -> None:
    nothing, zero = event("n", 1, "2026-03-02"), event("z", 2, "2026-03-02", score=0)
    one = StepSum.of(nothing) + StepSum.of(zero)
    assert (one.attempts, one.scores, one.best) == (2, 1, 0)
    assert (one.first, one.latest) == ((2, "z", 0, 1), (2, "z", 0, 0))
    day = PeriodSum.of(nothing) + PeriodSum.of(zero)
    assert (day.attempts, day.scores, day.activities) == (2, 1, 2)


def test_the_score_of_a_completed_is_the_steps_and_no_attempt_of_its_day() -> None:
    done = event("d", 1, "2026-03-02", type="completed", score=500_000)
    assert StepSum.of(done)[:6] == (1, 0, 0, 1, 500_000, 500_000)
    assert PeriodSum.of(done)[:4] == (0, 0, 0, 0)
    assert PeriodSum.of(done).activities == 1


def test_opening_and_working_make_no_active_day() -> None:
    quiet = [event("o", 1, "2026-03-02", type="opened"), event("w", 2, "2026-03-02", type="worked", duration_ms=5)]
    assert folded(quiet).active_days() == set()
    assert folded([*quiet, event("a", 3, "2026-03-03")]).active_days() == {"2026-03-03"}


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["enrolled", "left"])), max_size=8))
def test_who_is_enrolled_is_what_the_latest_entry_says(entries: list[tuple[int, str]]) -> None:
    history = [event(f"{n:02}", at, "1970-01-01", type=kind, step="") for n, (at, kind) in enumerate(entries)]
    found = folded(history).enrollments.get("python", EnrollmentSum())
    latest = max(history, key=lambda one: (one.at, one.event_id), default=None)
    assert found.enrolled == (latest is not None and latest.type == "enrolled")
    assert found.first_enrolled_at == min((one.at for one in history if one.type == "enrolled"), default=None)
    if latest is not None:
        assert (found.changed_at, found.changed_by) == (latest.at, latest.event_id)
