"""When the server cannot write or read: 503 with Retry-After, nothing refused, nothing lost."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from headway.http.claim import claimed
from headway.ledger import writer
from headway.store.database import Database
from headway.store.schema import ledger
from tests.http.server import Site, serving
from tests.http.test_events import counted, event, send
from tests.postgres import Postgres
from tests.torture.server import Command, Server


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    give_up = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < give_up, "waited for too long"
        time.sleep(0.02)


def unavailable(reply: httpx2.Response, code: str) -> None:
    assert (reply.status_code, reply.json()["type"]) == (503, f"/problems/{code}"), reply.text
    assert int(reply.headers["retry-after"]) >= 1
    assert reply.headers["content-type"] == "application/problem+json"


def test_a_full_queue_is_503_and_what_waits_is_recorded_all_the_same(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "EVENTS_WAITING_MAX", 40)
    token = sqlite_site.client().post("/auth/guest").json()["token"]

    def ten(_: int) -> Any:
        with sqlite_site.client(token) as client:
            return send(client, *(event() for _ in range(10)))

    send(sqlite_site.client(token), event())  # from here on the session is remembered
    with ThreadPoolExecutor(4) as pool:
        with sqlite_site.database.transaction():  # another process writes, and takes its time
            waiting = [pool.submit(ten, number) for number in range(4)]
            health = sqlite_site.client()
            until(lambda: health.get(f"{sqlite_site.url}/health/ready").json()["waiting_events"] == 40)
            unavailable(sqlite_site.client(token).post("/events", json={"events": [event()]}), "busy")
            assert not any(one.done() for one in waiting)
        statuses = {result["status"] for one in waiting for result in one.result()["results"]}
    assert statuses == {"recorded"}
    assert counted(sqlite_site, ledger) == 41
    assert send(sqlite_site.client(token), event())["results"][0]["status"] == "recorded"


def cut_off(postgres: Postgres, url: str, site: Site, by: str) -> str:
    """Alter the database so, and end all of its sessions; its name."""
    name = "headway_" + url.partition("headway_")[2].partition("?")[0]
    site.database.close()
    postgres.execute(
        f"ALTER DATABASE {name} {by}",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    return name


def test_without_a_database_everything_is_503_until_it_is_back(postgres: Postgres) -> None:
    with postgres.fresh() as url, serving(url) as site:
        site.publish()
        client, ada = site.guest(), site.person("ada@example.org")
        send(client, event())
        name = cut_off(postgres, url, site, "ALLOW_CONNECTIONS false")
        unavailable(client.post("/events", json={"events": [event()]}), "unavailable")
        for path in ("/progress", "/courses", "/courses/python-basics", "/auth/me"):
            unavailable(client.get(path), "unavailable")
        unavailable(ada.patch("/auth/me", json={"display_name": "Ada"}), "unavailable")
        unavailable(site.client().post("/auth/login", json={"email": "a@b.c", "password": "x"}), "unavailable")
        ready = client.get(f"{site.url}/health/ready")
        assert (ready.status_code, ready.json()["reachable"]) == (503, False)
        assert client.get(f"{site.url}/health/live").status_code == 200
        postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert client.get("/progress").status_code == 200
        assert send(client, event())["steps"][0]["attempts"] == 2


def test_one_that_takes_no_writes_is_503_and_left_once_another_does(postgres: Postgres) -> None:
    """As a primary is that became a standby, while the address leads to the next one."""
    with postgres.fresh() as url, serving(url) as site:
        site.publish()
        client, ada = site.guest(), site.person("ada@example.org")
        send(client, event())
        name = cut_off(postgres, url, site, "SET default_transaction_read_only = on")
        unavailable(client.post("/events", json={"events": [event()]}), "unavailable")
        new = {"email": "bob@example.org", "password": "correct horse battery"}
        unavailable(site.client().post("/auth/register", json=new), "unavailable")
        unavailable(ada.patch("/auth/me", json={"display_name": "Ada"}), "unavailable")
        postgres.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        assert ada.patch("/auth/me", json={"display_name": "Ada"}).status_code == 200
        assert site.client().post("/auth/register", json=new).status_code == 201
        assert send(client, event())["steps"][0]["attempts"] == 2


def test_a_server_that_stops_answers_what_it_has_taken(sqlite_url: str) -> None:
    with serving(sqlite_url) as site:
        site.publish()
        token = site.client().post("/auth/guest").json()["token"]

        def hundred(_: int) -> Any:
            with site.client(token) as client:
                return send(client, *(event() for _ in range(100)))

        with ThreadPoolExecutor(8) as pool:
            replies = [pool.submit(hundred, number) for number in range(8)]
            until(lambda: any(one.done() for one in replies))
    database = Database(sqlite_url)
    try:
        acknowledged = sum(len(one.result()["results"]) for one in replies)
        assert counted(Site(0, database), ledger) == acknowledged == 800
    finally:
        database.close()


def test_a_sqlite_file_has_one_server(sqlite_url: str, tmp_path: Any) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    with serving(sqlite_url):
        second = Command("serve", "--port", "0", "--database", sqlite_url)
        assert second.code == 1
        assert "another server is at work" in second.err
    with Server(sqlite_url, folder) as first:
        assert first.stop() == 0


def test_a_claim_nests_within_its_process_and_is_given_back(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    try:
        with claimed(database), claimed(database):
            pass
        with claimed(database):
            assert Command("serve", "--port", "0", "--database", sqlite_url).code == 1
    finally:
        database.close()


def test_a_course_that_is_damaged_is_503_and_named_in_the_log_and_all_else_goes_on(database_url: str) -> None:
    with serving(database_url) as site:
        site.publish()
    database = Database(database_url)
    with database.transaction() as connection:
        connection.exec_driver_sql("UPDATE course_version SET manifest = '{}'")
    database.close()
    with serving(database_url) as site, capture_logs() as log:
        client = site.guest()
        unavailable(client.get("/courses/python-basics"), "course-damaged")
        refused = client.post("/events", json={"events": [event()]})
        unavailable(refused, "course-damaged")
        assert "manifest" not in refused.json()["detail"]
        assert client.get("/progress").status_code == 200
        assert client.get("/courses").status_code == 200
    named = "version 1 of the course 'python-basics' is damaged in the database"
    assert [line["detail"].startswith(named) for line in log if line["event"] == "course_damaged"] == [True, True]
    assert not [line for line in log if line["event"] == "defect"]
