"""The operator's commands beside a server at work, and what a second server may do."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest

from tests.torture.client import Client, attempt, new_guest, prepare, publish
from tests.torture.load import Tally, load, wait_for
from tests.torture.proof import assert_audit_is_clean, attempts_by_step, ledger_ids, query
from tests.torture.server import HEADWAY, Command, Server, environment, several

pytestmark = pytest.mark.long

IMPORTED = 2000
PUBLISHED = 3
KILLED_IMPORT = 12_000
IMPORT_KILLS = 3
COUNT = "SELECT count(*) FROM ledger"
PACE_S = 0.01


def test_a_second_server_on_a_sqlite_file_says_so_and_stops_while_the_first_goes_on(
    sqlite_url: str, tmp_path: Path, rng: Random
) -> None:
    prepare(sqlite_url)
    with Server(sqlite_url, tmp_path) as first:
        tally = Tally([new_guest(first.port)])
        with load(tally, rng, first.port, connections=4, pace_s=PACE_S):
            second = Command("serve", "--port", "0", "--database", sqlite_url)
            assert second.code == 1, str(second)
            assert "another server is at work" in second.err
            assert "Traceback" not in second.err
            wait_for(100, tally)
        assert set(tally.statuses) == {200}
        first.kill()
        # The lock went with its process, whatever way that ended.
        first.start()
        tally.send_the_rest(first.port)


def test_two_servers_that_start_at_once_on_an_empty_database_both_come_up(
    new_postgresql_url: str, tmp_path: Path, rng: Random
) -> None:
    first, second = (Server(new_postgresql_url, made(tmp_path / name)) for name in ("first", "second"))
    with several(first, second):
        publish(new_postgresql_url)
        guest = new_guest(first.port)
        for one in (first, second):
            assert Client(one.port, guest.token).record([attempt(rng)]).body["results"][0]["status"] == "recorded"
    assert_audit_is_clean(new_postgresql_url)


def test_a_published_version_counts_for_the_next_event_of_a_running_server(server: Server, rng: Random) -> None:
    tally = Tally([new_guest(server.port)])
    client = Client(server.port, tally.guests[0].token)
    with load(tally, rng, server.port, connections=4, pace_s=PACE_S):
        for number in range(PUBLISHED):
            step = f"new-{number}"
            refused = client.record([attempt(rng, step)]).body["results"][0]
            assert (refused["status"], refused["problem"]["type"]) == ("refused", "/problems/unknown-step")
            publish(server.database, *(f"new-{one}" for one in range(number + 1)))
            assert client.record([attempt(rng, step)]).body["results"][0]["status"] == "recorded"
    assert set(tally.statuses) == {200}
    assert_audit_is_clean(server.database)


def test_a_new_course_is_seen_at_once_by_a_running_server(server: Server, rng: Random) -> None:
    client = Client(server.port, new_guest(server.port).token)
    event = attempt(rng, course="another")
    assert client.record([event]).body["results"][0]["problem"]["type"] == "/problems/unknown-course"
    publish(server.database, course="another")
    assert client.record([event]).body["results"][0]["status"] == "recorded"
    assert client.send("GET", "/courses/another").status == 200


def test_an_import_beside_a_loaded_server_adds_up_with_it(server: Server, tmp_path: Path, rng: Random) -> None:
    tally, path = Tally([new_guest(server.port) for _ in range(6)]), tmp_path / "events.jsonl"
    lines = [attempt(rng) | {"learner": f"imported-{number % 50}"} for number in range(IMPORTED)]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    beside_load(server, rng, tally, lambda: Command("import", "jsonl", str(path), "--database", server.database))
    assert len(ledger_ids(server.database)) == IMPORTED + len(tally.sent)
    again = Command("import", "jsonl", str(path), "--database", server.database)
    assert again.code == 0, str(again)
    assert len(ledger_ids(server.database)) == IMPORTED + len(tally.sent)
    assert_audit_is_clean(server.database)


def test_an_import_that_is_killed_over_and_over_and_resumed_counts_each_event_once(
    server: Server, tmp_path: Path, rng: Random
) -> None:
    path = tmp_path / "events.jsonl"
    lines = [attempt(rng) | {"learner": f"imported-{number % 50}"} for number in range(KILLED_IMPORT)]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    arguments = "import", "jsonl", str(path), "--database", server.database
    client = Client(server.port, new_guest(server.port).token)
    for _ in range(IMPORT_KILLS):
        kill_when_under_way(server.database, arguments)
        assert client.record([attempt(rng)]).status == 200
    done = Command(*arguments)
    assert done.code == 0, str(done)
    assert len(ledger_ids(server.database)) == KILLED_IMPORT + IMPORT_KILLS
    assert_audit_is_clean(server.database)


def kill_when_under_way(database: str, arguments: Sequence[str]) -> None:
    """Start a command, and kill -9 it once it has committed something."""
    before = query(database, COUNT)
    with subprocess.Popen([HEADWAY, *arguments], env=environment(), stderr=subprocess.DEVNULL) as importing:
        while importing.poll() is None and query(database, COUNT) == before:
            time.sleep(0.005)
        importing.kill()
    assert importing.returncode == -signal.SIGKILL, "the import was done before it could be killed"


def test_rebuild_and_audit_beside_a_loaded_server_find_nothing(server: Server, rng: Random) -> None:
    tally = Tally([new_guest(server.port) for _ in range(6)])
    rebuilt = beside_load(server, rng, tally, lambda: Command("rebuild", "--json", "--database", server.database))
    assert json.loads(rebuilt.out)["updated"] == 0
    beside_load(server, rng, tally, lambda: Command("audit", "--json", "--database", server.database))
    assert attempts_by_step(server.database) == tally.expected()
    assert_audit_is_clean(server.database)


def test_rebuild_mends_a_falsified_sum_beside_a_loaded_server(server: Server, rng: Random) -> None:
    tally = Tally([new_guest(server.port) for _ in range(6)])
    with load(tally, rng, server.port, connections=4, pace_s=PACE_S):
        wait_for(300, tally)
    falsify(server.database)
    assert Command("audit", "--database", server.database).code == 1
    beside_load(server, rng, tally, lambda: Command("rebuild", "--database", server.database))
    assert attempts_by_step(server.database) == tally.expected()
    assert_audit_is_clean(server.database)


def beside_load(server: Server, rng: Random, tally: Tally, command: Callable[[], Command]) -> Command:
    """Run a command while the server is loaded: it succeeds, and no request fails or stays without an answer."""
    with load(tally, rng, server.port, connections=6, pace_s=PACE_S) as loaders:
        wait_for(200, tally)
        done = command()
        assert done.code == 0, str(done)
        wait_for(200, tally)
    assert set(tally.statuses) == {200}
    assert not [one.lost for one in loaders if one.lost]
    assert len(tally.acknowledged) == len(tally.sent)
    return done


def falsify(database: str) -> None:
    """Give every step five attempts more than there were."""
    from headway.store.database import Database

    opened = Database(database)
    with opened.transaction() as connection:
        connection.exec_driver_sql("UPDATE step_sum SET attempts = attempts + 5")
    opened.close()
    assert query(database, "SELECT min(attempts) FROM step_sum")[0][0] > 5


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder
