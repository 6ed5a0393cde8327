"""Several processes on one PostgreSQL database, at work for the same learners."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from uuid import uuid4

import psycopg
import pytest

from tests.postgres import OTHERS, Postgres
from tests.torture.client import COURSE, STEPS, Client, Guest, attempt, new_account, new_guest, prepare
from tests.torture.load import Tally, load, wait_for
from tests.torture.proof import assert_audit_is_clean, attempts_by_step, ledger_ids, query
from tests.torture.server import Command, Server, several

pytestmark = pytest.mark.long

REBUILDS = 4
KILLED_WORKERS = 3
LOCKED_EVENTS = 12, 60
"""Requests for the locked learner, and events in each: more than one transaction takes."""


@pytest.mark.timeout(200)
def test_three_workers_rebuilds_and_enrollments_at_once_lose_nothing(
    postgresql_url: str, tmp_path: Path, rng: Random
) -> None:
    prepare(postgresql_url)
    with Server(postgresql_url, tmp_path, "--workers", "3") as server:
        wait_for_workers(postgresql_url, 3)
        tally = Tally([new_guest(server.port) for _ in range(40)])
        accounts = [new_account(server.port) for _ in range(4)]
        with enrolling(accounts) as entries, load(tally, rng, server.port, connections=9):
            for _ in range(REBUILDS):
                done = Command("rebuild", "--json", "--database", postgresql_url)
                assert done.code == 0, str(done)
                assert '"updated": 0' in done.out, f"a rebuild beside the workers found something to mend: {done}"
        tally.send_the_rest(server.port)
        assert server.stop() == 0
    assert len(tally.acknowledged) > 1000
    assert sum(entries) > 50
    assert_all_is_there(postgresql_url, tally, sum(entries))
    assert deadlocks(postgresql_url) == 0


@pytest.mark.timeout(200)
def test_three_servers_of_one_process_each_do_as_well(postgresql_url: str, tmp_path: Path, rng: Random) -> None:
    prepare(postgresql_url)
    servers = [Server(postgresql_url, folder(tmp_path, str(number))) for number in range(3)]
    with several(*servers):
        tally = Tally([new_guest(servers[0].port) for _ in range(12)])
        with load(tally, rng, *(one.port for one in servers), connections=9):
            wait_for(1500, tally)
        tally.send_the_rest(servers[1].port)
        shown = [Client(one.port, tally.guests[0].token).get("/progress") for one in servers]
        assert shown == shown[:1] * 3
        assert [one.stop() for one in servers] == [0, 0, 0]
    assert_all_is_there(postgresql_url, tally, 0)
    assert deadlocks(postgresql_url) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers by /proc")
@pytest.mark.timeout(200)
def test_a_worker_that_is_killed_is_replaced_and_the_others_go_on(
    postgresql_url: str, tmp_path: Path, rng: Random
) -> None:
    prepare(postgresql_url)
    with Server(postgresql_url, tmp_path, "--workers", "2") as server:
        tally = Tally([new_guest(server.port) for _ in range(12)])
        for _ in range(KILLED_WORKERS):
            killed = rng.choice(server.workers())
            with load(tally, rng, server.port, connections=6):
                wait_for(100, tally)
                os.kill(killed, signal.SIGKILL)
                wait_for_two_workers_without(server, killed)
            tally.send_the_rest(server.port)
        assert server.stop() == 0
    assert_all_is_there(postgresql_url, tally, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers by /proc")
@pytest.mark.timeout(200)
def test_a_worker_that_replaces_another_waits_for_a_database_that_is_away(postgres: Postgres, tmp_path: Path) -> None:
    with postgres.fresh() as url:
        prepare(url)
        with Server(url, tmp_path, "--workers", "2") as server:
            guest = new_guest(server.port)
            killed = server.workers()[0]
            with away(postgres, url):
                os.kill(killed, signal.SIGKILL)
                wait_until_said(server, "worker_waits_for_database")
            wait_for_two_workers_without(server, killed)
            assert Client(server.port, guest.token).record([attempt(Random(1))]).status == 200
            with away(postgres, url):
                for one in server.workers():
                    os.kill(one, signal.SIGKILL)
                server.log.write_bytes(b"")
                wait_until_said(server, "worker_waits_for_database")
                assert server.stop() == 0
            assert "Traceback" not in server.said()
        assert_audit_is_clean(url)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers by /proc")
def test_a_worker_told_to_stop_before_it_has_loaded_anything_stops_without_a_database(
    postgres: Postgres, tmp_path: Path
) -> None:
    with postgres.fresh() as url:
        prepare(url)
        with Server(url, tmp_path, "--workers", "2") as server:
            wait_for_workers(url, 2)
            with away(postgres, url):
                killed = server.workers()[0]
                os.kill(killed, signal.SIGKILL)
                until = time.monotonic() + 30
                while len([one for one in server.workers() if one != killed and is_listening(one)]) < 2:
                    assert time.monotonic() < until, "the worker was not replaced"
                    time.sleep(0.002)
                assert server.stop() == 0


def is_listening(pid: int) -> bool:
    """Whether a process takes SIGTERM itself, as Linux tells it."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers by /proc")
def test_a_server_of_which_a_worker_cannot_start_says_so_and_ends_with_1(postgres: Postgres, tmp_path: Path) -> None:
    with postgres.fresh() as url:
        prepare(url)
        with Server(url, tmp_path, "--workers", "2") as server:
            with psycopg.connect(url) as connection:
                connection.execute("UPDATE alembic_version SET version_num = '9999'")
            os.kill(server.workers()[0], signal.SIGKILL)
            assert server.wait() == 1
            assert "the server could not start; what it logged above says why" in server.said()


@pytest.mark.parametrize("flags", [[], ["--workers", "2"]])
def test_a_server_that_may_not_write_says_so_and_ends_with_1(
    postgres: Postgres, tmp_path: Path, flags: list[str]
) -> None:
    reader = f"reader_{uuid4().hex}"
    with postgres.fresh() as url, psycopg.connect(url, autocommit=True) as connection:
        prepare(url)
        connection.execute(f"CREATE ROLE {reader} LOGIN".encode())
        try:
            connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}".encode())
            server = Server(url.replace("postgres@", f"{reader}@"), tmp_path, *flags)
            server.spawn()
            with server:
                assert server.wait() == 1
                assert "the server could not start; what it logged above says why" in server.said()
        finally:
            connection.execute(f"DROP OWNED BY {reader}".encode())
            connection.execute(f"DROP ROLE {reader}".encode())


def test_a_learner_locked_elsewhere_holds_up_nobody_else(postgresql_url: str, tmp_path: Path, rng: Random) -> None:
    prepare(postgresql_url)
    requests, size = LOCKED_EVENTS
    with Server(postgresql_url, tmp_path) as server, ThreadPoolExecutor(requests) as pool:
        locked, *others = (new_guest(server.port) for _ in range(9))
        waiting = []
        with locking(postgresql_url, locked):
            for _ in range(requests):
                events = [attempt(rng) for _ in range(size)]
                waiting.append(pool.submit(Client(server.port, locked.token).record, events))
            Client(server.port).wait_until_queued(requests * size)
            held_since = time.monotonic()
            for _ in range(5):
                for one in others:
                    assert Client(server.port, one.token).record([attempt(rng)]).status == 200
                    assert not any(request.done() for request in waiting), "answered while the learner was locked"
            time.sleep(max(0.0, held_since + 2 - time.monotonic()))
            assert not any(request.done() for request in waiting), "answered while the learner was locked"
        answers = [request.result(20) for request in waiting]
        assert [one.status for one in answers] == [200] * requests
        assert {result["status"] for one in answers for result in one.body["results"]} == {"recorded"}
    assert sum(attempts_by_step(postgresql_url).values()) == requests * size + 5 * len(others)
    assert_audit_is_clean(postgresql_url)


def test_what_a_learner_sends_while_locked_is_recorded_in_its_order(
    postgresql_url: str, tmp_path: Path, rng: Random
) -> None:
    prepare(postgresql_url)
    with Server(postgresql_url, tmp_path) as server, ThreadPoolExecutor(20) as pool:
        locked = new_guest(server.port)
        events = [attempt(rng, STEPS[0]) for _ in range(20)]
        with locking(postgresql_url, locked):
            waiting = []
            for count, one in enumerate(events, 1):
                waiting.append(pool.submit(Client(server.port, locked.token).record, [one]))
                Client(server.port).wait_until_queued(count)
        assert {request.result(20).status for request in waiting} == {200}
    rows = query(postgresql_url, "SELECT event_id FROM ledger WHERE source <> 'server' ORDER BY seq")
    assert [row[0] for row in rows] == [one["id"] for one in events]


def wait_for_two_workers_without(server: Server, killed: int, patience_s: float = 30.0) -> None:
    until = time.monotonic() + patience_s
    while len(workers := server.workers()) != 2 or killed in workers:
        assert time.monotonic() < until, f"the worker {killed} was not replaced; there are {workers}"
        time.sleep(0.02)


@contextmanager
def away(postgres: Postgres, url: str) -> Iterator[None]:
    """Have a database be away: nobody is connected to it, and nobody can be."""
    name = url.partition("@/")[2].partition("?")[0]
    postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", OTHERS.format(name))
    try:
        yield
    finally:
        postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def wait_until_said(server: Server, what: str, patience_s: float = 30.0) -> None:
    until = time.monotonic() + patience_s
    while what not in server.said():
        assert server.process.poll() is None, f"the server ended:\n{server.said()}"
        assert time.monotonic() < until, server.said()
        time.sleep(0.05)


@contextmanager
def locking(database: str, guest: Guest) -> Iterator[None]:
    """Hold the lock of a learner in a session of one's own."""
    with psycopg.connect(database) as connection:
        connection.execute("SELECT id FROM learner WHERE id = %s FOR UPDATE", [guest.id])
        yield
        connection.rollback()


@contextmanager
def enrolling(accounts: list[Client]) -> Iterator[list[int]]:
    """Let learners enroll and leave, over and over, and record, while the block runs; counts their entries."""
    stopping = threading.Event()
    entries: list[int] = []

    def run(client: Client, rng: Random) -> None:
        count = 0
        while not stopping.is_set():
            assert client.record([attempt(rng)]).status == 200
            assert client.send("POST", f"/courses/{COURSE}/enrollment").status == 201
            assert client.send("DELETE", f"/courses/{COURSE}/enrollment").status == 204
            count += 3
        entries.append(count)
        client.close()

    threads = [threading.Thread(target=run, args=(one, Random(n)), daemon=True) for n, one in enumerate(accounts)]
    for one in threads:
        one.start()
    try:
        yield entries
    finally:
        stopping.set()
        for one in threads:
            one.join(30)
    assert len(entries) == len(accounts), "enrolling failed"


def folder(parent: Path, name: str) -> Path:
    made = parent / name
    made.mkdir()
    return made


def wait_for_workers(database: str, number: int, patience_s: float = 30.0) -> None:
    """A server is ready with its first worker; each has a session in the database by then."""
    statement = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    until = time.monotonic() + patience_s
    while (found := int(query(database, statement)[0][0])) < number:
        assert time.monotonic() < until, f"{number} workers were to serve, {found} have a session in the database"
        time.sleep(0.05)


def deadlocks(database: str) -> int:
    rows = query(database, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return int(rows[0][0])


def assert_all_is_there(database: str, tally: Tally, others: int) -> None:
    """The ledger holds what was sent and the others' entries, each once; the sums agree, and so does the audit."""
    held = ledger_ids(database)
    assert set(held.values()) == {1}
    assert held.keys() >= tally.keys(set(tally.sent))
    assert len(held) == len(tally.sent) + others
    assert attempts_by_step(database) >= tally.expected()
    assert_audit_is_clean(database)
