"""The editor of a guest whom the server does not know any more."""

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.client.trouble import Trouble, problem
from tests.editor.conftest import World
from tests.editor.driver import Driver, end
from tests.editor.test_killed import CHANGING
from tests.torture.client import COURSE, STEPS, Client

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

KILLS = 20

OF: dict[str, Any] = {"course": COURSE, "step": STEPS[0]}
NOTHING_LEFT = {"waiting": 0, "refused": 0, "held": 0, "why": None}


def token_in(folder: Path) -> str:
    notes = [json.loads(one.read_text()) for one in (folder / "store" / "notes").glob("*.json")]
    (guest,) = [one["value"] for one in notes if one["key"] == "guest"]
    return str(guest["token"])


def erase_guest(world: World, folder: Path) -> None:
    """Have the guest of a folder erase themselves elsewhere."""
    assert Client(world.server.port, token=token_in(folder)).send("DELETE", "/auth/me").status == 204


def left_behind(world: World, folders: list[Path]) -> list[str]:
    """Have guests of these folders be gone, with an event waiting in each; the ids of these."""
    first, *others = folders
    asked: dict[str, Any] = {"folders": [*map(str, others)], "events": 1, **OF}
    assert world.driver.run(first, **asked).lefts == [NOTHING_LEFT] * len(folders)
    for folder in folders:
        erase_guest(world, folder)
    return world.driver.run(first, **asked).told("meant")


def recorded(world: World, meant: list[str]) -> Counter[str]:
    """How often each of these events stands in the ledger."""
    return Counter(event for _, event in world.recorded().elements() if event in meant)


def test_a_guest_who_is_gone_from_the_server_begins_anew_with_what_waits(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert world.driver.run(folder, events=1, anew=True, **OF).told("anew") == ["false"], "nobody is here"
    assert world.driver.run(folder, anew=True).told("anew") == ["false"], "the server knows this one"
    erase_guest(world, folder)
    ended = world.driver.run(folder, events=1, **OF)
    assert ended.left == {**NOTHING_LEFT, "waiting": 1, "why": "signed-out"}
    again = world.driver.run(folder, anew=True, patience=20_000)
    assert (again.told("anew"), again.left) == (["true"], NOTHING_LEFT)
    more = world.driver.run(folder, events=1, **OF)
    assert more.left == NOTHING_LEFT
    meant = ended.told("meant") + more.told("meant")
    recorded = [(learner, event) for learner, event in world.recorded().elements() if event in meant]
    assert (sorted(event for _, event in recorded), len(dict(recorded))) == (sorted(meant), 1)


def test_a_guest_who_is_gone_loses_nothing_wherever_beginning_anew_is_killed(
    world: World, tmp_path: Path, rng: Random
) -> None:
    folders = [tmp_path / str(number) for number in range(KILLS + 1)]
    meant = left_behind(world, folders)
    whole = world.driver.run(folders[-1], anew=True, patience=20_000)
    assert whole.told("anew") == ["true"]
    points = [number for number, step in enumerate(whole.told("step")) if step in CHANGING]
    for folder, kill_at in zip(folders, rng.sample(points, min(KILLS, len(points))), strict=False):
        world.driver.run(folder, anew=True, kill_at=kill_at, patience=20_000)
    # The next windows: some sign out again, in others an account signs in.
    half = KILLS // 2
    for part, again in ((folders[:half], {"anew": True}), (folders[half:], {"token": world.account()[1]})):
        asked: dict[str, Any] = {"folders": [*map(str, part[1:])], "patience": 20_000, **again}
        assert world.driver.run(part[0], **asked).lefts == [NOTHING_LEFT] * len(part)
    assert recorded(world, meant) == dict.fromkeys(meant, 1)


def test_a_guest_who_is_gone_begins_anew_once_the_disk_has_room(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    meant = left_behind(world, [folder])
    assert end(world.driver.begin(folder, anew=True, is_full=True)).told("anew") == ["not kept full"]
    again = world.driver.run(folder, anew=True, patience=20_000)
    assert (again.told("anew"), again.left) == (["true"], NOTHING_LEFT)
    assert recorded(world, meant) == dict.fromkeys(meant, 1)


def test_a_guest_stays_where_no_server_says_that_they_are_gone(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert world.driver.run(folder, events=1, **OF).left == NOTHING_LEFT
    world.server.kill()
    assert world.driver.run(folder, anew=True).told("anew") == ["false"]
    world.start_again()
    with Trouble(world.server.port) as way:
        way.fates.extend([problem(429, "rate-limited")] * 20)
        assert Driver(world.driver.script, way.url).run(folder, anew=True).told("anew") == ["false"]
