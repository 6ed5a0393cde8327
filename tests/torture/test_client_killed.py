"""Programs killed between every two steps of keeping, sending and acknowledging: after a sync each event counts once.

Real processes, killed by the kernel, against a real `headway serve`. CLIENT_KILLS says how often.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from headway.client import Headway
from headway.client.identities import signed_in
from headway.client.store import Store
from tests.client.driver import KILLED, Driver
from tests.torture.client import new_account, prepare
from tests.torture.proof import assert_audit_is_clean, ledger_ids
from tests.torture.server import Server

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
KILLS = int(os.environ.get("CLIENT_KILLS", "50"))


class World(NamedTuple):
    """A server, its database, and what forks programs."""

    server: Server
    database: str
    driver: Driver

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def account(self) -> tuple[str, str]:
        """The token of a new account, and its id."""
        client = new_account(self.server.port)
        made = client.send("POST", "/auth/tokens", {"name": "terminal", "scopes": ["read", "write"]}).body
        return made["token"], client.get("/auth/me")["learner"]["id"]


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    prepare(sqlite_url)
    with Server(sqlite_url, tmp_path) as server, Driver(tmp_path / "log") as driver:
        yield World(server, sqlite_url, driver)


def recorded(world: World) -> Counter[str]:
    """How often each event stands in the ledger, under whomever."""
    return Counter(event for _, event in ledger_ids(world.database).elements())


def sync(world: World, folder: Path, token: str | None = None) -> None:
    """Send what is left, as the learner's next program does."""
    with Headway(world.url, token, state_folder=folder, background=False) as headway:
        synced = headway.sync(20)
        assert (synced.waiting, synced.locked, synced.aside) == (0, 0, 0), synced


def test_after_a_kill_at_any_step_every_event_that_was_kept_is_recorded_once(
    world: World, tmp_path: Path, rng: Random
) -> None:
    points = {way: [*points_of(world, tmp_path / f"whole {way}", way)] for way in WAYS}
    assert min(map(len, points.values())) > 15
    for one in points.values():
        rng.shuffle(one)
    meant: set[str] = set()
    safe: set[str] = set()
    killed = 0
    # A program may take a step less than the one before it did, and end before it is killed.
    for number in range(KILLS + KILLS // 4):
        if killed == KILLS:
            break
        way = WAYS[number % len(WAYS)]
        asked = does(world, way)
        kill_at = points[way][number // len(WAYS) % len(points[way])]
        folder = tmp_path / str(number)
        ended = world.driver.run(world.url, folder, kill_at=kill_at, **asked)
        killed += ended.code == KILLED
        meant |= set(ended.meant)
        safe |= set(ended.safe)
        sync(world, folder, asked.get("token"))
        if "sign_in" in asked:
            finish_signing_in(world, folder, asked["sign_in"])
    assert killed == KILLS
    sys.stdout.write(f"{killed} programs were killed, at {sum(map(len, points.values()))} different steps\n")
    found = recorded(world)
    assert set(found.values()) == {1}, "an event counts twice"
    assert safe <= set(found), "an event that was safe is gone"
    whole = 3 * EVENTS
    assert len(set(found) & meant) + whole == len(found), "an event that nobody meant"
    assert_audit_is_clean(world.database)


def points_of(world: World, folder: Path, way: str) -> Iterator[int]:
    """The steps before which something has changed, here or at the server: reading changes nothing."""
    steps = world.driver.run(world.url, folder, **does(world, way)).steps
    return (number for number, step in enumerate(steps) if step in CHANGING)


CHANGING = ("INSERT", "UPDATE", "DELETE", "COMMIT", "before", "after")
WAYS = ("guest", "account", "guest who signs in")
EVENTS = 3


def does(world: World, way: str) -> dict[str, Any]:
    """What a program does."""
    token, learner = world.account() if way != "guest" else ("", "")
    if way == "account":
        return {"events": EVENTS, "token": token}
    return {"events": EVENTS, "wait_s": 0} | ({"sign_in": [token, learner]} if way != "guest" else {})


def finish_signing_in(world: World, folder: Path, who: list[str]) -> None:
    """Sign in again, as somebody does whose terminal was killed: what the guest had left is the account's."""
    with Store(folder).writing() as connection:
        signed_in(connection, world.url, who[0], who[1], None)
    sync(world, folder)


def test_two_programs_that_send_one_outbox_at_a_time_send_each_event_once(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    for _ in range(5):
        world.driver.begin(world.url, folder, events=20, wait_s=20, beside=True)
    world.driver.begin(world.url, folder, events=20, wait_s=20)
    ended = [world.driver.end() for _ in range(6)]
    assert [one.code for one in ended] == [0] * 6
    meant = {event for one in ended for event in one.meant}
    assert len(meant) == 120
    assert recorded(world) == dict.fromkeys(meant, 1)
    assert len({learner for learner, _ in ledger_ids(world.database)}) == 1, "they are one guest"


def test_the_server_is_killed_while_it_is_sent_to(world: World, tmp_path: Path, rng: Random) -> None:
    folder, meant = tmp_path / "state", set[str]()
    for _ in range(3):
        world.driver.begin(world.url, folder, events=8, beside=True)
        world.driver.begin(world.url, folder, events=8)
        world.server.kill()
        for _ in range(2):
            meant |= set(world.driver.end().meant)
        port = world.server.port
        world.server.flags = ("--port", str(port))
        world.server.start()
    sync(world, folder)
    assert recorded(world) == dict.fromkeys(meant, 1)
