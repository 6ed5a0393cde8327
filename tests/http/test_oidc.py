"""Signing in by another provider, a real one: npm's oidc-provider."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import sqlalchemy as sa

from headway.settings import OidcProvider
from headway.store.schema import external_sign_in, learner, session
from tests.http.providers import at_provider, begun, lying_provider, real_provider, signed_in_by
from tests.http.server import PASSWORD, Site, serving
from tests.http.test_events import counted, event, send

ADA = "ada~Ada@Example.org~true"
UNVERIFIED = "eve~ada@example.org~false"
HTML = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="session")
def issuer() -> Iterator[str]:
    """The issuer of the real provider, running."""
    with real_provider() as found:
        yield found


def set_up(issuer: str, **more: Any) -> dict[str, OidcProvider]:
    """The provider, under each way in which this server can show that it is itself."""
    return {
        name: OidcProvider(issuer=issuer, client_id=name, client_secret=secret, title=name.title(), **more)
        for name, secret in (("basic", "secret of basic"), ("post", "secret of post"), ("public", None))
    }


@pytest.fixture
def met(database_url: str, issuer: str) -> Iterator[Site]:
    """A server that the provider knows."""
    with serving(database_url, oidc=set_up(issuer)) as site:
        site.publish()
        yield site


@pytest.fixture
def sqlite_met(sqlite_url: str, issuer: str) -> Iterator[Site]:
    """The same on SQLite."""
    with serving(sqlite_url, oidc=set_up(issuer)) as site:
        site.publish()
        yield site


def refused(reply: httpx2.Response, status: int, kind: str) -> str:
    """Check that nobody was signed in; what is said of it."""
    assert (reply.status_code, reply.json()["type"]) == (status, f"/problems/{kind}"), reply.text
    assert not any(one.startswith("headway_session=") for one in reply.headers.get_list("set-cookie"))
    said: str = reply.json()["detail"]
    return said


def me(client: httpx2.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/auth/me").json()["learner"]
    return found


@pytest.mark.parametrize("provider", ["basic", "post", "public"])
def test_whoever_signs_in_there_is_signed_in_here(met: Site, provider: str) -> None:
    client = met.client()
    reply = signed_in_by(client, provider, ADA, "/device?user_code=WDJB-MJHT")
    assert (reply.status_code, reply.headers["location"]) == (303, "/device?user_code=WDJB-MJHT")
    assert reply.headers["cache-control"] == "no-store"
    account = me(client)
    assert (account["email"], account["display_name"]) == ("ada@example.org", "Ada")
    assert set(client.cookies) == {"headway_session"}
    again = met.client()
    signed_in_by(again, provider, ADA)
    assert me(again) == account
    assert counted(met, learner) == counted(met, external_sign_in) == 1


def test_the_providers_are_listed(sqlite_met: Site) -> None:
    items = sqlite_met.client().get("/auth/providers").json()["items"]
    assert [one["id"] for one in items] == ["basic", "post", "public"]
    assert items[0] == {"id": "basic", "title": "Basic", "url": "/api/v1/auth/oidc/basic"}


def test_the_guest_who_comes_along_is_moved(met: Site) -> None:
    client = met.client()
    send(client, event(score=1))
    signed_in_by(client, "basic", ADA)
    assert set(client.cookies) == {"headway_session"}
    assert client.get("/progress").json()["attempts"] == 1


def test_the_browser_is_sent_with_all_that_protects_the_way_back(sqlite_met: Site) -> None:
    client = sqlite_met.client()
    reply = client.get("/auth/oidc/basic")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(reply.headers["location"]).query).items()}
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{sqlite_met.url}/api/v1/auth/oidc/basic/callback"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    cookie = reply.headers["set-cookie"]
    assert cookie.startswith("headway_oidc=")
    assert {"HttpOnly", "SameSite=Lax", "Max-Age=600"} <= {part.strip() for part in cookie.split(";")}
    assert begun(client, "basic")["state"] != asked["state"]


def test_the_code_is_of_use_to_nobody_without_the_verifier(sqlite_met: Site) -> None:
    client, thief = sqlite_met.client(), sqlite_met.client()
    back = at_provider(begun(client, "basic")[""], ADA)
    mine = begun(thief, "basic")
    stolen = {"code": parse_qs(urlsplit(back).query)["code"][0], "state": mine["state"]}
    refused(thief.get("/auth/oidc/basic/callback", params=stolen), 400, "sign-in-refused")


def test_an_answer_is_taken_once(sqlite_met: Site) -> None:
    client = sqlite_met.client()
    back = at_provider(begun(client, "basic")[""], ADA)
    kept = client.cookies["headway_oidc"]
    assert client.get(back).status_code == 303
    refused(client.get(back), 400, "sign-in-refused")
    again = sqlite_met.client(cookie=f"headway_oidc={kept}")
    refused(again.get(back), 400, "sign-in-refused")


def test_an_answer_to_another_browser_or_another_question_is_refused(sqlite_met: Site) -> None:
    client = sqlite_met.client()
    back = at_provider(begun(client, "basic")[""], ADA)
    refused(sqlite_met.client().get(back), 400, "sign-in-refused")
    refused(sqlite_met.client(cookie="headway_oidc=bm9uZQ==").get(back), 400, "sign-in-refused")
    refused(sqlite_met.client(cookie="headway_oidc=W10").get(back), 400, "sign-in-refused")
    refused(client.get(back.replace("/basic/", "/post/")), 400, "sign-in-refused")
    other = sqlite_met.client()
    begun(other, "basic")
    refused(other.get(back), 400, "sign-in-refused")


@pytest.mark.parametrize("order", [("/one", "/two"), ("/two", "/one")])
def test_of_two_tabs_the_later_one_signs_in_whichever_comes_back_first(
    sqlite_met: Site, order: tuple[str, str]
) -> None:
    client = sqlite_met.client()
    backs = {return_to: at_provider(begun(client, "basic", return_to)[""], ADA) for return_to in ("/one", "/two")}
    replies = {return_to: client.get(backs[return_to]) for return_to in order}
    refused(replies["/one"], 400, "sign-in-refused")
    assert (replies["/two"].status_code, replies["/two"].headers.get("location")) == (303, "/two")
    assert me(client)["email"] == "ada@example.org"


def test_whoever_turns_back_there_reads_so_here(sqlite_met: Site) -> None:
    client = sqlite_met.client()
    back = at_provider(begun(client, "basic")[""], "nobody")
    reply = client.get(back, headers=HTML)
    assert (reply.status_code, reply.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "Basic did not sign you in" in reply.text
    assert "<b>said</b>" not in reply.text
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert not client.cookies


def test_an_address_that_is_not_verified_is_nobodys(met: Site) -> None:
    client = met.client()
    signed_in_by(client, "basic", UNVERIFIED)
    assert me(client)["email"] is None
    ada = met.client()
    signed_in_by(ada, "basic", ADA)
    assert me(ada)["email"] == "ada@example.org"
    assert me(ada)["id"] != me(client)["id"]


def test_an_account_with_a_password_is_not_joined(met: Site) -> None:
    # Whoever registered it need not be the one who reads the mail of the address.
    early = met.person("ada@example.org")
    client = met.client()
    said = refused(signed_in_by(client, "basic", ADA), 409, "address-in-use")
    assert "sign in to it as you did before" in said
    assert client.get("/auth/me").json()["kind"] == "nobody"
    assert counted(met, external_sign_in) == 0
    assert counted(met, session) == 1
    assert me(early)["email"] == "ada@example.org"


def test_an_account_of_a_verified_address_is_joined_by_who_has_it_verified_elsewhere(
    database_url: str, issuer: str
) -> None:
    with lying_provider() as other, serving(database_url, oidc=set_up(issuer) | {"other": other.provider()}) as site:
        first, second, third = site.client(), site.client(), site.client()
        signed_in_by(first, "basic", ADA)
        assert other.comes_back(site, second, provider="other").status_code == 303
        assert me(second) == me(first)
        signed_in_by(third, "basic", "ada3~ada@example.org~false")
        assert me(third)["id"] != me(first)["id"]
        assert (counted(site, learner), counted(site, external_sign_in)) == (2, 3)


def test_a_mailbox_that_has_another_owner_now_opens_nothing_of_the_first(met: Site) -> None:
    signed_in_by(met.client(), "basic", ADA)
    said = refused(signed_in_by(met.client(), "basic", "ada2~ada@example.org~true"), 409, "address-in-use")
    assert "not yours" in said
    assert (counted(met, learner), counted(met, external_sign_in)) == (1, 1)
    assert signed_in_by(met.client(), "basic", ADA).status_code == 303


def test_the_operator_may_forbid_joining(database_url: str, issuer: str) -> None:
    with serving(database_url, oidc=set_up(issuer, join_accounts=False)) as site:
        signed_in_by(site.client(), "basic", ADA)
        refused(signed_in_by(site.client(), "basic", "ada2~ada@example.org~true"), 409, "address-in-use")
        assert signed_in_by(site.client(), "basic", ADA).status_code == 303


def test_who_signed_in_elsewhere_has_no_password_to_sign_in_with(sqlite_met: Site) -> None:
    signed_in_by(sqlite_met.client(), "basic", ADA)
    for password in (PASSWORD, ""):
        reply = sqlite_met.client().post("/auth/login", json={"email": "ada@example.org", "password": password})
        assert reply.status_code == 401
    taken = sqlite_met.client().post("/auth/register", json={"email": "ada@example.org", "password": PASSWORD})
    assert taken.status_code == 409


def test_signing_in_again_replaces_the_session_of_the_browser(sqlite_met: Site) -> None:
    client = sqlite_met.client()
    signed_in_by(client, "basic", ADA)
    before = client.cookies["headway_session"]
    signed_in_by(client, "basic", ADA)
    assert client.cookies["headway_session"] != before
    assert sqlite_met.client(before).get("/auth/me").status_code == 401


@pytest.mark.parametrize(
    "there",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "evil",
        "",
        "/\t/evil",
        "/\r\nx: y",
        "/é",
    ],
)
def test_nobody_is_sent_to_another_site(sqlite_met: Site, there: str) -> None:
    reply = sqlite_met.client().get("/auth/oidc/basic", params={"return_to": there})
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/invalid")
    assert "location" not in reply.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_elsewhere_signs_nobody_in_without_asking(sqlite_met: Site, site: str) -> None:
    client = sqlite_met.client()
    there = {"return_to": "/device?user_code=WDJB-MJHT&x=1"}
    asks = client.get("/auth/oidc/basic", params=there, headers={"sec-fetch-site": site})
    assert (asks.status_code, asks.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert not asks.headers.get_list("set-cookie")
    assert "form-action 'self'" in asks.headers["content-security-policy"]
    found = re.search(r'href="(/api/[^"]+)">Sign in with Basic<', asks.text)
    assert found is not None
    goes_on = client.get(f"{sqlite_met.url}{unescape(found[1])}", headers={"sec-fetch-site": "same-origin"})
    assert goes_on.status_code == 303
    back = at_provider(goes_on.headers["location"], ADA)
    assert client.get(back, headers={"sec-fetch-site": site}).headers["location"] == there["return_to"]


def test_a_provider_that_is_not_set_up_is_not_there(sqlite_met: Site) -> None:
    for path in ("/auth/oidc/none", "/auth/oidc/none/callback?code=x&state=y"):
        reply = sqlite_met.client().get(path)
        assert reply.status_code in (400, 404)
        assert not reply.is_redirect


def test_an_account_that_was_erased_is_not_signed_in(met: Site) -> None:
    client = met.client()
    signed_in_by(client, "basic", ADA)
    with met.database.transaction() as connection:
        connection.execute(sa.update(learner).values(erased_at=1))
    reply = signed_in_by(met.client(), "basic", ADA)
    assert reply.status_code == 401
