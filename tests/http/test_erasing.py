"""`DELETE /auth/me`: who may, what proves it, and that nothing serves the erased any more."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from headway.domain.times import MINUTE
from headway.http import who
from headway.ledger.audit import audit
from headway.store import learners
from headway.store.catalog import Catalog
from headway.store.schema import learner, ledger, session, throttle
from tests.http.server import PASSWORD, Site, serving
from tests.http.test_events import counted, event, send
from tests.http.test_identity import cookie_of


def erase(client: httpx2.Client, **sent: Any) -> httpx2.Response:
    return client.request("DELETE", "/auth/me", json=sent)


def written(client: httpx2.Client, *events: Any) -> int:
    """The status that a write is answered."""
    return client.post("/events", json={"events": events}).status_code


def assert_clean(site: Site) -> None:
    report = audit(site.database, Catalog())
    assert (report.found, report.faults) == (0, [])


def change(site: Site, statement: sa.Update) -> None:
    with site.database.transaction() as connection:
        connection.execute(statement)


def test_whoever_is_erased_is_gone_and_nobody_serves_them(site: Site) -> None:
    client, again = site.person("ada@example.org"), site.client()
    admin = site.person("root@example.org", "admin")
    again.post("/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
    send(client, event(response="zwitscher"))
    send(again, event())
    learner_id = client.get("/auth/me").json()["learner"]["id"]
    read = f"/progress?learner={learner_id}"
    tag = admin.get(read).headers["etag"]
    own_tag = client.get("/progress").headers["etag"]

    reply = erase(client, password=PASSWORD)
    assert (reply.status_code, reply.content) == (204, b"")
    assert "Max-Age=0" in cookie_of(reply, "headway_session")
    assert reply.headers["cache-control"] == "private, no-cache"

    assert admin.get(read, headers={"if-none-match": tag}).status_code == 404
    assert again.get("/progress", headers={"if-none-match": own_tag}).status_code == 200
    assert again.get("/auth/me").json() == {"kind": "nobody", "learner": None}
    # The session is remembered by the server; the transaction looks at it again.
    assert written(again, event()) == 401
    assert again.patch("/auth/me", json={"display_name": "Ada"}).status_code == 401
    entered = site.client().post("/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
    assert (entered.status_code, entered.json()["type"]) == (401, "/problems/wrong-credentials")
    assert erase(client, password=PASSWORD).status_code == 401
    assert_clean(site)
    # The address is free, and whoever takes it begins anew.
    anew = site.person("ada@example.org").get("/progress").json()
    assert (anew["steps_completed"], anew["attempts"]) == (0, 0)


@pytest.mark.parametrize("sent", [{}, {"password": None}, {"password": "wrong enough"}])
def test_without_the_password_nothing_is_erased(site: Site, sent: dict[str, Any]) -> None:
    client = site.person("ada@example.org")
    reply = erase(client, **sent)
    assert (reply.status_code, reply.json()["type"]) == (401, "/problems/wrong-credentials")
    assert client.get("/auth/me").json()["kind"] == "account"
    assert erase(client, password=PASSWORD).status_code == 204


def test_a_wrong_password_counts_as_a_failed_sign_in(sqlite_url: str) -> None:
    with serving(sqlite_url) as site:
        site.publish()
        client = site.person("ada@example.org")
    with serving(sqlite_url, rate_limits=True) as site:
        client = site.client(cookie=f"headway_session={client.cookies['headway_session']}")
        assert [erase(client, password="wrong enough").status_code for _ in range(11)] == [401] * 10 + [429]
        assert counted(site, throttle) > 0
        reply = site.client().post("/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
        assert reply.status_code == 429
        assert counted(site, learner) == 1


def test_an_account_without_a_password_is_erased_by_a_sign_in_of_a_moment_ago(site: Site) -> None:
    client = site.person("ada@example.org")
    change(site, sa.update(learner).values(password_hash=None))
    change(site, sa.update(session).values(created_at=who.now() - 11 * MINUTE))
    for sent in ({}, {"password": PASSWORD}, {"password": ""}):
        reply = erase(client, **sent)
        assert (reply.status_code, reply.json()["type"]) == (401, "/problems/unauthorized")
        assert "sign in once more" in reply.json()["detail"]
    change(site, sa.update(session).values(created_at=who.now() - 9 * MINUTE))
    assert client.delete("/auth/me").status_code == 204
    assert counted(site, learner) == 0


def test_a_guest_needs_nothing_but_its_token(site: Site) -> None:
    by_token, by_cookie = site.guest(), site.client()
    for client in (by_token, by_cookie):
        send(client, event())
    assert by_token.delete("/auth/me").status_code == 204
    assert by_token.get("/auth/me").status_code == 401
    assert "Max-Age=0" in cookie_of(by_cookie.delete("/auth/me"), "headway_guest")
    assert site.client().delete("/auth/me").status_code == 401
    assert counted(site, session) == 0
    assert_clean(site)


def test_another_site_erases_nobody(site: Site) -> None:
    client = site.person("ada@example.org")
    reply = client.request("DELETE", "/auth/me", json={"password": PASSWORD}, headers={"sec-fetch-site": "cross-site"})
    assert reply.status_code == 403
    assert client.get("/auth/me").json()["kind"] == "account"


def test_a_creators_courses_stay(site: Site) -> None:
    creator = site.person("ada@example.org", "creator")
    lesson = {"id": "s", "kind": "lesson", "title": "S"}
    manifest = {"id": "mine", "title": "Mine", "modules": [{"id": "m", "title": "M", "steps": [lesson]}]}
    assert creator.put("/courses/mine", json=manifest).status_code == 201
    assert erase(creator, password=PASSWORD).status_code == 204
    assert site.client().get("/courses/mine").status_code == 200
    other = site.person("bob@example.org", "creator")
    assert other.put("/courses/mine", json=manifest | {"title": "Yours"}).status_code == 404
    admin = site.person("root@example.org", "admin")
    assert admin.put("/courses/mine", json=manifest | {"title": "Ours"}).status_code == 200


@pytest.mark.parametrize("number", range(10))
def test_erasing_races_with_all_that_an_account_does(site: Site, number: int) -> None:
    email = f"ada{number}@example.org"
    client = site.person(email)
    token = client.cookies["headway_session"]
    send(client, event())

    def with_session() -> httpx2.Client:
        return site.client(cookie=f"headway_session={token}")

    def signing_in_with_a_guest() -> int:
        guest = site.client()
        send(guest, event())
        return guest.post("/auth/login", json={"email": email, "password": PASSWORD}).status_code

    def recorded(_: int) -> int:
        return written(with_session(), event(), event())

    def enrolled() -> int:
        return with_session().post("/courses/python-basics/enrollment").status_code

    def renamed() -> int:
        return with_session().patch("/auth/me", json={"display_name": "Zwitscher"}).status_code

    with ThreadPoolExecutor(8) as pool:
        others = [pool.submit(recorded, n) for n in range(4)]
        others += [pool.submit(enrolled), pool.submit(signing_in_with_a_guest), pool.submit(renamed)]
        erased = pool.submit(lambda: erase(with_session(), password=PASSWORD).status_code)
        others += [pool.submit(recorded, n) for n in range(3)]
    assert erased.result() == 204
    assert {one.result() for one in others} <= {200, 201, 401}
    with site.database.read() as connection:
        assert learners.by_email(connection, email) is None
        rows = connection.execute(sa.select(learner)).all()
        owners = set(connection.execute(sa.select(ledger.c.learner_id)).scalars())
    assert "Zwitscher" not in repr(rows)
    assert owners <= {row.id for row in rows}
    assert written(with_session(), event()) == 401
    assert_clean(site)
