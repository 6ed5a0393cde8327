"""The sums are the same whatever the order, repetition and delay in which events arrive."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway.domain.events import Event
from headway.domain.times import format_time
from tests.chance import UNSHRUNK
from tests.ledger.world import HOUR, NOON, World, enrollment, event

STEPS = ("hello", "loops", "quiz", "graded", "essay")
ZONES = ("Z", "+05:45", "-08:00")


@st.composite
def events(draw: st.DrawFn, number: int, steps: Sequence[str]) -> Event:
    """An event of the last week, at one of few times, so that they meet."""
    at = NOON - draw(st.integers(0, 14)) * 12 * HOUR
    kind = draw(st.sampled_from(["attempted", "attempted", "completed", "opened", "enrolled", "left"]))
    if kind in ("enrolled", "left"):
        return enrollment(number, kind, draw(st.sampled_from(["python", "go"])), at)
    of = draw(st.sampled_from(steps))
    said = format_time(at).replace("Z", draw(st.sampled_from(ZONES)))
    sent: dict[str, Any] = {
        "occurred_at": said,
        "duration_s": draw(st.integers(0, 5000)),
        "hints": draw(st.integers(0, 5)),
    }
    if of == "graded":
        return event(number, "attempted", of, response=draw(st.sampled_from("ab")), **sent)
    score = None if kind == "opened" else draw(st.sampled_from([None, 0, 0.7, 79.99, 0.8, 1]))
    return event(number, kind, of, score=score, **sent)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events on a step or two, or on any: that several meet on one is the rule."""
    few = st.lists(st.sampled_from(STEPS), min_size=1, max_size=2)
    steps = draw(few | st.just(STEPS))
    return [draw(events(number, steps)) for number in range(draw(st.integers(6, 12)))]


def send_in_parts(world: World, learner_id: str, history: Sequence[Event], cuts: Sequence[int]) -> None:
    """Send events in some requests, each a little later than the one before."""
    edges = [0, *sorted(cuts), len(history)]
    for n, (start, end) in enumerate(pairwise(edges)):
        world.send(learner_id, *history[start:end], at=NOON + (24 + n) * HOUR)


def test_one_history_backwards_gives_the_same_bytes(world: World) -> None:
    """On each step there is what is earlier and later, better and worse, in no order."""
    ada, ben = world.learner(), world.learner()
    history = [enrollment(n, "left" if n % 2 else "enrolled", "python", NOON - n * 7 % 5 * HOUR) for n in range(5)]
    for n, of in enumerate(STEPS * 4, len(history)):
        answer: dict[str, Any] = {"response": "ab"[n % 2]} if of == "graded" else {"score": n * 37 % 101 / 100}
        at = format_time(NOON - n * 11 % 25 * 12 * HOUR)
        history.append(event(n, "attempted", of, occurred_at=at, duration_s=n, hints=n, **answer))
    send_in_parts(world, ada, history, range(1, len(history)))
    send_in_parts(world, ben, history[::-1], range(1, len(history)))
    assert world.sums(ada) == world.sums(ben)
    world.assert_clean()


# The function-scoped world serves all examples: each has learners of its own.
@settings(max_examples=20, phases=UNSHRUNK, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories(), st.data())
def test_every_order_split_and_repetition_gives_the_same_bytes(
    world: World, history: list[Event], data: st.DataObject
) -> None:
    ada, ben = world.learner("Europe/Berlin"), world.learner("Europe/Berlin")
    send_in_parts(world, ada, history, [])
    repeated = data.draw(st.lists(st.sampled_from(history), max_size=4))
    shuffled = data.draw(st.permutations([*history, *repeated]))
    cuts = data.draw(st.lists(st.integers(0, len(shuffled)), max_size=5))
    send_in_parts(world, ben, shuffled, cuts)
    assert world.sums(ben) == world.sums(ada)
    assert len([one for one in world.entries(ben) if one.source != "server"]) == len(history)
    world.assert_clean()


def test_a_day_that_shows_in_the_bytes_is_not_lost_in_the_comparison(world: World) -> None:
    ada, ben = world.learner(), world.learner()
    world.send(ada, event(1, score=0.5))
    world.send(ben, event(1, score=0.5, occurred_at=format_time(NOON - 24 * HOUR)))
    assert world.sums(ada) != world.sums(ben)
    assert set(json.loads(world.sums(ada))) == {
        "step_sum",
        "day_sum",
        "topic_sum",
        "enrollment",
        "course_run",
        "attempt_grade",
        "imported_day",
        "imported_streak",
        "streak_pause",
        "day_part",
        "step_day",
        "progress_reset",
    }
