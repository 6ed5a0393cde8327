"""Signing in a terminal or an editor by way of a browser (RFC 8628)."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from headway.domain.times import MINUTE, SECOND
from headway.http import who
from headway.http.device import GRANT
from headway.http.tokens import hash_of
from headway.ledger import accounts
from headway.ledger.tokens import TOKENS_MAX
from headway.store import devices
from headway.store.schema import device_sign_in
from tests.http.server import Site, serving
from tests.http.test_events import event, send
from tests.http.test_tokens import listed, made

FORM = {"content-type": "application/x-www-form-urlencoded"}


def begun(site: Site, **sent: str) -> dict[str, Any]:
    """What a device is told that wants to sign in."""
    reply = site.client().post("/auth/device", data={"client_id": "headway 1.0", **sent})
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def polled(site: Site, device: dict[str, Any], **more: str) -> httpx2.Response:
    """A device asks whether it was let in, after the time that it was told to wait."""
    with site.database.transaction() as connection:
        connection.execute(sa.update(device_sign_in).values(polled_at=0))
    return asked_again(site, device, **more)


def asked_again(site: Site, device: dict[str, Any], **more: str) -> httpx2.Response:
    sent = {"grant_type": GRANT, "device_code": device["device_code"], **more}
    return site.client().post("/auth/device/token", data=sent)


def told(reply: httpx2.Response) -> str:
    """The `error` of a refusal, beside the fields of a problem."""
    assert reply.status_code == 400, reply.text
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "no-store"
    problem = reply.json()
    assert (problem["type"], problem["status"]) == ("/problems/device-sign-in", 400)
    assert {"title", "detail", "request_id"} <= problem.keys()
    error: str = problem["error"]
    return error


def approved(person: httpx2.Client, device: dict[str, Any], *, approve: bool = True) -> httpx2.Response:
    return person.post("/auth/device/approve", json={"user_code": device["user_code"], "approve": approve})


def test_a_device_is_let_in_and_records_as_the_account(site: Site) -> None:
    device = begun(site)
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", device["user_code"])
    assert (device["expires_in"], device["interval"]) == (900, 5)
    assert device["verification_uri"] == f"{site.url}/device"
    assert device["verification_uri_complete"] == f"{site.url}/device?user_code={device['user_code']}"
    assert told(polled(site, device)) == "authorization_pending"
    person = site.person("ada@example.org")
    reply = approved(person, device)
    assert reply.json() == {"client": "headway 1.0", "scopes": ["read", "write"], "approved": True}
    got = polled(site, device)
    assert (got.status_code, got.headers["cache-control"]) == (200, "no-store")
    token = got.json()
    assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 365 * 86_400, "read write")
    terminal = site.client(token["access_token"])
    assert terminal.get("/auth/me").json() == person.get("/auth/me").json()
    assert send(terminal, event())["results"][0]["status"] == "recorded"


def test_the_token_of_a_device_is_a_personal_one_listed_and_revoked_like_others(site: Site) -> None:
    device, person = begun(site), site.person("ada@example.org")
    approved(person, device)
    terminal = site.client(polled(site, device).json()["access_token"])
    (one,) = listed(person)
    assert (one["name"], one["scopes"]) == ("headway 1.0", ["read", "write"])
    assert terminal.get("/auth/tokens").status_code == 403
    person.delete(f"/auth/tokens/{one['id']}")
    assert terminal.get("/progress").status_code == 401


def test_a_device_code_is_used_once(site: Site) -> None:
    device, person = begun(site), site.person("ada@example.org")
    approved(person, device)
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda _: asked_again(site, device), range(8)))
    assert sorted(one.status_code for one in replies) == [200] + [400] * 7
    assert {one.json().get("error") for one in replies if one.status_code == 400} == {"invalid_grant"}
    assert len(listed(person)) == 1


def test_a_code_is_decided_once(site: Site) -> None:
    device = begun(site)
    assert approved(site.person("ada@example.org"), device).status_code == 200
    eve = site.person("eve@example.org")
    assert approved(eve, device).status_code == 404
    assert approved(eve, device, approve=False).status_code == 404
    token = polled(site, device).json()["access_token"]
    assert site.client(token).get("/auth/me").json()["learner"]["email"] == "ada@example.org"


def test_a_password_that_is_set_anew_shuts_out_a_device_that_was_let_in_before(site: Site) -> None:
    device = begun(site)
    approved(site.person("ada@example.org"), device)
    accounts.empower(site.database, "ada@example.org", "another one of hers", "creator", now=who.now())
    assert told(polled(site, device)) == "invalid_grant"


def test_a_device_that_is_refused_is_told_so(site: Site) -> None:
    device = begun(site)
    assert approved(site.person("ada@example.org"), device, approve=False).json()["approved"] is False
    assert told(polled(site, device)) == "access_denied"
    assert told(polled(site, device)) == "access_denied"


def test_a_decision_in_other_words_is_none(site: Site) -> None:
    device = begun(site)
    # As the reply calls it: taken for what is not known, it would let the device in.
    sent = {"user_code": device["user_code"], "approved": False}
    reply = site.person("ada@example.org").post("/auth/device/approve", json=sent)
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, "approved")
    assert told(polled(site, device)) == "authorization_pending"


def test_a_code_runs_out(site: Site) -> None:
    device, late = begun(site), begun(site)
    person = site.person("ada@example.org")
    approved(person, late)
    with site.database.transaction() as connection:
        connection.execute(sa.update(device_sign_in).values(expires_at=who.now() - 1))
    assert told(polled(site, device)) == told(polled(site, late)) == "expired_token"
    assert approved(person, device).status_code == 404
    with site.database.transaction() as connection:
        connection.execute(sa.update(device_sign_in).values(expires_at=who.now() - 61 * MINUTE))
    begun(site)
    assert told(polled(site, device)) == "invalid_grant"


def test_who_asks_too_soon_must_wait_longer_each_time(site: Site) -> None:
    device = begun(site)
    assert told(asked_again(site, device)) == "authorization_pending"
    assert told(asked_again(site, device)) == "slow_down"
    assert told(asked_again(site, device)) == "slow_down"
    code_hash = hash_of(device["device_code"])

    def waited(seconds: float) -> str:
        with site.database.transaction() as connection:
            devices.change(connection, code_hash, polled_at=who.now() - int(seconds * SECOND))
        return told(asked_again(site, device))

    # 5 seconds, and 5 more for each of the two.
    assert waited(14) == "slow_down"
    assert waited(19.9) == "authorization_pending"
    assert waited(19) == "slow_down"
    assert waited(25) == "authorization_pending"


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"grant_type": GRANT}, "invalid_request"),
        ({"device_code": "x"}, "invalid_request"),
        ({"grant_type": GRANT, "device_code": ""}, "invalid_request"),
        ({"grant_type": "password", "device_code": "x"}, "unsupported_grant_type"),
        ({"grant_type": GRANT, "device_code": "x"}, "invalid_grant"),
        ({"grant_type": GRANT, "device_code": "x", "client_secret": "ignored"}, "invalid_grant"),
    ],
)
def test_refusals_carry_the_error_of_the_standard(sqlite_site: Site, sent: dict[str, str], error: str) -> None:
    client = sqlite_site.client()
    assert told(client.post("/auth/device/token", data=sent)) == error
    assert told(client.post("/auth/device/token", json=sent)) == error


@pytest.mark.parametrize("scope", ["creator", "read admin", "openid"])
def test_a_device_asks_for_reading_and_writing_alone(sqlite_site: Site, scope: str) -> None:
    assert told(sqlite_site.client().post("/auth/device", json={"scope": scope})) == "invalid_scope"


def test_a_device_may_ask_for_less_and_without_a_name(sqlite_site: Site) -> None:
    device = sqlite_site.client().post("/auth/device", json={"scope": "read"}).json()
    person = sqlite_site.person("ada@example.org")
    assert approved(person, device).json()["scopes"] == ["read"]
    token = asked_again(sqlite_site, device).json()
    assert token["scope"] == "read"
    assert sqlite_site.client(token["access_token"]).post("/events", json={"events": [event()]}).status_code == 403
    assert listed(person)[0]["name"] == "A device"


def test_nothing_at_all_may_be_sent_as_a_form(sqlite_site: Site) -> None:
    assert sqlite_site.client().post("/auth/device", content=b"", headers=FORM).status_code == 200


@pytest.mark.parametrize("form", [b"client_id=a&client_id=b", b"client_id=%ff", b"&".join([b"a=1"] * 101)])
def test_a_form_that_cannot_be_read_is_refused(sqlite_site: Site, form: bytes) -> None:
    for path in ("/auth/device", "/auth/device/token"):
        reply = sqlite_site.client().post(path, content=form, headers=FORM)
        assert (reply.status_code, told(reply)) == (400, "invalid_request")


def test_json_that_cannot_be_read_is_refused(sqlite_site: Site) -> None:
    for path in ("/auth/device", "/auth/device/token"):
        reply = sqlite_site.client().post(path, content=b"{", headers={"content-type": "application/json"})
        assert (reply.status_code, told(reply)) == (400, "invalid_request")


def test_a_name_that_cannot_be_shown_is_refused(sqlite_site: Site) -> None:
    for name in ("a\u202eb", "x" * 201):
        assert told(sqlite_site.client().post("/auth/device", json={"client_id": name})) == "invalid_request"


@pytest.mark.parametrize("spell", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} ".swapcase()])
def test_case_dash_and_blanks_of_a_code_do_not_matter(sqlite_site: Site, spell: Any) -> None:
    device, person = begun(sqlite_site), sqlite_site.person("ada@example.org")
    reply = person.post("/auth/device/approve", data={"user_code": spell(device["user_code"]), "approve": "true"})
    assert reply.status_code == 200, reply.text


def test_only_an_account_that_is_signed_in_lets_devices_in(site: Site) -> None:
    device, person = begun(site), site.person("ada@example.org")
    token = made(person)["token"]
    for client, status in ((site.client(), 401), (site.guest(), 403), (site.client(token), 403)):
        assert approved(client, device).status_code == status
    foreign = {"sec-fetch-site": "cross-site"}
    sent = {"user_code": device["user_code"]}
    assert person.post("/auth/device/approve", data=sent, headers=foreign).status_code == 403
    assert told(polled(site, device)) == "authorization_pending"
    # A session by bearer is as good as one by cookie.
    assert approved(site.client(person.cookies["headway_session"]), device).status_code == 200


def test_who_guesses_codes_is_stopped_and_who_mistypes_one_is_not(database_url: str) -> None:
    with serving(database_url, rate_limits=True) as site:
        device, eve = begun(site), site.person("eve@example.org")
        wrong = [eve.post("/auth/device/approve", json={"user_code": f"BBBB-BBB{x}"}) for x in "BCDFGHJKLM"]
        assert {one.status_code for one in wrong} == {404}
        stopped = approved(eve, device)
        assert (stopped.status_code, stopped.json()["type"]) == (429, "/problems/rate-limited")
        assert 0 < int(stopped.headers["retry-after"]) <= 900
        person = site.person("ada@example.org")
        for _ in range(12):
            assert approved(person, begun(site)).status_code == 200


def test_who_has_fifty_tokens_is_told_before_the_device_is_let_in(sqlite_site: Site) -> None:
    device, person = begun(sqlite_site), sqlite_site.person("ada@example.org")
    tokens = [made(person) for _ in range(TOKENS_MAX)]
    assert (reply := approved(person, device)).status_code == 409, reply.text
    person.delete(f"/auth/tokens/{tokens[0]['id']}")
    assert approved(person, device).status_code == 200
    made(person)
    assert told(polled(sqlite_site, device)) == "access_denied"
    assert len(listed(person)) == TOKENS_MAX


def test_the_address_of_the_page_is_the_operators_where_it_is_set(sqlite_url: str) -> None:
    with serving(sqlite_url, public_url="https://learn.example.org/") as site:
        assert begun(site)["verification_uri"] == "https://learn.example.org/device"


def test_a_host_that_is_no_host_is_refused(sqlite_site: Site) -> None:
    reply = sqlite_site.client(host="evil.example/<b>").post("/auth/device", json={})
    assert reply.status_code == 400
