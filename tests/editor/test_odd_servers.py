"""Servers, and what stands before them, at their worst, for the editor: nothing is lost, doubled or kept waiting."""

from pathlib import Path
from random import Random

import pytest

from tests.client.trouble import FATES, PORTAL, Fate, Picky, Trouble, problem
from tests.editor.conftest import World
from tests.editor.driver import Driver, Ended
from tests.torture.client import COURSE, STEPS

pytestmark = pytest.mark.long

OF = {"course": COURSE, "step": STEPS[0]}
NOTHING_LEFT = {"waiting": 0, "refused": 0, "held": 0, "why": None}
SLOW = Fate(200, PORTAL * 20, "application/json", slowly=30)


class OfEvents(Trouble):
    """Its fates are of requests with events alone."""

    def fate_of_next(self) -> Fate:
        return super().fate_of_next() if self.asked[-1][1].endswith("/events") else Fate()


def driver(world: World, way: Trouble) -> Driver:
    """What starts processes that reach the server by way of trouble."""
    return Driver(world.driver.script, way.url)


def assert_once(world: World, ended: Ended) -> None:
    """All that a process meant to record is recorded once, by one learner."""
    recorded = world.recorded()
    assert sorted(event for _, event in recorded.elements()) == sorted(ended.told("meant"))
    assert len({learner for learner, _ in recorded}) == 1


@pytest.mark.parametrize("way_of", [Trouble, OfEvents])
def test_after_any_answers_in_any_order_each_event_is_recorded_once(
    world: World, tmp_path: Path, rng: Random, way_of: type[Trouble]
) -> None:
    with way_of(world.server.port) as way:
        way.fates.extend(rng.sample([*FATES.values(), problem(401, "unauthenticated")] * 3, 3 * len(FATES) + 3))
        ended = driver(world, way).run(tmp_path / "state", events=3 * len(FATES), patience=20_000, **OF)
        assert not way.fates
    assert {one.split()[0] for one in ended.told("outcome")} <= {"waiting", "recorded"}
    assert "waiting" in ended.told("outcome")
    assert ended.left == NOTHING_LEFT
    assert_once(world, ended)


def test_a_slow_server_is_waited_for_no_longer_than_was_said(world: World, tmp_path: Path) -> None:
    with OfEvents(world.server.port) as way:
        way.fates.append(SLOW)
        ended = driver(world, way).run(tmp_path / "state", events=1, hurry=20, patience=20_000, **OF)
        assert not way.fates
    assert ended.told("outcome") == ["waiting"]
    assert_once(world, ended)


@pytest.mark.parametrize(
    "answer",
    [problem(429, "rate-limited", retry_after="3000"), Fate(429, PORTAL, "text/html", (("retry-after", "3000"),))],
)
def test_who_asks_to_be_left_alone_is_left_alone(world: World, tmp_path: Path, answer: Fate) -> None:
    with OfEvents(world.server.port) as way:
        way.fates.append(answer)
        ended = driver(world, way).run(tmp_path / "state", events=4, patience=20_000, **OF)
        # Once for the first event; for the others not at all, before somebody asks for it in the end.
        assert [len(one) for one in way.batches()] == [1, 4]
    assert ended.told("outcome") == ["waiting"] * 4
    assert_once(world, ended)


@pytest.mark.parametrize(
    ("answer", "left", "patience"),
    [
        (problem(413, "too-large"), {"waiting": 0, "refused": 2}, 20_000),
        (problem(422, "invalid"), {"waiting": 0, "refused": 2}, 20_000),
        # These may pass, and are tried again for good.
        (problem(500, "internal"), {"waiting": 2, "refused": 0}, 4_000),
        (Fate(413, PORTAL, "text/html"), {"waiting": 2, "refused": 0}, 4_000),
    ],
)
def test_what_is_at_fault_keeps_nothing_else_waiting(
    world: World, tmp_path: Path, answer: Fate, left: object, patience: int
) -> None:
    folder = tmp_path / "state"
    with Trouble(world.server.port) as way:
        way.always = Fate(502, PORTAL, "text/html")
        meant = driver(world, way).run(folder, events=20, **OF).told("meant")
    poison = {meant[3], meant[17]}
    with Picky(world.server.port, answer, poison) as way:
        ended = driver(world, way).run(folder, patience=patience)
    assert {name: ended.left[name] for name in ("waiting", "refused")} == left
    assert {event for _, event in world.recorded()} == set(meant) - poison
