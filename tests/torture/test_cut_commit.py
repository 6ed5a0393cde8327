"""The connection to PostgreSQL is cut in the moment of COMMIT: nobody can know, and still all is counted once."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import psycopg
import pytest
import sqlalchemy as sa

from tests.postgres import Postgres
from tests.torture.client import COURSE, Client, Event, Guest, Lost, Reply, attempt, new_account, new_guest, prepare
from tests.torture.proof import assert_audit_is_clean, attempts_by_step, events_proved, ledger_ids
from tests.torture.proxy import Cut, Proxy
from tests.torture.server import Server

pytestmark = pytest.mark.long

ROUNDS = 12
AT_ONCE = 4
# What COMMIT itself runs: it goes on for a while after the connection that asked for it has gone.
SLOW_COMMITS = """
CREATE FUNCTION wait_a_while() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.7); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON ledger DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION wait_a_while();
"""


class Line(NamedTuple):
    """A server that reaches its database through the proxy; `database` is the straight way to it."""

    server: Server
    proxy: Proxy
    database: str


@pytest.fixture
def line(postgres: Postgres, postgresql_url: str, tmp_path: Path) -> Iterator[Line]:
    prepare(postgresql_url)
    name = sa.make_url(postgresql_url).database or ""
    with Proxy(f"{postgres.socket}/.s.PGSQL.5432") as proxy, Server(proxy.url(name), tmp_path) as server:
        yield Line(server, proxy, postgresql_url)


@pytest.mark.parametrize("with_all", [False, True], ids=["one connection", "all connections"])
@pytest.mark.parametrize("cut", Cut, ids=lambda cut: cut.name.lower())
def test_a_connection_cut_in_commit_changes_no_answer_and_counts_nothing_twice(
    line: Line, rng: Random, cut: Cut, with_all: bool
) -> None:
    calm, *others = (new_guest(line.server.port) for _ in range(1 + AT_ONCE))
    for guest in (calm, *others):  # from now on the server knows them, and asks the database nothing before it writes
        answer(line.server.port, guest, [attempt(Random(0))])
    for _ in range(ROUNDS):
        events = [attempt(rng) for _ in range(rng.choice((1, 1, 30)))]
        expected = answer(line.server.port, calm, events)
        line.proxy.arm(cut, with_all=with_all)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda guest: answer(line.server.port, guest, events), others))  # noqa: B023  # used up here
        assert answers == [expected] * AT_ONCE
    assert line.proxy.cuts == ROUNDS
    assert_all_count_the_same(line, [calm, *others])


@pytest.mark.parametrize("cut", Cut, ids=lambda cut: cut.name.lower())
def test_a_guest_whose_first_write_was_cut_exists_once(line: Line, rng: Random, cut: Cut) -> None:
    line.proxy.arm(cut)
    nobody = Client(line.server.port)
    reply = nobody.record([attempt(rng)])
    assert [one["status"] for one in reply.body["results"]] == ["recorded"], str(reply)
    cookie = reply.headers["set-cookie"].partition(";")[0]
    assert nobody.send("GET", "/progress", Cookie=cookie).body["attempts"] == 1
    assert assert_audit_is_clean(line.database) == {"learners": 1, "events": 1, "found": 0, "faults": []}


def test_nobody_is_answered_before_the_commit_and_without_it_nothing_is_there(line: Line, rng: Random) -> None:
    guest, release = new_guest(line.server.port), threading.Event()
    line.proxy.arm(Cut.BEFORE, until=release)
    with ThreadPoolExecutor(1) as pool:
        request = pool.submit(Client(line.server.port, guest.token).record, [attempt(rng)])
        assert line.proxy.reached.wait(20)
        time.sleep(0.3)
        assert not request.done(), "answered before COMMIT reached the database"
        line.server.kill()
        release.set()
        with pytest.raises(Lost):
            request.result(20)
    assert not ledger_ids(line.database)


@pytest.mark.parametrize("known", [True, False], ids=["a learner", "nobody"])
def test_a_commit_that_goes_on_after_its_connection_went_is_waited_for(line: Line, rng: Random, known: bool) -> None:
    client = Client(line.server.port, new_guest(line.server.port).token if known else None)
    with psycopg.connect(line.database) as connection:
        connection.execute(SLOW_COMMITS)
    line.proxy.arm(Cut.DURING)
    reply = client.record([attempt(rng) | {"score": 1}])
    assert [one["status"] for one in reply.body["results"]] == ["recorded"], str(reply)
    assert [one["type"] for one in reply.body["changes"]] == ["step_completed"]
    assert len(ledger_ids(line.database)) == 1
    assert_audit_is_clean(line.database)


@pytest.mark.parametrize("cut", Cut, ids=lambda cut: cut.name.lower())
@pytest.mark.parametrize(
    ("method", "path", "table"),
    [("POST", "/auth/guest", "session"), ("POST", f"/courses/{COURSE}/enrollment", "ledger")],
)
def test_other_writes_that_are_cut_are_done_or_unavailable_and_can_be_sent_again(
    line: Line, cut: Cut, method: str, path: str, table: str
) -> None:
    client = new_account(line.server.port)
    line.proxy.arm(cut, table=table)
    first = client.send(method, path)
    assert not line.proxy.is_armed
    assert first.status in {200, 201, 503}, str(first)
    assert client.send(method, path).status in {200, 201}
    assert_audit_is_clean(line.database)


def test_readers_get_an_answer_or_503_when_all_connections_are_cut(line: Line, rng: Random) -> None:
    client = Client(line.server.port, new_guest(line.server.port).token)
    assert client.record([attempt(rng)]).status == 200
    statuses = []
    for _ in range(ROUNDS):
        line.proxy.cut_all()
        statuses += [client.send("GET", f"/progress/courses/{COURSE}").status for _ in range(3)]
        assert statuses[-1] == 200
    assert set(statuses) <= {200, 503}


def answer(port: int, guest: Guest, events: list[Event]) -> dict[str, Any]:
    """What a learner is told about events that are recorded, but for the time at which they came in."""
    client = Client(port, guest.token)
    reply: Reply = client.record(events)
    client.close()
    assert reply.status == 200, str(reply)
    assert {one["status"] for one in reply.body["results"]} == {"recorded"}, str(reply)
    for step in reply.body["steps"]:
        del step["updated_at"]
    told: dict[str, Any] = reply.body
    return told


def assert_all_count_the_same(line: Line, guests: list[Guest]) -> None:
    attempts = attempts_by_step(line.database)
    by_guest = [{step: count for (learner, step), count in attempts.items() if learner == one.id} for one in guests]
    assert by_guest == by_guest[:1] * len(guests)
    assert set(ledger_ids(line.database).values()) == {1}
    assert events_proved(line.database) == sum(attempts.values())
