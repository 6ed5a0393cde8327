"""The header Authorization: a token of a bearer, or refused; nobody is taken for nobody by a slip of it."""

import pytest

from headway.store.schema import learner, ledger
from tests.http.server import Site
from tests.http.test_events import counted, event


@pytest.mark.parametrize("sent", ["Bearer", "bearer", "{token}", "Token {token}", "Bearer:{token}"])
def test_what_is_no_bearers_token_is_refused_and_makes_no_guest(site: Site, sent: str) -> None:
    token = site.client().post("/auth/guest").json()["token"]
    before = counted(site, learner)
    client = site.client(authorization=sent.format(token=token))
    reply = client.post("/events", json={"events": [event()]})
    assert (reply.status_code, counted(site, ledger), counted(site, learner)) == (401, 0, before)
    assert "`Authorization: Bearer TOKEN`" in reply.json()["detail"]
    assert client.get("/auth/me").status_code == 401
    for path in ("/auth/guest", "/auth/login", "/auth/logout", "/auth/device", "/auth/password/reset"):
        assert client.post(path, json={}).status_code == 401, path
    assert counted(site, learner) == before


@pytest.mark.parametrize("sent", ["Basic YWRhOnBhc3M=", 'Digest username="ada", realm="Acme, Bearer of news"'])
def test_what_a_proxy_asked_of_a_browser_is_nobodys_token(site: Site, sent: str) -> None:
    client = site.client(authorization=sent)
    assert client.post("/events", json={"events": [event()]}).status_code == 200
    assert client.get("/auth/me").json()["kind"] == "guest"
    assert counted(site, learner) == 1


@pytest.mark.parametrize(
    "sent", [("Bearer {token}", "Basic YTpi"), ("Basic YTpi", "Bearer {token}"), ("Bearer {token}",) * 2]
)
def test_two_who_say_who_asks_are_refused_and_make_no_guest(site: Site, sent: tuple[str, str]) -> None:
    token = site.client().post("/auth/guest").json()["token"]
    headers = [("authorization", one.format(token=token)) for one in sent]
    reply = site.client().post("/events", json={"events": [event()]}, headers=headers)
    assert (reply.status_code, counted(site, ledger), counted(site, learner)) == (401, 0, 1)


def test_cookies_and_tags_that_come_in_several_headers_all_count(site: Site) -> None:
    client = site.client()
    client.post("/events", json={"events": [event()]})
    mine = ("cookie", f"headway_guest={client.cookies['headway_guest']}")
    asking = site.client()
    found = asking.get("/progress", headers=[mine, ("cookie", "theme=dark")])
    assert found.json()["attempts"] == 1
    tags = [("if-none-match", found.headers["etag"]), ("if-none-match", '"another"')]
    assert asking.get("/progress", headers=[mine, *tags]).status_code == 304
