"""Writes that come with a cookie from a page of another site are refused; those without cookies need no origin."""

import pytest

from headway.store.schema import ledger
from tests.http.server import Site
from tests.http.test_events import counted, event, send

CROSS = [
    ({"sec-fetch-site": "cross-site"}, 403),
    ({"sec-fetch-site": "same-site"}, 403),
    ({"sec-fetch-site": "same-origin", "origin": "https://evil.example"}, 200),
    ({"sec-fetch-site": "none"}, 200),
    ({"origin": "https://evil.example"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "http://{host}"}, 200),
    ({"origin": "http://{host}.evil.example"}, 403),
    ({"origin": "https://headway.example.org", "host": "Headway.Example.org"}, 200),
    ({}, 200),
]


@pytest.mark.parametrize(("headers", "status"), CROSS)
def test_a_write_with_a_cookie_from_another_site_is_403(
    sqlite_site: Site, headers: dict[str, str], status: int
) -> None:
    client = sqlite_site.client()
    send(client, event())
    sent = {name: value.format(host=f"127.0.0.1:{sqlite_site.port}") for name, value in headers.items()}
    reply = client.post("/events", json={"events": [event()]}, headers=sent)
    assert reply.status_code == status
    assert status == 200 or reply.json()["type"] == "/problems/cross-site"
    assert counted(sqlite_site, ledger) == (2 if status == 200 else 1)
    assert client.get("/auth/me", headers=sent).status_code == 200  # reading is harmless


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/auth/logout"),
        ("POST", "/auth/login"),
        ("POST", "/auth/register"),
        ("POST", "/auth/guest"),
        ("PATCH", "/auth/me"),
        ("PUT", "/courses/python-basics"),
        ("POST", "/courses/python-basics/enrollment"),
        ("DELETE", "/courses/python-basics/enrollment"),
        ("POST", "/courses/python-basics/steps/fizz/completion"),
        ("POST", "/courses/python-basics/steps/quiz/attempts"),
        ("POST", "/events"),
    ],
)
def test_every_write_looks_where_its_cookie_comes_from(sqlite_site: Site, method: str, path: str) -> None:
    client = sqlite_site.person("ada@example.org")
    reply = client.request(method, path, json={}, headers={"sec-fetch-site": "cross-site"})
    assert (reply.status_code, reply.json()["type"]) == (403, "/problems/cross-site")


def test_a_bearer_token_needs_no_origin(sqlite_site: Site) -> None:
    client = sqlite_site.guest()
    reply = client.post("/events", json={"events": [event()]}, headers={"sec-fetch-site": "cross-site"})
    assert reply.status_code == 200
