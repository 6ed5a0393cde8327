"""A full disk under SQLite: files that may not grow any further stand for it, in the kernel and without a mock."""

import os
import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests.torture.client import Client, new_guest, prepare
from tests.torture.load import Tally, load, wait_for
from tests.torture.proof import attempts_by_step, events_proved, ledger_ids
from tests.torture.server import Server

pytestmark = pytest.mark.long

REFUSALS = 20
ROOM_BYTES = 50_000
LOG_BYTES = 2**30


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux sets the limits of another process")
@pytest.mark.parametrize("with_log", [False, True], ids=["the database", "the database and the log"])
def test_a_full_disk_is_503_and_loses_nothing_and_ends_when_there_is_room_again(
    sqlite_url: str, tmp_path: Path, rng: Random, with_log: bool
) -> None:
    prepare(sqlite_url)
    if with_log:
        (tmp_path / "server.log").touch()
        os.truncate(tmp_path / "server.log", LOG_BYTES)  # holes; it is beyond any limit from the beginning
    with Server(sqlite_url, tmp_path) as server:
        tally = Tally([new_guest(server.port) for _ in range(6)])
        with load(tally, rng, server.port, connections=6):
            wait_for(300, tally)
            server.limit_files(Path(sqlite_url.removeprefix("sqlite:///") + "-wal").stat().st_size + ROOM_BYTES)
            wait_for_refusals(tally)
            acknowledged = set(tally.acknowledged)
            assert ledger_ids(sqlite_url).keys() >= tally.keys(acknowledged)
            assert Client(server.port, tally.guests[0].token).get("/progress")["attempts"] > 0
            wait_for_refusals(tally)
            server.limit_files(-1)
            wait_for(300, tally)
        tally.send_the_rest(server.port)
        assert attempts_by_step(sqlite_url) == tally.expected()
        assert events_proved(sqlite_url) == len(tally.sent)
        assert server.stop() == 0
    assert set(tally.statuses) == {200, 503}


def wait_for_refusals(tally: Tally, patience_s: float = 20.0) -> None:
    """Wait until so many requests more were answered with 503."""
    goal, until = tally.statuses[503] + REFUSALS, time.monotonic() + patience_s
    while tally.statuses[503] < goal:
        assert time.monotonic() < until, f"no 503 any more: {tally.statuses}"
        time.sleep(0.005)
