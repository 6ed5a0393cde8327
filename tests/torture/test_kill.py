"""kill -9 under load: what was acknowledged is there, what was not can be sent again, and nothing counts twice."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.postgres import Postgres
from tests.torture.client import Client, new_guest, prepare
from tests.torture.load import Tally, load
from tests.torture.proof import assert_audit_is_clean, attempts_by_step, events_proved, ledger_ids, query
from tests.torture.server import Server

pytestmark = pytest.mark.long

KILLS_AT_START = 3
KILLS = int(os.environ.get("KILLS", "50"))
CONNECTIONS = 8
LOAD_S = (0.05, 0.35)


@pytest.mark.timeout(400)
def test_nothing_acknowledged_is_lost_and_nothing_is_doubled_by_kills_under_load(
    database_url: str, tmp_path: Path, rng: Random
) -> None:
    prepare(database_url)
    server = Server(database_url, tmp_path)
    with server:
        tally = Tally([new_guest(server.port) for _ in range(24)])
        cut_off = 0
        for _ in range(KILLS):
            before = set(tally.acknowledged)
            with load(tally, rng, server.port, connections=CONNECTIONS):
                time.sleep(rng.uniform(*LOAD_S))
                server.kill()
            cut_off += len(tally.sent) - len(tally.acknowledged)
            server.start()
            assert_found(database_url, tally, tally.acknowledged - before)
        tally.send_the_rest(server.port)
        assert_counted_once(database_url, server, tally)
    sys.stdout.write(f"{len(tally.sent)} events, {cut_off} cut off, {len(tally.repeated)} of them committed\n")
    assert len(tally.sent) > 20 * KILLS
    assert cut_off > KILLS


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_server_killed_while_it_sets_up_its_database_starts_again(
    request: pytest.FixtureRequest, tmp_path: Path, rng: Random, kind: str
) -> None:
    for number in range(KILLS_AT_START):
        with new_database(request, tmp_path / f"{number}.db", kind) as database:
            server = Server(database, tmp_path, cold=True)
            server.spawn()
            wait_until_there(database)
            time.sleep(rng.uniform(0, 0.15))
            server.kill()
            with server.start():
                assert Client(server.port, new_guest(server.port).token).get("/progress")["attempts"] == 0
            assert_audit_is_clean(database)


@contextmanager
def new_database(request: pytest.FixtureRequest, file: Path, kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{file}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.fresh() as url:
        yield url


def wait_until_there(database: str, patience_s: float = 20.0) -> None:
    """Wait until a server has begun with its database: the file is there, or a session."""
    path, until = Path(database.removeprefix("sqlite:///")), time.monotonic() + patience_s
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    while not (path.exists() if database.startswith("sqlite") else query(database, sessions)[0][0] > 1):
        assert time.monotonic() < until, "the server does not begin with its database"
        time.sleep(0.005)


def assert_found(database: str, tally: Tally, acknowledged: set[str]) -> None:
    """These events are in the ledger, each once."""
    held = ledger_ids(database)
    missing = [key for key in tally.keys(acknowledged) if held[key] != 1]
    assert not missing, f"{len(missing)} acknowledged events are not there once, as {missing[:3]}"


def assert_counted_once(database: str, server: Server, tally: Tally) -> None:
    """Ledger, sums, and what learners are shown hold exactly what was sent; the audit agrees."""
    assert ledger_ids(database) == dict.fromkeys(tally.keys(set(tally.sent)), 1)
    assert attempts_by_step(database) == tally.expected()
    expected = tally.expected()
    for guest in tally.guests:
        shown = Client(server.port, guest.token).get("/progress")
        assert shown["attempts"] == sum(count for (learner, _), count in expected.items() if learner == guest.id)
    assert events_proved(database) == len(tally.sent)
