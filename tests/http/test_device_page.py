"""The page on which somebody lets a terminal or an editor in."""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from headway.settings import OidcProvider
from tests.http.server import PASSWORD, Site, serving
from tests.http.test_device import begun, polled, told
from tests.http.test_events import event, send
from tests.http.test_tokens import made

ADA = "ada@example.org"


class Forms(HTMLParser):
    """The forms of a page: where each goes, by which method, with which fields and buttons."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []
        self.ids: set[str] = set()
        self.labels: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        one = dict(attrs)
        self.ids.add(one.get("id") or "")
        if tag == "form":
            self.found.append({"action": one["action"], "method": one["method"], "fields": {}, "buttons": []})
        elif tag == "label":
            self.labels.add(one["for"] or "")
        elif tag == "input":
            self.found[-1]["fields"][one["name"]] = one.get("value") or ""
            if one.get("type") != "hidden":
                assert one.get("id"), "a field that no label can name"
                self.labels.discard(one["id"] or "") if one["id"] in self.labels else pytest.fail("no label before it")
        elif tag == "button":
            self.found[-1]["buttons"].append(one.get("value"))


def page(client: httpx2.Client, site: Site, code: str | None = None) -> httpx2.Response:
    return client.get(f"{site.url}/device", params={} if code is None else {"user_code": code})


def entered(client: httpx2.Client, site: Site, code: str, **headers: str) -> httpx2.Response:
    """Enter a code, as a browser does."""
    own = {"origin": site.url, "sec-fetch-site": "same-origin", **headers}
    return client.post(f"{site.url}/device/code", data={"user_code": code}, headers=own)


def form(reply: httpx2.Response) -> dict[str, Any]:
    """The one form of a page."""
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    (found,) = Forms(reply.text).found
    return found


def sent(client: httpx2.Client, site: Site, filled: dict[str, Any], **more: str) -> httpx2.Response:
    """Send a form, as a browser does."""
    assert filled["method"] == "post"
    origin = {"origin": site.url, "sec-fetch-site": "same-origin"}
    return client.post(f"{site.url}{filled['action']}", data={**filled["fields"], **more}, headers=origin)


def test_whoever_is_not_signed_in_signs_in_and_lets_the_device_in(site: Site) -> None:
    site.person(ADA)
    device, client = begun(site), site.client()
    send(client, event())
    asks = form(client.get(device["verification_uri_complete"]))
    assert asks["fields"] == {"email": "", "password": "", "user_code": device["user_code"]}
    reply = sent(client, site, asks, email=ADA, password=PASSWORD)
    assert (reply.status_code, reply.headers["location"]) == (303, f"/device?user_code={device['user_code']}")
    # The guest who came along is moved, as at any sign-in.
    assert set(client.cookies) == {"headway_session"}
    entry = form(client.get(f"{site.url}{reply.headers['location']}"))
    assert entry["fields"] == {"user_code": device["user_code"]}
    confirm = sent(client, site, entry)
    assert all(said in confirm.text for said in ("headway 1.0", device["user_code"], ADA, "record what you do"))
    decision = form(confirm)
    assert decision["buttons"] == ["true", "false"]
    done = sent(client, site, decision, approve="true")
    assert (done.status_code, "is let in" in done.text) == (200, True)
    token = polled(site, device).json()["access_token"]
    assert site.client(token).get("/auth/me").json()["learner"]["email"] == ADA


def test_who_is_signed_in_enters_the_code_or_refuses_the_device(site: Site) -> None:
    device, client = begun(site), site.person(ADA)
    entry = form(page(client, site))
    assert (entry["action"], entry["method"], entry["fields"]) == ("/device/code", "post", {"user_code": ""})
    confirm = entered(client, site, device["user_code"].lower().replace("-", ""))
    assert device["user_code"] in confirm.text
    assert "is refused" in sent(client, site, form(confirm), approve="false").text
    assert told(polled(site, device)) == "access_denied"


def test_looking_at_the_page_lets_nobody_in(sqlite_site: Site) -> None:
    device, client = begun(sqlite_site), sqlite_site.person(ADA)
    for more in ("", "&approve=true"):
        client.get(device["verification_uri_complete"] + more)
    entered(client, sqlite_site, device["user_code"])
    assert told(polled(sqlite_site, device)) == "authorization_pending"


@pytest.mark.parametrize("code", ["BBBB-BBBB", "nonsense", "aaaa-aaaa", "\u2603", "x" * 500, '"><script>'])
def test_a_code_that_there_is_not_is_told_where_it_is_entered(sqlite_site: Site, code: str) -> None:
    reply = entered(sqlite_site.person(ADA), sqlite_site, code)
    assert reply.status_code == 404
    assert 'role="alert"' in reply.text
    assert form(reply)["fields"]["user_code"] == code[:20]
    assert "<script" not in reply.text


def test_a_wrong_password_is_told_and_the_code_is_kept(sqlite_site: Site) -> None:
    sqlite_site.person(ADA)
    client = sqlite_site.client()
    asks = form(page(client, sqlite_site, "BBBB-BBBB"))
    reply = sent(client, sqlite_site, asks, email=ADA, password="not it")
    assert reply.status_code == 401
    assert "The address or the password is wrong." in reply.text
    assert form(reply)["fields"] == {"email": ADA, "password": "", "user_code": "BBBB-BBBB"}
    assert not client.cookies


def test_what_a_device_calls_itself_is_shown_as_text(sqlite_site: Site) -> None:
    device = begun(sqlite_site, client_id="<img src=x onerror=alert(1)>")
    reply = entered(sqlite_site.person(ADA), sqlite_site, device["user_code"])
    assert "<img" not in reply.text
    assert "&lt;img" in reply.text


def test_the_pages_run_nothing_load_nothing_and_stand_in_no_frame(sqlite_site: Site) -> None:
    device, person = begun(sqlite_site), sqlite_site.person(ADA)
    pages = [
        page(sqlite_site.client(), sqlite_site),
        page(person, sqlite_site),
        page(person, sqlite_site, "BBBB-BBBB"),
        entered(person, sqlite_site, "BBBB-BBBB"),
        entered(person, sqlite_site, device["user_code"]),
    ]
    for reply in pages:
        policy = reply.headers["content-security-policy"]
        assert {"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} <= {
            rule.strip() for rule in policy.split(";")
        }
        assert "unsafe" not in policy
        assert reply.headers["cache-control"] == "no-store"
        assert not re.findall(r"<script|<img|url\(|@import|\ssrc=|\sstyle=|\son\w+=", reply.text)
        assert '<html lang="en">' in reply.text
        assert len(re.findall("<h1", reply.text)) == 1
        assert re.search('name="viewport"', reply.text)


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
def test_another_site_neither_signs_in_nor_lets_in(sqlite_site: Site, headers: dict[str, str]) -> None:
    device, person = begun(sqlite_site), sqlite_site.person(ADA)
    code = device["user_code"]
    reply = person.post(f"{sqlite_site.url}/device", data={"user_code": code, "approve": "true"}, headers=headers)
    assert reply.status_code == 403
    assert told(polled(sqlite_site, device)) == "authorization_pending"
    looked = person.post(f"{sqlite_site.url}/device/code", data={"user_code": code}, headers=headers)
    assert looked.status_code == 403
    # Whoever is signed in to an account of another's would record into it.
    nobody = sqlite_site.client()
    mine = {"email": ADA, "password": PASSWORD, "user_code": code}
    assert nobody.post(f"{sqlite_site.url}/device/sign-in", data=mine, headers=headers).status_code == 403
    assert not nobody.cookies


def test_whose_session_ended_meanwhile_signs_in_again(sqlite_site: Site) -> None:
    device, client = begun(sqlite_site), sqlite_site.person(ADA)
    decision = form(entered(client, sqlite_site, device["user_code"]))
    token = client.cookies["headway_session"]
    sqlite_site.client(token).post("/auth/logout")
    reply = sent(client, sqlite_site, decision, approve="true")
    assert (reply.status_code, reply.headers["location"]) == (303, f"/device?user_code={device['user_code']}")
    assert told(polled(sqlite_site, device)) == "authorization_pending"


def test_the_page_is_for_people_and_a_personal_token_lets_nobody_in(sqlite_site: Site) -> None:
    device, person = begun(sqlite_site), sqlite_site.person(ADA)
    program = sqlite_site.client(made(person)["token"])
    code = device["user_code"]
    assert form(page(program, sqlite_site, code))["action"] == "/device/sign-in"
    assert entered(program, sqlite_site, code).status_code == 303
    reply = program.post(f"{sqlite_site.url}/device", data={"user_code": code, "approve": "true"})
    assert (reply.status_code, reply.headers["location"]) == (303, f"/device?user_code={code}")
    assert told(polled(sqlite_site, device)) == "authorization_pending"


def test_providers_are_offered_and_lead_back_to_the_code(sqlite_url: str) -> None:
    one = OidcProvider(issuer="https://a.example", client_id="x", title="A & B")
    with serving(sqlite_url, oidc={"a": one}) as site:
        text = page(site.client(), site, "BBBB-BBBB").text
        back = urlencode({"return_to": "/device?user_code=BBBB-BBBB"})
        assert f'href="/api/v1/auth/oidc/a?{back}">Sign in with A &amp; B<' in text


def test_who_guesses_codes_on_the_page_is_stopped(sqlite_url: str) -> None:
    with serving(sqlite_url, rate_limits=True) as site:
        client = site.person(ADA)
        tried = [entered(client, site, f"BBBB-BBB{x}").status_code for x in "BCDFGHJKLM"]
        assert set(tried) == {404}
        stopped = entered(client, site, begun(site)["user_code"])
        assert stopped.status_code == 429
        assert "tried too often" in stopped.text


def test_links_with_made_up_codes_use_up_nobodys_tries(sqlite_url: str) -> None:
    with serving(sqlite_url, rate_limits=True) as site:
        client = site.person(ADA)
        for x in "BCDFGHJKLMNP":
            assert page(client, site, f"BBBB-BBB{x}").status_code == 200
            assert entered(client, site, f"BBBB-BBB{x}", **{"sec-fetch-site": "cross-site"}).status_code == 403
        confirm = entered(client, site, begun(site)["user_code"])
        assert (confirm.status_code, "Let this device in?" in confirm.text) == (200, True)


def test_of_a_long_name_no_more_is_shown_than_fits_beside_what_is_said_of_it(sqlite_site: Site) -> None:
    device, client = begun(sqlite_site, client_id="Editor " + "x" * 150), sqlite_site.person(ADA)
    confirm = entered(client, sqlite_site, device["user_code"])
    done = sent(client, sqlite_site, form(confirm), approve="true")
    for reply in (confirm, done):
        assert "Editor " + "x" * 52 + "\u2026<" in reply.text
