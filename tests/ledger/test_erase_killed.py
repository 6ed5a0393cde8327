"""An erasure that is killed is whole or did not happen, and running it again completes it."""

import signal
import subprocess
import sys
import time

import pytest

from headway.ledger.erase import erase
from tests.ledger.canaries import add_canary, canary_id, dump, on_disk, totals
from tests.ledger.world import HOUR, NOON, World

pytestmark = pytest.mark.long

NOW = NOON + 24 * HOUR
EVENTS = 600
# At which parts of the time that one takes; the last ones come too late.
PARTS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.95, 1.1)
# Says when it begins, so that what is killed is the erasure and not the interpreter's start.
CHILD = """
import sys
from headway.ledger.erase import erase
from headway.store.catalog import Catalog
from headway.store.database import Database
database = Database(sys.argv[1])
with database.read():
    pass
print("begins", flush=True)
erase(database, Catalog(), sys.argv[2], now=int(sys.argv[3]))
print("done", flush=True)
"""


def child(world: World, learner_id: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", CHILD, world.url, learner_id, str(NOW)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert started.stdout is not None
    assert started.stdout.readline() == b"begins\n"
    return started


def test_what_is_killed_is_whole_or_did_not_happen(world: World) -> None:
    # Numbers that leave no remainder by 3 have an id that follows from elsewhere; these can be known by theirs.
    numbers = [3 * n + 1 for n in range(len(PARTS) + 1)]
    for number in numbers:
        add_canary(world, number, events=EVENTS)
    counted = totals(world)
    with child(world, canary_id(numbers[0])) as untouched:
        began = time.monotonic()
        assert untouched.wait(60) == 0
    whole_s = time.monotonic() - began
    seen = set()
    for number, part in zip(numbers[1:], PARTS, strict=True):
        learner_id = canary_id(number)
        before = world.figures(learner_id), world.entries(learner_id)
        with child(world, learner_id) as killed:
            time.sleep(part * whole_s)
            killed.send_signal(signal.SIGKILL)
        is_there = f"-{number:012x}".encode() in dump(world)
        seen.add(is_there)
        if is_there:
            assert (world.figures(learner_id), world.entries(learner_id)) == before
        world.assert_clean()
        assert totals(world) == counted
        assert (erase(world.database, world.catalog, learner_id, now=NOW) is not None) == is_there
        assert world.database.scrub()
        assert f"-{number:012x}".encode() not in dump(world) + on_disk(world)
    world.assert_clean()
    assert seen == {True, False}, "every kill came too early, or every one too late"
