"""Signing in with a guest: what it did moves into the account, and whatever fails, nothing of it is lost."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from sqlalchemy import event as hooks
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from headway.ledger.audit import audit
from headway.store.catalog import Catalog
from headway.store.schema import learner
from tests.http.server import PASSWORD, Site
from tests.http.test_events import event, send
from tests.http.test_identity import cookie_of, sessions_of

SIGN_IN = {"email": "ada@example.org", "password": PASSWORD}


def clean(site: Site) -> bool:
    return audit(site.database, Catalog()).clean


def sign_in(client: httpx2.Client) -> httpx2.Response:
    reply = client.post("/auth/login", json=SIGN_IN)
    assert reply.status_code == 200, reply.text
    return reply


def attempts(client: httpx2.Client) -> int:
    found: int = client.get("/progress").json()["attempts"]
    return found


@contextmanager
def failing(statement: str) -> Iterator[None]:
    """A database that cannot carry out one kind of statement."""

    def strike(_connection: object, _cursor: object, asked: str, *_rest: object) -> None:
        if statement in asked:
            raise OperationalError(asked, {}, sqlite3.OperationalError("disk I/O error"))

    hooks.listen(Engine, "before_cursor_execute", strike)
    try:
        yield
    finally:
        hooks.remove(Engine, "before_cursor_execute", strike)


def test_signing_in_moves_the_guest_and_takes_its_cookie(site: Site) -> None:
    ada = site.person("ada@example.org")
    send(ada, event(score=0.5))
    client = site.client()
    send(client, event(score=1), event("for-1", type="completed"))
    token = client.cookies["headway_guest"]
    reply = sign_in(client)
    body = reply.json()
    assert (body["merged"], body["merge_failed"]) == ({"steps": 2, "events": 2, "certificates": 0}, False)
    assert body["learner"] == ada.get("/auth/me").json()["learner"]
    assert "Max-Age=0" in cookie_of(reply, "headway_guest")
    assert set(client.cookies) == {"headway_session"}
    assert (attempts(client), attempts(ada)) == (2, 2)
    # The secret is dead: as a bearer it is refused, as a cookie it reads as nobody, and a write takes it away.
    assert site.client(token).get("/progress").status_code == 401
    late = site.client(cookie=f"headway_guest={token}")
    assert late.get("/auth/me").json() == {"kind": "nobody", "learner": None}
    refused = late.post("/events", json={"events": [event()]})
    assert refused.status_code == 401
    assert "Max-Age=0" in cookie_of(refused, "headway_guest")
    assert clean(site)


def test_signing_in_without_a_guest_and_with_a_dead_one_moves_nothing(site: Site) -> None:
    site.person("ada@example.org")
    assert sign_in(site.client()).json()["merged"] is None
    reply = sign_in(site.client(cookie="headway_guest=never-there"))
    assert (reply.json()["merged"], reply.json()["merge_failed"]) == (None, False)
    assert "Max-Age=0" in cookie_of(reply, "headway_guest")


def test_signing_in_with_a_guests_bearer_moves_it_as_well(site: Site) -> None:
    site.person("ada@example.org")
    terminal = site.guest()
    send(terminal, event())
    reply = sign_in(terminal)
    assert reply.json()["merged"]["events"] == 1
    assert [one for one in reply.headers.get_list("set-cookie") if "guest" in one] == []
    assert terminal.get("/auth/me").status_code == 401


def test_a_wrong_password_leaves_the_guest_as_it_is(site: Site) -> None:
    site.person("ada@example.org")
    client = site.client()
    send(client, event())
    reply = client.post("/auth/login", json=SIGN_IN | {"password": "wrong and long"})
    assert (reply.status_code, "set-cookie" in reply.headers) == (401, False)
    assert client.get("/auth/me").json()["kind"] == "guest"


@pytest.mark.parametrize("statement", ["INSERT INTO step_sum", "DELETE FROM day_sum", "UPDATE learner SET merged_into"])
def test_a_move_that_fails_leaves_the_guest_and_the_next_sign_in_moves_all(site: Site, statement: str) -> None:
    site.person("ada@example.org")
    client = site.client()
    send(client, event(), event())
    token = client.cookies["headway_guest"]
    with failing(statement):
        reply = sign_in(client)
    body = reply.json()
    assert (body["merged"], body["merge_failed"]) == (None, True)
    assert not [one for one in reply.headers.get_list("set-cookie") if "guest" in one]
    assert set(client.cookies) == {"headway_session", "headway_guest"}
    assert (client.get("/auth/me").json()["kind"], attempts(client)) == ("account", 0)
    assert clean(site)
    # The guest goes on where the session ends, and nothing that it did is lost.
    with site.client(cookie=f"headway_guest={token}") as guest:
        assert send(guest, event())["steps"][0]["attempts"] == 3
    again = sign_in(client).json()
    assert (again["merged"], again["merge_failed"]) == ({"steps": 1, "events": 3, "certificates": 0}, False)
    assert set(client.cookies) == {"headway_session"}
    assert attempts(client) == 3
    assert clean(site)


def test_two_sign_ins_at_once_with_the_same_guest_cookie_move_it_once(site: Site) -> None:
    site.person("ada@example.org")
    for _ in range(5):
        with site.client() as client:
            send(client, event())
            cookie = f"headway_guest={client.cookies['headway_guest']}"

        def again(_: int, cookie: str = cookie) -> Any:
            with site.client(cookie=cookie) as client:
                return sign_in(client).json()

        with ThreadPoolExecutor(2) as pool:
            bodies = list(pool.map(again, range(2)))
        assert sorted(body["merged"]["events"] if body["merged"] else 0 for body in bodies) == [0, 1]
        assert [body["merge_failed"] for body in bodies] == [False, False]
    assert clean(site)


def test_registering_while_the_guest_writes_keeps_its_id_and_loses_nothing(site: Site) -> None:
    refused = 0
    for n in range(6):
        with site.client() as client:
            send(client, event())
            guest_id = client.get("/auth/me").json()["learner"]["id"]
            cookie = f"headway_guest={client.cookies['headway_guest']}"
            sent = [event() for _ in range(6)]

            def write(one: Any, cookie: str = cookie) -> int:
                with site.client(cookie=cookie) as tab:
                    return tab.post("/events", json={"events": [one]}).status_code

            with ThreadPoolExecutor(4) as pool:
                registering = pool.submit(
                    client.post, "/auth/register", json={"email": f"{n}@example.org", "password": PASSWORD}
                )
                written = list(pool.map(write, sent))
                assert registering.result().json()["learner"]["id"] == guest_id
            assert set(written) <= {200, 401}
            refused += written.count(401)
            for one, status in zip(sent, written, strict=True):
                if status == 401:  # what a client does then
                    assert send(client, one)["results"][0]["status"] == "recorded"
            assert attempts(client) == 7
    assert clean(site)


def test_a_retry_after_the_move_is_a_duplicate(site: Site) -> None:
    site.person("ada@example.org")
    client = site.client()
    sent = event(score=0.5)
    send(client, sent)
    sign_in(client)
    again = send(client, sent, sent | {"score": 1})["results"]
    assert [one["status"] for one in again] == ["duplicate", "refused"]
    assert again[1]["problem"]["type"] == "/problems/id-reused"
    assert attempts(client) == 1


def test_a_terminals_guest_moves_into_the_account_that_is_signed_in(site: Site) -> None:
    ada, terminal = site.person("ada@example.org"), site.client()
    token = terminal.post("/auth/guest").json()["token"]
    send(site.client(token), event(), event())
    reply = ada.post("/auth/merge", json={"guest_token": token})
    assert (reply.status_code, reply.json()) == (200, {"merged": {"steps": 1, "events": 2, "certificates": 0}})
    assert "set-cookie" not in reply.headers
    assert site.client(token).post("/events", json={"events": [event()]}).status_code == 401
    again = ada.post("/auth/merge", json={"guest_token": token})
    assert (again.status_code, again.json()) == (200, {"merged": None})
    assert attempts(ada) == 2
    assert clean(site)


def test_a_personal_token_that_may_write_moves_a_guest_and_no_other_does(site: Site) -> None:
    ada, terminal = site.person("ada@example.org"), site.client()
    token = terminal.post("/auth/guest").json()["token"]
    for scopes, status in ((["read"], 403), (["read", "write"], 200)):
        made = ada.post("/auth/tokens", json={"name": "terminal", "scopes": scopes}).json()["token"]
        assert site.client(made).post("/auth/merge", json={"guest_token": token}).status_code == status


def test_a_token_that_is_no_guests_moves_nothing(site: Site) -> None:
    ada, ben = site.person("ada@example.org"), site.person("ben@example.org")
    send(ben, event())
    for token in (ben.cookies["headway_session"], ada.cookies["headway_session"], "never-there", "ü" * 200):
        reply = ada.post("/auth/merge", json={"guest_token": token})
        assert (reply.status_code, reply.json()) == (200, {"merged": None})
    assert (attempts(ben), len(sessions_of(site))) == (1, 2)


@pytest.mark.parametrize("sent", [{}, {"guest_token": ""}, {"guest_token": "x" * 201}, {"guest_token": 7}])
def test_what_is_no_token_names_its_field(sqlite_site: Site, sent: Any) -> None:
    reply = sqlite_site.person("ada@example.org").post("/auth/merge", json=sent)
    assert (reply.status_code, [one["field"] for one in reply.json()["errors"]]) == (422, ["guest_token"])


def test_guests_and_nobody_move_no_guests(sqlite_site: Site) -> None:
    token = sqlite_site.client().post("/auth/guest").json()["token"]
    assert sqlite_site.client().post("/auth/merge", json={"guest_token": token}).status_code == 401
    assert sqlite_site.guest().post("/auth/merge", json={"guest_token": token}).status_code == 403


def test_a_move_by_post_that_fails_is_503_and_changes_nothing(site: Site) -> None:
    ada = site.person("ada@example.org")
    token = site.client().post("/auth/guest").json()["token"]
    send(site.client(token), event())
    with failing("UPDATE learner SET merged_into"):
        reply = ada.post("/auth/merge", json={"guest_token": token})
    assert (reply.status_code, int(reply.headers["retry-after"]) > 0) == (503, True)
    assert send(site.client(token), event())["steps"][0]["attempts"] == 2
    assert ada.post("/auth/merge", json={"guest_token": token}).json()["merged"]["events"] == 2


def test_an_account_that_is_signed_out_meanwhile_moves_nothing(site: Site) -> None:
    ada = site.person("ada@example.org")
    cookie = f"headway_session={ada.cookies['headway_session']}"
    token = site.client().post("/auth/guest").json()["token"]
    ada.patch("/auth/me", json={})  # from here on the session is remembered
    with site.database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM session WHERE kind = 'account'")
    reply = site.client(cookie=cookie).post("/auth/merge", json={"guest_token": token})
    assert reply.status_code == 401
    assert "Max-Age=0" in cookie_of(reply, "headway_session")
    with site.database.read() as connection:
        rows = connection.execute(learner.select()).mappings()
        assert {row["merged_into"] for row in rows} == {None}


def test_all_that_the_guest_sent_is_in_the_accounts_list_of_events(site: Site) -> None:
    ada = site.person("ada@example.org")
    first, second, third = event(), event(), event()
    client = site.client()
    send(ada, first)
    send(client, second)
    send(ada, third)
    sign_in(client)
    found, cursor = [], None
    while True:
        params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = client.get("/progress/events", params=params).json()
        found += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == [third["id"], second["id"], first["id"]]
