"""The editor killed between every two steps of keeping, sending and acknowledging: afterwards each event counts once.

Real processes, killed by the kernel, against a real `headway serve`. EDITOR_KILLS says how often.
"""

import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from subprocess import TimeoutExpired
from typing import Any

import pytest

from tests.editor.conftest import World
from tests.editor.driver import end
from tests.torture.client import COURSE, STEPS
from tests.torture.proof import assert_audit_is_clean

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

KILLS = int(os.environ.get("EDITOR_KILLS", "50"))
OF: dict[str, Any] = {"course": COURSE, "step": STEPS[0]}
WAYS = ("guest", "account", "guest who signs in")
NOTHING_LEFT = {"waiting": 0, "refused": 0, "held": 0, "why": None}
# Reading changes nothing: a kill before it is one before the next change.
CHANGING = ("open", "rename", "unlink", "link", "rm", "writeFile", "before send", "after send")


def recorded(world: World) -> Counter[str]:
    """How often each event stands in the ledger, under whomever, of those that came since the test began."""
    return Counter(event for _, event in world.recorded().elements())


def does(token: str, way: str) -> dict[str, Any]:
    """What an editor does."""
    return {"events": 2, **OF} | ({} if way == "guest" else {"token": token})


def points_of(world: World, folder: Path, asked: dict[str, Any]) -> Iterator[int]:
    steps = world.driver.run(folder, **asked).told("step")
    return (number for number, step in enumerate(steps) if step in CHANGING)


def test_after_a_kill_at_any_step_every_event_that_was_kept_is_recorded_once(
    world: World, tmp_path: Path, rng: Random
) -> None:
    # Accounts of their own for those who are signed in from the start, and for those who bring a guest along.
    asked = {way: does(world.account()[1], way) for way in WAYS}
    points = {way: [*points_of(world, tmp_path / f"whole {way}", asked[way])] for way in WAYS}
    assert min(map(len, points.values())) > 20
    for one in points.values():
        rng.shuffle(one)
    whole = len(recorded(world))
    meant: set[str] = set()
    safe: set[str] = set()
    killed = 0
    # A process may take a step less than the one before it did, and end before it is killed.
    for number in range(KILLS + KILLS // 4):
        if killed == KILLS:
            break
        way = WAYS[number % len(WAYS)]
        kill_at = points[way][number // len(WAYS) % len(points[way])]
        ended = world.driver.run(tmp_path / f"{way} {number}", kill_at=kill_at, **asked[way])
        killed += ended.code == -signal.SIGKILL
        meant |= set(ended.told("meant"))
        safe |= set(ended.told("safe"))
    assert killed == KILLS
    sys.stdout.write(f"{killed} processes were killed, at {sum(map(len, points.values()))} different steps\n")
    for way in WAYS:
        # The next windows; who was killed while signing in does so again.
        folders = sorted(tmp_path.glob(f"{way} *"))
        again = {name: asked[way][name] for name in asked[way] if name == "token"}
        ended = world.driver.run(folders[0], folders=[*map(str, folders[1:])], patience=20_000, **again)
        assert ended.lefts == [NOTHING_LEFT] * len(folders)
    found = recorded(world)
    assert set(found.values()) == {1}, "an event counts twice"
    assert safe <= set(found), "an event that was safe is gone"
    assert len(set(found) & meant) + whole == len(found), "an event that nobody meant"
    assert_audit_is_clean(world.database)


def test_windows_that_send_one_outbox_at_a_time_are_one_guest_and_send_each_event_once(
    world: World, tmp_path: Path
) -> None:
    windows = [world.driver.begin(tmp_path / "shared", events=5, patience=20_000, **OF) for _ in range(4)]
    ended = [end(one) for one in windows]
    meant = [event for one in ended for event in one.told("meant")]
    assert len(meant) == 20
    assert recorded(world) == dict.fromkeys(meant, 1)
    assert len({learner for learner, _ in world.recorded()}) == 1, "they are one guest"


def test_the_lock_of_a_window_that_was_killed_is_taken_over(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    holder = world.driver.begin(folder, hold=60_000)
    assert holder.stdout is not None
    while holder.stdout.readline().strip() != "holding":
        assert holder.poll() is None
    waiting = world.driver.begin(folder, events=1, patience=20_000, **OF)
    with pytest.raises(TimeoutExpired):
        waiting.wait(1.5)
    holder.kill()
    holder.communicate()
    assert end(waiting).left == NOTHING_LEFT
    assert len(recorded(world)) == 1


def test_what_was_done_without_a_server_is_sent_by_the_next_window(world: World, tmp_path: Path) -> None:
    folder, paths = tmp_path / "state", [f"/courses/{COURSE}", f"/progress/courses/{COURSE}"]
    # Somebody looks around as nobody, and is a guest after the first event.
    asked = world.driver.run(folder, events=1, read=paths, patience=20_000, **OF)
    assert asked.told("read") == ["now", "now"]
    world.server.kill()
    offline = world.driver.run(folder, events=5, read=paths, **OF)
    assert offline.told("read") == ["before", "unknown"], "how nobody stood is not how the guest does"
    assert offline.told("outcome") == ["waiting"] * 5
    assert (offline.left["waiting"], offline.left["why"]) == (5, "unreachable")
    world.start_again()
    assert world.driver.run(folder, patience=20_000).left == NOTHING_LEFT
    assert recorded(world) == dict.fromkeys(asked.told("meant") + offline.told("meant"), 1)


def test_a_full_disk_is_said_and_nothing_called_saved(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert world.driver.run(folder, events=1, **OF).left == NOTHING_LEFT
    world.server.kill()
    full = world.driver.run(folder, events=2, is_full=True, **OF)
    assert full.told("outcome") == ["not saved full"] * 2
    assert full.told("safe") == []


def test_a_guest_signs_in_by_the_device_flow_and_brings_all_along(world: World, tmp_path: Path) -> None:
    browser, _, learner = world.account()
    process = world.driver.begin(tmp_path / "state", events=2, device=True, patience=20_000, **OF)
    assert process.stdout is not None
    lines = []
    while not (line := process.stdout.readline().strip()).startswith("code "):
        assert process.poll() is None, line
        lines.append(line)
    approved = browser.send("POST", "/auth/device/approve", {"user_code": line.removeprefix("code ")})
    assert approved.status == 200, str(approved)
    ended = end(process)
    assert ended.left == NOTHING_LEFT
    assert '"events":2' in ended.told("merged")[0]
    meant = [one.removeprefix("meant ") for one in lines if one.startswith("meant ")]
    assert set(recorded(world)) == set(meant)
    progress = browser.get(f"/progress/courses/{COURSE}")
    assert progress["modules"][0]["steps"][0]["attempts"] == 2
    assert browser.get("/auth/me")["learner"]["id"] == learner
