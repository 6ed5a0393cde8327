"""Writes that come with a cookie from a page of another site are refused; those without cookies need no origin."""

import pytest

from headway.store.schema import learner, ledger
from tests.http.server import PASSWORD, Site
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
        ("POST", "/auth/password"),
        ("POST", "/auth/password/reset"),
        ("POST", "/auth/password/reset/confirm"),
        ("DELETE", "/auth/sessions/none"),
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


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
@pytest.mark.parametrize("path", ["/auth/login", "/auth/register", "/auth/guest", "/events", "/auth/password/reset"])
def test_a_page_of_another_site_can_sign_nobody_in(sqlite_site: Site, path: str, kind: str | None) -> None:
    """A form with no cookies along, for the browser keeps them back: the reply must not set any."""
    sent = f'{{"email": "eve@example.org", "password": "{PASSWORD}"}}'.encode()
    headers = {"sec-fetch-site": "cross-site"} | ({"content-type": kind} if kind else {})
    reply = sqlite_site.client().post(path, content=sent, headers=headers)
    assert (reply.status_code, reply.json()["type"]) == (403, "/problems/cross-site")
    assert "set-cookie" not in reply.headers
    assert counted(sqlite_site, learner) == 0


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_what_a_form_can_send_is_read_nowhere(sqlite_site: Site, kind: str) -> None:
    """An old browser says not where a form came from; what forms send is no JSON by its type."""
    sent = f'{{"email": "eve@example.org", "password": "{PASSWORD}"}}'.encode()
    reply = sqlite_site.client().post("/auth/register", content=sent, headers={"content-type": kind})
    assert reply.status_code == 415


def test_a_bearer_token_needs_no_origin(sqlite_site: Site) -> None:
    client = sqlite_site.guest()
    reply = client.post("/events", json={"events": [event()]}, headers={"sec-fetch-site": "cross-site"})
    assert reply.status_code == 200
