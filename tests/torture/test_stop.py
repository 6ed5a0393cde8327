"""A graceful stop under load: what was taken is written and answered, the rest is refused."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import psycopg
import pytest

from tests.torture.client import Client, Guest, attempt, new_guest, prepare
from tests.torture.load import Tally, load, wait_for
from tests.torture.proof import assert_audit_is_clean, attempts_by_step, events_proved, ledger_ids
from tests.torture.server import Server

pytestmark = pytest.mark.long

STOPS = 4
WAITING = 12


def test_a_stop_under_load_loses_nothing_acknowledged_and_ends_with_0(server: Server, rng: Random) -> None:
    tally = Tally([new_guest(server.port) for _ in range(12)])
    for _ in range(STOPS):
        with load(tally, rng, server.port, connections=8):
            wait_for(200, tally)
            assert server.stop() == 0
        server.start()
        held = ledger_ids(server.database)
        assert held.keys() >= tally.keys(tally.acknowledged)
    tally.send_the_rest(server.port)
    assert attempts_by_step(server.database) == tally.expected()
    assert events_proved(server.database) == len(tally.sent)


def test_a_stop_of_three_workers_under_load_loses_nothing_either(
    postgresql_url: str, tmp_path: Path, rng: Random
) -> None:
    prepare(postgresql_url)
    with Server(postgresql_url, tmp_path, "--workers", "3") as server:
        tally = Tally([new_guest(server.port) for _ in range(12)])
        with load(tally, rng, server.port, connections=9):
            wait_for(200, tally)
            assert server.stop() == 0
        assert ledger_ids(postgresql_url).keys() >= tally.keys(tally.acknowledged)
        server.start()
        tally.send_the_rest(server.port)
    assert attempts_by_step(postgresql_url) == tally.expected()
    assert_audit_is_clean(postgresql_url)


@pytest.mark.parametrize("times", [1, 3])
def test_a_keyboard_stops_workers_that_still_start(postgresql_url: str, tmp_path: Path, times: int) -> None:
    server = Server(postgresql_url, tmp_path, "--workers", "3")
    server.spawn()
    with server:
        until = time.monotonic() + 30
        while len(server.workers()) < 3:
            assert time.monotonic() < until, "there are no workers"
            time.sleep(0.01)
        for _ in range(times):
            time.sleep(0.2)
            server.signal_group(signal.SIGINT)
        assert server.wait() == 130
        assert "Traceback" not in server.said()


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]], ids=["told", "keyboard twice"])
def test_a_stop_answers_every_request_that_waits_for_its_commit(
    server: Server, rng: Random, signals: list[signal.Signals]
) -> None:
    guests = [new_guest(server.port) for _ in range(WAITING)]
    with ThreadPoolExecutor(WAITING) as pool:
        with writing_held_up(server, guests):
            waiting = [pool.submit(Client(server.port, one.token).record, [attempt(rng)]) for one in guests]
            Client(server.port).wait_until_queued(WAITING)
            for number in signals:
                server.signal_group(number)
                time.sleep(0.3)
            assert not any(one.done() for one in waiting), "answered before the commit"
        replies = [one.result(20) for one in waiting]
    assert server.wait() == (0 if signal.SIGTERM in signals else 130)
    assert "Traceback" not in server.said()
    assert [one.status for one in replies] == [200] * WAITING
    assert {one.body["results"][0]["status"] for one in replies} == {"recorded"}
    assert len(ledger_ids(server.database)) == WAITING
    assert_audit_is_clean(server.database)


@contextmanager
def writing_held_up(server: Server, guests: list[Guest]) -> Iterator[None]:
    """Let the server write nothing of these learners, by holding the locks that its commits need."""
    with ExitStack() as stack:
        if server.database.startswith("sqlite"):
            path = f"{server.database.removeprefix('sqlite:///')}-lock"
            held = os.open(path, os.O_RDWR)
            stack.callback(os.close, held)
            fcntl.flock(held, fcntl.LOCK_EX)
        else:
            connection = stack.enter_context(psycopg.connect(server.database))
            ids = [one.id for one in guests]
            connection.execute("SELECT id FROM learner WHERE id = ANY(%s::uuid[]) ORDER BY id FOR UPDATE", [ids])
        yield
