"""Where an account is signed in, and what happened to it."""

from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from headway.http import who
from headway.http.agents import name_of
from headway.store.schema import security_event, session
from tests.http.server import PASSWORD, Site, serving
from tests.http.test_events import counted, event, send

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def sign_in(site: Site, agent: str = FIREFOX, **headers: str) -> httpx2.Client:
    client = site.client(**{"user-agent": agent}, **headers)
    assert client.post("/auth/login", json={"email": "ada@example.org", "password": PASSWORD}).status_code == 200
    return client


def listed(client: httpx2.Client, what: str = "sessions", **query: Any) -> list[dict[str, Any]]:
    reply = client.get(f"/auth/{what}", params=query)
    assert reply.status_code == 200, reply.text
    items: list[dict[str, Any]] = reply.json()["items"]
    return items


def test_sessions_are_listed_newest_first_with_the_clients_name(site: Site) -> None:
    site.person("bob@example.org")
    site.person("ada@example.org")
    client = sign_in(site)
    found = listed(client)
    assert [(one["name"], one["current"]) for one in found] == [("Firefox on Linux", True), ("python-httpx2", False)]
    assert found[0]["created_at"] <= found[0]["last_used_at"] < found[0]["expires_at"]
    assert set(found[0]) == {"id", "name", "created_at", "last_used_at", "expires_at", "current"}


def test_sessions_come_in_pages(site: Site) -> None:
    site.person("ada@example.org")
    client = [sign_in(site) for _ in range(4)][-1]
    whole = listed(client)
    first = client.get("/auth/sessions", params={"limit": 3}).json()
    rest = client.get("/auth/sessions", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert (first["items"] + rest["items"], rest["next_cursor"]) == (whole, None)
    assert client.get("/auth/sessions", params={"cursor": "forged"}).status_code == 400


def test_a_session_that_is_revoked_is_over_at_once(site: Site) -> None:
    site.person("ada@example.org")
    lost, kept = sign_in(site), sign_in(site)
    send(lost, event())  # the server remembers the session now
    (lost_id,) = [one["id"] for one in listed(lost) if one["current"]]
    done = kept.delete(f"/auth/sessions/{lost_id}")
    assert (done.status_code, done.content) == (204, b"")
    assert lost.post("/events", json={"events": [event()]}).status_code == 401
    assert lost.get("/auth/me").json()["kind"] == "nobody"
    assert lost_id not in [one["id"] for one in listed(kept)]
    assert kept.delete(f"/auth/sessions/{lost_id}").status_code == 404


def test_who_revokes_the_own_session_is_signed_out(site: Site) -> None:
    client = site.person("ada@example.org")
    (own,) = listed(client)
    done = client.delete(f"/auth/sessions/{own['id']}")
    assert "Max-Age=0" in done.headers["set-cookie"]
    assert client.get("/auth/me").json()["kind"] == "nobody"


def test_anothers_session_reads_like_none(site: Site) -> None:
    ada, bob = site.person("ada@example.org"), site.person("bob@example.org")
    (own,) = listed(ada)
    guest = site.guest()
    send(guest, event())
    with site.database.read() as connection:
        of_guest = connection.execute(sa.select(session.c.id).where(session.c.kind == "guest")).scalar_one()
    replies = [
        bob.delete(f"/auth/sessions/{one}")
        for one in (own["id"], of_guest, "0b9f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c11", "none", own["id"].upper())
    ]
    told = [{name: value for name, value in one.json().items() if name != "request_id"} for one in replies]
    assert all(one == told[0] for one in told)
    assert told[0]["status"] == 404
    assert len(listed(ada)) == 1


def test_a_token_is_no_session(site: Site) -> None:
    client = site.person("ada@example.org")
    token_id = client.post("/auth/tokens", json={"name": "sync", "scopes": ["read"]}).json()["id"]
    assert token_id not in [one["id"] for one in listed(client)]
    assert client.delete(f"/auth/sessions/{token_id}").status_code == 404
    assert [one["id"] for one in client.get("/auth/tokens").json()["items"]] == [token_id]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/auth/sessions"), ("GET", "/auth/security-events"), ("DELETE", "/auth/sessions/none")]
)
def test_it_is_an_accounts_alone(sqlite_site: Site, method: str, path: str) -> None:
    assert sqlite_site.client().request(method, path).status_code == 401
    assert sqlite_site.guest().request(method, path).status_code == 403


def test_what_happened_is_told_to_whom_it_happened(database_url: str) -> None:
    with serving(database_url, trusted_proxies="127.0.0.1") as site:
        site.person("bob@example.org")
        site.person("ada@example.org", "creator")
        with site.client(**{"x-forwarded-for": "203.0.113.9"}) as stranger:
            stranger.post("/auth/login", json={"email": "ada@example.org", "password": "a wrong one"})
        client = sign_in(site)
        other = sign_in(site)
        (current,) = [one["id"] for one in listed(other) if one["current"]]
        client.delete(f"/auth/sessions/{current}")
        changed = {"current_password": PASSWORD, "new_password": "a staple that is right"}
        assert client.post("/auth/password", json=changed).status_code == 204
        found = listed(client, "security-events")
        assert [(one["kind"], one["address"], one["detail"]) for one in found] == [
            ("password-changed", "127.0.0.1", None),
            ("session-revoked", "127.0.0.1", "Firefox on Linux"),
            ("signed-in", "127.0.0.1", "Firefox on Linux"),
            ("signed-in", "127.0.0.1", "Firefox on Linux"),
            ("sign-in-failed", "203.0.113.9", None),
            ("signed-in", "127.0.0.1", "python-httpx2"),
            ("role-given", None, "creator"),
        ]
        client.post("/auth/logout")
        with site.database.read() as connection:
            newest = sa.select(security_event.c.kind).order_by(security_event.c.at.desc()).limit(1)
            assert connection.execute(newest).scalar_one() == "signed-out"


def test_what_happened_comes_in_pages(site: Site) -> None:
    client = site.person("ada@example.org")
    for _ in range(5):
        client.post("/auth/login", json={"email": "ada@example.org", "password": "a wrong one"})
    whole, cursor, found = listed(client, "security-events"), None, []
    while True:
        page = client.get("/auth/security-events", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == whole
    assert len(whole) == 6


def test_a_wrong_password_for_an_address_that_nobody_has_is_noted_without_it(site: Site) -> None:
    site.client().post("/auth/login", json={"email": "my.password@example.org", "password": PASSWORD})
    with site.database.read() as connection:
        (noted,) = connection.execute(sa.select(security_event)).mappings()
    assert (noted["kind"], noted["learner_id"], noted["address"]) == ("sign-in-failed", None, "127.0.0.1")
    assert "my.password" not in str(dict(noted))


def test_signing_in_never_takes_over_a_session_that_was_given(site: Site) -> None:
    """Whoever planted a cookie in the browser must not hold the session that the sign-in opens (fixation)."""
    site.person("ada@example.org")
    client = site.client(cookie="headway_session=planted")
    client.post("/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
    assert site.client("planted").get("/auth/me").status_code == 401
    assert counted(site, session) == 2
    assert who.now() > 0


AGENTS = [
    (FIREFOX, "Firefox on Linux"),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/138.0 Safari/537.36",
        "Chrome on Windows",
    ),
    (
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/138.0 Safari/537.36 Edg/138.0"),
        "Edge on Windows",
    ),
    (
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML) Version/18.5 Safari/605.1.15"),
        "Safari on macOS",
    ),
    (
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML) Version/18.5"
            " Mobile/15E148 Safari/604.1"
        ),
        "Safari on iPhone",
    ),
    (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0 Mobile Safari/537.36",
        "Chrome on Android",
    ),
    ("curl/8.5.0", "curl"),
    ("headway-cli/0.1 (Linux)", "headway-cli on Linux"),
    ("Mozilla/5.0", None),
    ("", None),
    ("\x1b[31m<script>", None),
    ("x" * 500, "x" * 60),
]


@pytest.mark.parametrize(("agent", "name"), AGENTS)
def test_a_client_is_named_in_few_words(agent: str, name: str | None) -> None:
    assert name_of(agent.encode()) == name
    assert name_of(None) is None
