"""Who asks: guests, accounts, sessions, cookies and tokens."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from headway.domain.times import DAY
from headway.http import who
from headway.http.tokens import hash_of
from headway.ledger.passwords import hash_password, is_outdated, password_matches
from headway.store.schema import learner, ledger, session
from tests.http.server import PASSWORD, Site, serving
from tests.http.test_events import counted, event, send

YEAR_S = 365 * 86_400


def cookie_of(reply: httpx2.Response, name: str) -> str:
    """The one Set-Cookie of that name."""
    found = [one for one in reply.headers.get_list("set-cookie") if one.startswith(f"{name}=")]
    assert len(found) == 1, reply.headers
    return found[0]


def sessions_of(site: Site) -> list[Any]:
    with site.database.read() as connection:
        return list(connection.execute(sa.select(session)).mappings())


def change_sessions(site: Site, **values: Any) -> None:
    with site.database.transaction() as connection:
        connection.execute(sa.update(session).values(**values))


def test_a_nobody_reads_as_nobody_and_stays_one(site: Site) -> None:
    client = site.client()
    assert client.get("/auth/me").json() == {"kind": "nobody", "learner": None}
    assert not client.cookies
    assert counted(site, learner) == 0


def test_a_nobodys_first_write_makes_a_guest_and_the_next_is_of_the_same(site: Site) -> None:
    client = site.client()
    reply = client.post("/events", json={"events": [event()]})
    cookie = cookie_of(reply, "headway_guest")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert f"Max-Age={YEAR_S}" in cookie
    assert "Secure" not in cookie
    again = client.post("/events", json={"events": [event()]})
    assert "set-cookie" not in again.headers
    assert again.json()["steps"][0]["attempts"] == 2
    me = client.get("/auth/me").json()
    assert (me["kind"], me["learner"]["kind"], me["learner"]["email"]) == ("guest", "guest", None)
    assert counted(site, learner) == 1


@pytest.mark.parametrize("bad", [event(score="good"), event("nowhere"), event("quiz", score=1)])
def test_a_nobody_of_whom_nothing_is_recorded_stays_nobody(site: Site, bad: dict[str, Any]) -> None:
    reply = site.client().post("/events", json={"events": [bad]})
    assert reply.json()["results"][0]["status"] == "refused"
    assert "set-cookie" not in reply.headers
    assert counted(site, learner) == 0


def test_behind_https_cookies_are_secure_and_bound_to_the_host(sqlite_url: str) -> None:
    with serving(sqlite_url, https=True) as site:
        site.publish()
        reply = site.client().post("/events", json={"events": [event()]})
        cookie = cookie_of(reply, "__Host-headway_guest")
        assert "Secure" in cookie
        assert "Domain" not in cookie
        token = cookie.partition("=")[2].partition(";")[0]
        for name, kind in (("__Host-headway_guest", "guest"), ("headway_guest", "nobody")):
            assert site.client(cookie=f"{name}={token}").get("/auth/me").json()["kind"] == kind


def test_a_guest_for_clients_without_cookies(site: Site) -> None:
    client = site.client()
    reply = client.post("/auth/guest")
    assert (reply.status_code, "set-cookie" in reply.headers) == (201, False)
    made = reply.json()
    terminal = site.client(made["token"])
    assert terminal.get("/auth/me").json() == {"kind": "guest", "learner": made["learner"]}
    assert send(terminal, event())["results"][0]["status"] == "recorded"


def test_registering_turns_the_guest_into_the_account(site: Site) -> None:
    client = site.client()
    send(client, event(score=1), event("for-1", type="completed"))
    guest = client.get("/auth/me").json()["learner"]
    token = client.cookies["headway_guest"]
    sent = {"email": " Ada@Example.ORG ", "password": PASSWORD, "display_name": "Ada", "time_zone": "Europe/London"}
    reply = client.post("/auth/register", json=sent)
    assert reply.status_code == 201, reply.text
    assert reply.json()["merged"] == {"steps": 2, "events": 2, "certificates": 0}
    account = reply.json()["learner"]
    assert account == guest | {
        "kind": "account",
        "email": "ada@example.org",
        "display_name": "Ada",
        "time_zone": "Europe/London",
    }
    assert "HttpOnly" in cookie_of(reply, "headway_session")
    assert "Max-Age=0" in cookie_of(reply, "headway_guest")
    assert set(client.cookies) == {"headway_session"}
    assert [one["kind"] for one in sessions_of(site)] == ["account"]
    assert send(client, event(score=1))["steps"][0]["attempts"] == 2
    # What still comes with the guest's token is refused, and its cookie taken away: the client sends it as the account.
    late = site.client(cookie=f"headway_guest={token}").post("/events", json={"events": [event()]})
    assert late.status_code == 401
    assert "Max-Age=0" in cookie_of(late, "headway_guest")


def test_registering_without_a_guest_merges_nothing(site: Site) -> None:
    reply = site.client().post("/auth/register", json={"email": "ada@example.org", "password": PASSWORD})
    assert (reply.status_code, reply.json()["merged"]) == (201, None)
    assert reply.json()["learner"]["display_name"] is None


def test_an_address_is_one_however_it_is_spelled(site: Site) -> None:
    site.person("ren\u00e9@b\u00fccher.example")
    site.person("stra\u00dfe@example.org")
    site.person("strasse@example.org")
    guest = site.client()
    send(guest, event())
    for spelled in ("STRASSE@example.org", " stra\u00dfe@EXAMPLE.org", "Rene\u0301@xn--bcher-kva.EXAMPLE"):
        reply = guest.post("/auth/register", json={"email": spelled, "password": PASSWORD})
        assert (reply.status_code, reply.json()["type"]) == (409, "/problems/email-taken")
    # A move that failed leaves the guest as it was.
    assert guest.get("/auth/me").json()["kind"] == "guest"
    assert send(guest, event())["steps"][0]["attempts"] == 2


def test_of_sixteen_who_register_one_address_at_once_one_does(site: Site) -> None:
    def register(_: int) -> int:
        with site.client() as client:
            return client.post("/auth/register", json={"email": "ada@example.org", "password": PASSWORD}).status_code

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(register, range(16))) == [201] + [409] * 15


def test_a_guest_who_registers_twice_at_once_becomes_one_account(site: Site) -> None:
    client = site.client()
    send(client, event())
    token = client.cookies["headway_guest"]

    def register(number: int) -> int:
        with site.client(cookie=f"headway_guest={token}") as one:
            sent = {"email": f"ada{number}@example.org", "password": PASSWORD}
            return one.post("/auth/register", json=sent).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(register, range(8))) == [201] + [401] * 7
    assert counted(site, learner) == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "ada"}, "email"),
        ({"email": "a da@example.org"}, "email"),
        ({"email": "@example.org"}, "email"),
        ({"email": "a@b@c"}, "email"),
        ({"email": "a\0@example.org"}, "email"),
        ({"email": "a" * 250 + "@b.org"}, "email"),
        ({"email": 7}, "email"),
        ({"password": "1234567"}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"password": None}, "password"),
        ({"display_name": "x" * 201}, "display_name"),
        ({"display_name": "a\0b"}, "display_name"),
        ({"display_name": "a\u202eb"}, "display_name"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"role": "admin"}, "role"),
    ],
)
def test_a_registration_that_does_not_fit_names_its_field(
    sqlite_site: Site, fields: dict[str, Any], field: str
) -> None:
    sent = {"email": "ada@example.org", "password": PASSWORD} | fields
    reply = sqlite_site.client().post("/auth/register", json=sent)
    assert (reply.status_code, [one["field"] for one in reply.json()["errors"]]) == (422, [field])
    assert PASSWORD not in reply.text


def test_signing_in_and_out(site: Site) -> None:
    account = site.person("ada@example.org").get("/auth/me").json()["learner"]
    client = site.client()
    reply = client.post("/auth/login", json={"email": "ADA@example.org", "password": PASSWORD})
    assert (reply.status_code, reply.json()) == (200, {"learner": account, "merged": None, "merge_failed": False})
    assert client.get("/auth/me").json()["kind"] == "account"
    out = client.post("/auth/logout")
    assert (out.status_code, out.content) == (204, b"")
    assert "Max-Age=0" in cookie_of(out, "headway_session")
    assert client.get("/auth/me").json()["kind"] == "nobody"
    assert client.post("/auth/logout").status_code == 204


def test_a_session_is_over_everywhere_once_it_is_signed_out(site: Site) -> None:
    client = site.person("ada@example.org")
    token = client.cookies["headway_session"]
    send(client, event())  # the server remembers the session now
    client.post("/auth/logout")
    assert site.client(token).get("/auth/me").status_code == 401
    assert site.client(token).post("/events", json={"events": [event()]}).status_code == 401
    stale = site.client(cookie=f"headway_session={token}")
    assert stale.get("/auth/me").json()["kind"] == "nobody"
    refused = stale.post("/events", json={"events": [event()]})
    assert refused.status_code == 401
    assert "Max-Age=0" in cookie_of(refused, "headway_session")


def test_a_session_that_another_process_ended_is_refused_although_it_is_remembered(site: Site) -> None:
    client = site.guest()
    send(client, event())
    with site.database.transaction() as connection:
        connection.execute(sa.delete(session))
    for _ in range(2):
        assert client.post("/events", json={"events": [event()]}).status_code == 401
    assert counted(site, ledger) == 1


@pytest.mark.parametrize(("method", "path"), [("POST", "/auth/register"), ("PATCH", "/auth/me")])
def test_a_session_that_ended_meanwhile_is_forgotten_and_its_cookie_cleared(site: Site, method: str, path: str) -> None:
    client = site.client()
    send(client, event())  # the server remembers the session now
    dead = client.cookies["headway_guest"]
    with site.database.transaction() as connection:
        connection.execute(sa.delete(session))
    account = {"email": "ada@example.org", "password": PASSWORD}
    refused = client.request(method, path, json=account if method == "POST" else {"display_name": "Ada"})
    assert refused.status_code == 401
    assert "Max-Age=0" in cookie_of(refused, "headway_guest")
    assert client.post("/auth/register", json=account).status_code == 201
    assert site.client(cookie=f"headway_guest={dead}").post("/auth/register", json=account).status_code == 401


NAMES = [
    (" Ada ", "Ada"),
    *(
        (name, name)
        for name in ("\u0645\u0647\u200c\u0646\u0627\u0632", "క్\u200cష", "\U0001f469\u200d\U0001f469\u200d\U0001f467")
    ),
    ("\u200d\u200c", None),
    ("  ", None),
]


@pytest.mark.parametrize(("sent", "kept"), NAMES)
def test_a_display_name_is_kept_as_its_script_writes_it(sqlite_site: Site, sent: str, kept: str | None) -> None:
    reply = sqlite_site.person("ada@example.org").patch("/auth/me", json={"display_name": sent})
    assert (reply.status_code, reply.json()["learner"]["display_name"]) == (200, kept)


def test_signing_out_does_not_take_a_guests_only_key(site: Site) -> None:
    client = site.guest()
    assert client.post("/auth/logout").status_code == 204
    assert client.get("/auth/me").json()["kind"] == "guest"


def test_a_wrong_password_and_an_unknown_address_read_alike(site: Site) -> None:
    site.person("ada@example.org")
    replies = [
        site.client().post("/auth/login", json={"email": email, "password": password})
        for email, password in (
            ("ada@example.org", "a wrong one"),
            ("bob@example.org", PASSWORD),
            ("no address", PASSWORD),
            ("ada@example.org", "x" * 100_000),
        )
    ]
    told = [{name: value for name, value in one.json().items() if name != "request_id"} for one in replies]
    assert all(one == told[0] for one in told)
    assert (told[0]["status"], told[0]["type"]) == (401, "/problems/wrong-credentials")
    assert not any("set-cookie" in one.headers for one in replies)


@pytest.mark.real_hashes
def test_where_there_is_no_password_to_compare_with_one_is_compared_all_the_same() -> None:
    kept = hash_password(PASSWORD)
    assert kept.startswith("$argon2id$")
    assert password_matches(PASSWORD, kept)
    assert not password_matches(PASSWORD + "x", kept)
    durations = []
    for one in (kept, None):
        password_matches("x", one)
        began = datetime.now(UTC)
        assert not password_matches("x", one)
        durations.append((datetime.now(UTC) - began).total_seconds())
    assert 0.2 < durations[0] / durations[1] < 5


@pytest.mark.real_hashes
def test_signing_in_keeps_a_hash_of_todays_strength(site: Site) -> None:
    site.person("ada@example.org")
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with site.database.transaction() as connection:
        connection.execute(sa.update(learner).values(password_hash=weak))
    for _ in range(2):
        sent = {"email": "ada@example.org", "password": PASSWORD}
        assert site.client().post("/auth/login", json=sent).status_code == 200
    with site.database.read() as connection:
        kept = connection.execute(sa.select(learner.c.password_hash)).scalar_one()
    assert kept != weak
    assert not is_outdated(kept)


def test_registering_anew_ends_the_browsers_old_session(site: Site) -> None:
    client = site.person("ada@example.org")
    client.post("/auth/register", json={"email": "bob@example.org", "password": PASSWORD})
    assert client.get("/auth/me").json()["learner"]["email"] == "bob@example.org"
    assert [one["token_hash"] for one in sessions_of(site)] == [hash_of(client.cookies["headway_session"])]


def test_signing_in_anew_ends_the_browsers_old_session(site: Site) -> None:
    client = site.person("ada@example.org")
    old = client.cookies["headway_session"]
    client.post("/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
    assert client.cookies["headway_session"] != old
    assert [one["token_hash"] for one in sessions_of(site)] == [hash_of(client.cookies["headway_session"])]


def test_a_session_lasts_thirty_days_from_its_last_use_noted_once_a_day(site: Site) -> None:
    client = site.person("ada@example.org")
    now = who.now()
    change_sessions(site, last_used_at=now - DAY + 10**9, expires_at=now + 10**9)
    assert "set-cookie" not in client.get("/auth/me").headers
    assert sessions_of(site)[0]["last_used_at"] == now - DAY + 10**9
    change_sessions(site, last_used_at=now - 29 * DAY, expires_at=now + DAY)
    assert "HttpOnly" in cookie_of(client.get("/auth/me"), "headway_session")
    held = sessions_of(site)[0]
    assert held["last_used_at"] >= now
    assert held["expires_at"] - held["last_used_at"] == 30 * DAY
    change_sessions(site, expires_at=now - 1)
    assert client.get("/auth/me").json()["kind"] == "nobody"


def test_what_is_kept_of_tokens_and_passwords_opens_nothing(site: Site) -> None:
    client = site.person("ada@example.org")
    token = client.cookies["headway_session"]
    assert len(token) >= 43
    with site.database.read() as connection:
        kept = str(connection.execute(sa.select(learner)).all()) + str(connection.execute(sa.select(session)).all())
    assert token not in kept
    assert PASSWORD not in kept


def test_learners_change_what_they_say_of_themselves(site: Site) -> None:
    client = site.client()
    assert client.patch("/auth/me", json={"display_name": "Ada"}).status_code == 401
    send(client, event())
    changed = client.patch("/auth/me", json={"display_name": " Ada ", "time_zone": "Asia/Tokyo"})
    assert changed.status_code == 200, changed.text
    assert changed.json() == client.get("/auth/me").json()
    told = changed.json()["learner"]
    assert (told["display_name"], told["time_zone"]) == ("Ada", "Asia/Tokyo")
    assert client.patch("/auth/me", json={}).json() == changed.json()
    assert client.patch("/auth/me", json={"display_name": None}).json()["learner"]["display_name"] is None
    assert client.patch("/auth/me", json={"time_zone": None}).status_code == 422
    assert client.patch("/auth/me", json={"roles": ["admin"]}).status_code == 422


@pytest.mark.parametrize("token", ["", "never-given-out", "x" * 300])
def test_a_dead_guest_cookie_reads_as_nobody_and_a_write_with_it_clears_it(site: Site, token: str) -> None:
    client = site.client(cookie=f"other=1; headway_guest={token}; more=2")
    assert client.get("/auth/me").json()["kind"] == "nobody"
    assert client.get("/progress").status_code == 200
    reply = client.post("/events", json={"events": [event()]})
    if not token:
        assert reply.status_code == 200  # an empty cookie is none
        return
    assert (reply.status_code, reply.json()["type"]) == (401, "/problems/unauthorized")
    assert "Max-Age=0" in cookie_of(reply, "headway_guest")
    assert counted(site, ledger) == 0
